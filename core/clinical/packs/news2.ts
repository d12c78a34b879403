/**
 * National Early Warning Score 2 of adults, not in pregnancy.
 *
 * @see Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, Chart 1. © RCP 2017; reproduced with
 * acknowledgement
 */
import type { BandRow, ScoreTable } from '#core/clinical/score.ts'
import type { VitalCode } from '#core/clinical/vital.ts'
import { bands, row } from '#core/clinical/packs/bands.ts'

const SATURATION: readonly BandRow[] = [
  { vital: 'oxygenSaturation', on: 'any', scale: 1, bands: bands([91, 93, 95], [3, 2, 1, 0]) },
  {
    vital: 'oxygenSaturation',
    on: 'oxygen',
    scale: 2,
    bands: bands([83, 85, 87, 92, 94, 96], [3, 2, 1, 0, 1, 2, 3])
  },
  { vital: 'oxygenSaturation', on: 'air', scale: 2, bands: bands([83, 85, 87], [3, 2, 1, 0]) }
]

const pulse = (vital: VitalCode): BandRow => row(vital, [40, 50, 90, 110, 130], [3, 1, 0, 1, 2, 3])

/** The table; 0 to 20 points. */
export const NEWS2: ScoreTable = {
  name: 'news2',
  parameters: [
    { name: 'respiration', rows: [row('respiratoryRate', [8, 11, 20, 24], [3, 1, 0, 2, 3])] },
    { name: 'saturation', rows: SATURATION },
    { name: 'oxygen', rows: [row('oxygen', [0], [0, 2])] },
    { name: 'systolic', rows: [row('systolic', [90, 100, 110, 219], [3, 2, 1, 0, 3])] },
    { name: 'pulse', rows: [pulse('heartRate'), pulse('pulseRate')] },
    // Whoever is not alert scores 3; of the coma score only 15 is alert.
    { name: 'consciousness', rows: [row('consciousness', [0], [0, 3]), row('comaScore', [14], [3, 0])] },
    { name: 'temperature', rows: [row('temperature', [35, 36, 38, 39], [3, 1, 0, 1, 2])] }
  ],
  risks: [
    { fromTotal: 1, risk: 1 },
    { fromTotal: 5, risk: 3 },
    { fromTotal: 7, risk: 4 }
  ],
  single: { points: 3, risk: 2 }
}

/**
 * Modified Early Warning Score. Its AVPU has no new confusion, which counts as to voice here; coma scores are placed between
 * the medians 15, 13, 8 and 3 of A, V, P and U.
 *
 * @see Subbe et al., Validation of a modified Early Warning Score in medical admissions, QJM 2001
 */
import type { BandRow, ScoreTable } from '#core/clinical/score.ts'
import type { VitalCode } from '#core/clinical/vital.ts'
import { row } from '#core/clinical/packs/bands.ts'

const pulse = (vital: VitalCode): BandRow => row(vital, [40, 50, 100, 110, 129.999], [2, 1, 0, 1, 2, 3])

/** The table; 5 or more is critical. */
export const MEWS: ScoreTable = {
  name: 'mews',
  parameters: [
    { name: 'systolic', rows: [row('systolic', [70, 80, 100, 199.999], [3, 2, 1, 0, 2])] },
    { name: 'pulse', rows: [pulse('heartRate'), pulse('pulseRate')] },
    { name: 'respiration', rows: [row('respiratoryRate', [8.999, 14, 20, 29.999], [2, 0, 1, 2, 3])] },
    { name: 'temperature', rows: [row('temperature', [34.999, 38.499], [2, 0, 2])] },
    {
      name: 'consciousness',
      rows: [row('consciousness', [0, 2, 3], [0, 1, 2, 3]), row('comaScore', [5, 10, 14], [3, 2, 1, 0])]
    }
  ],
  risks: [
    { fromTotal: 1, risk: 1 },
    { fromTotal: 3, risk: 2 },
    { fromTotal: 5, risk: 4 }
  ],
  single: { points: 0, risk: 0 }
}

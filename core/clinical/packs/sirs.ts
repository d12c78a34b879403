/**
 * Systemic inflammatory response, without its criterion of the blood count, which no bedside sensor measures: a total here is the
 * least that it can be.
 *
 * @see Bone et al., Definitions for sepsis and organ failure, Chest 1992; from memory
 */
import type { ScoreTable } from '#core/clinical/score.ts'
import { row } from '#core/clinical/packs/bands.ts'

/** The table; 2 or more is positive. */
export const SIRS: ScoreTable = {
  name: 'sirs',
  parameters: [
    { name: 'temperature', rows: [row('temperature', [35.999, 38], [1, 0, 1])] },
    { name: 'pulse', rows: [row('heartRate', [90], [0, 1]), row('pulseRate', [90], [0, 1])] },
    { name: 'respiration', rows: [row('respiratoryRate', [20], [0, 1])] }
  ],
  risks: [
    { fromTotal: 1, risk: 1 },
    { fromTotal: 2, risk: 3 }
  ],
  single: { points: 0, risk: 0 }
}

/**
 * Quick SOFA of suspected infection.
 *
 * @see Singer et al., The Third International Consensus Definitions for Sepsis and Septic Shock, JAMA 2016; from memory
 */
import type { ScoreTable } from '#core/clinical/score.ts'
import { row } from '#core/clinical/packs/bands.ts'

/** The table; 2 or more is positive. */
export const QSOFA: ScoreTable = {
  name: 'qsofa',
  parameters: [
    { name: 'respiration', rows: [row('respiratoryRate', [21.999], [0, 1])] },
    { name: 'systolic', rows: [row('systolic', [100], [1, 0])] },
    { name: 'consciousness', rows: [row('consciousness', [0], [0, 1]), row('comaScore', [14], [1, 0])] }
  ],
  risks: [
    { fromTotal: 1, risk: 1 },
    { fromTotal: 2, risk: 3 }
  ],
  single: { points: 0, risk: 0 }
}

/**
 * A made-up recording of monitor numerics, in the form of the BIDMC set (docs/specs/recording.md). Deterministic: a seeded
 * generator and whole-number arithmetic, so that every machine writes the same bytes. It describes no person.
 */

/** What to make up. */
export interface SyntheticInit {
  readonly seconds: number
  readonly seed: number
}

/** One sign: where it rests, how fast it returns there, how far it wanders, all in thousandths of its unit. */
interface Sign {
  readonly name: string
  readonly rest: number
  readonly step: number
  readonly min: number
  readonly max: number
}

const SIGNS: readonly Sign[] = [
  { name: 'HR', rest: 78_000, step: 900, min: 40_000, max: 160_000 },
  { name: 'PULSE', rest: 78_000, step: 900, min: 40_000, max: 160_000 },
  { name: 'RESP', rest: 16_000, step: 500, min: 6_000, max: 40_000 },
  { name: 'SpO2', rest: 97_000, step: 200, min: 80_000, max: 100_000 }
]

/** Return towards rest per second, in thousandths. */
const RETURN = 30

/** Seconds, as parts of the whole, in which a sensor is off: the gaps that a reader has to stand. */
const GAPS: readonly { readonly name: string; readonly from: number; readonly to: number }[] = [
  { name: 'RESP', from: 0.2, to: 0.24 },
  { name: 'SpO2', from: 0.55, to: 0.58 },
  { name: 'PULSE', from: 0.55, to: 0.58 }
]

/** Comma-separated text of the recording, one row per second. */
export function syntheticRecording({ seconds, seed }: SyntheticInit): string {
  const next = xorshift(seed)
  const values = SIGNS.map(({ rest }) => rest)
  const rows = [`Time [s], ${SIGNS.map(({ name }) => name).join(', ')}`]
  for (let second = 0; second < seconds; second++) {
    // A short episode of faster breathing and pulse in the second half, so that there is something to see.
    const stress = second > 0.65 * seconds && second < 0.8 * seconds ? 1 : 0
    SIGNS.forEach((sign, i) => {
      const rest = sign.rest + (sign.name === 'SpO2' ? -3_000 : Math.trunc(sign.rest / 4)) * stress
      const value = values[i] ?? rest
      const wander = (next() % (2 * sign.step + 1)) - sign.step
      const moved = value + Math.trunc(((rest - value) * RETURN) / 1000) + wander
      values[i] = Math.min(sign.max, Math.max(sign.min, moved))
    })
    // The pulse oximeter sees the same heart, a little late.
    values[1] = Math.trunc(((values[0] ?? 0) * 9 + (values[1] ?? 0)) / 10)
    const cells = SIGNS.map(({ name }, i) => (isOff(name, second / seconds) ? 'NaN' : String(rounded(values[i] ?? 0))))
    rows.push([String(second), ...cells].join(','))
  }
  return `${rows.join('\n')}\n`
}

function isOff(name: string, part: number): boolean {
  return GAPS.some(gap => gap.name === name && part >= gap.from && part < gap.to)
}

function rounded(thousandths: number): number {
  return Math.trunc((thousandths + 500) / 1000)
}

/** Marsaglia's xorshift32. */
function xorshift(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

/**
 * A second reading of the chart of NEWS2, written as questions instead of tables, to compare the table with.
 *
 * @see Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, Chart 1. © RCP 2017; reproduced with
 * acknowledgement
 */
import type { SaturationScale } from '#core/clinical/score.ts'
import type { Values, VitalCode } from '#core/clinical/vital.ts'

/** Random vital signs, each missing now and then. */
export function randomVector(below: (end: number) => number): Values {
  const values: Partial<Record<VitalCode, number>> = {}
  const ranges: readonly (readonly [VitalCode, number, number, number])[] = [
    ['respiratoryRate', 0, 60, 1000],
    ['oxygenSaturation', 60, 100, 1000],
    ['oxygen', 0, 1, 1000],
    ['systolic', 40, 260, 1000],
    ['heartRate', 20, 220, 1000],
    ['pulseRate', 20, 220, 1000],
    ['consciousness', 0, 4, 1000],
    ['temperature', 300, 430, 100]
  ]
  for (const [vital, least, most, milli] of ranges) {
    if (below(8) > 0) values[vital] = (least + below(most - least + 1)) * milli
  }
  return values
}

/** Numbers below an end, the same in every run (a linear congruential generator; the low bits are not used). */
export function seededBelow(seed: number): (end: number) => number {
  let state = seed >>> 0
  return end => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * end)
  }
}

/** Total and most points of one parameter by the chart; whole vital signs, temperature in tenths. */
export function news2ByChart(v: Values, scale: SaturationScale): { total: number; worst: number } {
  const at = (code: VitalCode): number => (v[code] ?? Number.NaN) / 1000
  const rr = at('respiratoryRate')
  const saturation = at('oxygenSaturation')
  const systolic = at('systolic')
  const pulse = Number.isNaN(at('heartRate')) ? at('pulseRate') : at('heartRate')
  const temperature = at('temperature')
  const oxygen = at('oxygen') > 0
  const high = scale === 2 && oxygen
  const parts = [
    rr >= 25 || rr <= 8 ? 3 : rr >= 21 ? 2 : rr <= 11 ? 1 : 0,
    scale === 1
      ? Math.min(3, Math.max(0, Math.ceil((96 - saturation) / 2)))
      : saturation <= 87
        ? Math.min(3, Math.ceil((88 - saturation) / 2))
        : high && saturation >= 93
          ? Math.min(3, Math.floor((saturation - 91) / 2))
          : 0,
    oxygen ? 2 : 0,
    systolic >= 220 || systolic <= 90 ? 3 : systolic <= 100 ? 2 : systolic <= 110 ? 1 : 0,
    pulse > 130 || pulse <= 40 ? 3 : pulse > 110 ? 2 : pulse > 90 || pulse <= 50 ? 1 : 0,
    at('consciousness') > 0 ? 3 : 0,
    temperature <= 35 ? 3 : temperature > 39 ? 2 : temperature > 38 || temperature <= 36 ? 1 : 0
  ].map(points => (Number.isNaN(points) ? 0 : points))
  return { total: parts.reduce((sum, each) => sum + each, 0), worst: Math.max(...parts) }
}

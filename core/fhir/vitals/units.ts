/**
 * UCUM units of vital signs and how they convert, exactly as UCUM defines them.
 *
 * @see https://ucum.org/ucum
 */
import { add, multiply, rational, type Rational } from '#core/fhir/vitals/rational.ts'

/** value in the base unit = (value + offset) × factor. */
interface Conversion {
  readonly to: string
  readonly factor: Rational
  readonly offset?: Rational
}

const ONE = rational(1n)
const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  '/min': { to: '/min', factor: ONE },
  '1/min': { to: '/min', factor: ONE },
  Hz: { to: '/min', factor: rational(60n) },
  '/s': { to: '/min', factor: rational(60n) },
  '%': { to: '%', factor: ONE },
  '1': { to: '%', factor: rational(100n) },
  Cel: { to: 'Cel', factor: ONE },
  '[degF]': { to: 'Cel', factor: rational(5n, 9n), offset: rational(-32n) },
  K: { to: 'Cel', factor: ONE, offset: rational(-27_315n, 100n) },
  'mm[Hg]': { to: 'mm[Hg]', factor: ONE },
  // UCUM: a metre of mercury is 133.3220 kPa.
  kPa: { to: 'mm[Hg]', factor: rational(1_000_000n, 133_322n) },
  cm: { to: 'cm', factor: ONE },
  m: { to: 'cm', factor: rational(100n) },
  mm: { to: 'cm', factor: rational(1n, 10n) },
  '[in_i]': { to: 'cm', factor: rational(254n, 100n) },
  '[ft_i]': { to: 'cm', factor: rational(3048n, 100n) },
  kg: { to: 'kg', factor: ONE },
  g: { to: 'kg', factor: rational(1n, 1000n) },
  '[lb_av]': { to: 'kg', factor: rational(45_359_237n, 100_000_000n) },
  '[oz_av]': { to: 'kg', factor: rational(45_359_237n, 1_600_000_000n) },
  'kg/m2': { to: 'kg/m2', factor: ONE },
  'L/min': { to: 'L/min', factor: ONE },
  'l/min': { to: 'L/min', factor: ONE },
  'mL/min': { to: 'L/min', factor: rational(1n, 1000n) }
}

/** The value in `to`; `undefined` if the unit is not known or measures something else. */
export function convert(value: Rational, from: string, to: string): Rational | undefined {
  // An annotation in braces says what is counted and changes nothing: {beats}/min.
  const unit = from.replaceAll(/\{[^{}]*\}/g, '')
  const conversion = Object.hasOwn(CONVERSIONS, unit) ? CONVERSIONS[unit] : undefined
  if (conversion?.to !== to) return undefined
  return multiply(add(value, conversion.offset ?? rational(0n)), conversion.factor)
}

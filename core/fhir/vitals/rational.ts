/** Fractions of whole numbers: units convert without a rounding that nobody asked for. */

/** A fraction in lowest terms; the denominator is above zero. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/
/** Beyond this no vital sign lies, and no power of ten has to be computed. */
const MAX_EXPONENT = 40

/** Makes a fraction. */
export function rational(numerator: bigint, denominator = 1n): Rational {
  const sign = denominator < 0n ? -1n : 1n
  const divisor = sign * gcd(numerator < 0n ? -numerator : numerator, sign * denominator)
  return { numerator: numerator / divisor, denominator: denominator / divisor }
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? (a === 0n ? 1n : a) : gcd(b, a % b)
}

/** The exact value of a decimal's text; `undefined` if it is none, or far out of any range. */
export function rationalOf(text: string): Rational | undefined {
  const [whole, sign, digits = '', fraction = '', power = '0'] = DECIMAL.exec(text) ?? []
  const exponent = Number(power) - fraction.length
  if (whole == null || Math.abs(exponent) > MAX_EXPONENT || digits.length > MAX_EXPONENT) return undefined
  const mantissa = BigInt(`${sign}${digits}${fraction}`)
  const scale = 10n ** BigInt(Math.abs(exponent))
  return exponent < 0 ? rational(mantissa, scale) : rational(mantissa * scale)
}

/** a + b. */
export function add(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)
}

/** a × b. */
export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator)
}

/** The decimal text of a fraction, rounded to `decimals` places, halves away from zero, without zeros at its end. */
export function decimalText({ numerator, denominator }: Rational, decimals: number): string {
  const scale = 10n ** BigInt(decimals)
  const magnitude = numerator < 0n ? -numerator : numerator
  const rounded = (2n * magnitude * scale + denominator) / (2n * denominator)
  const fraction = (rounded % scale).toString().padStart(decimals, '0').replace(/0+$/, '')
  const sign = numerator < 0n && rounded > 0n ? '-' : ''
  return `${sign}${String(rounded / scale)}${decimals === 0 || fraction === '' ? '' : `.${fraction}`}`
}

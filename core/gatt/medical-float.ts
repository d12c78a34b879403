/**
 * The numbers of ISO/IEEE 11073-20601: SFLOAT (4-bit exponent, 12-bit mantissa) and FLOAT (8 and 24), both two's complement, to the
 * base 10. No bias: 120 is 0x0078, 36.4 is 0xFF00016C.
 *
 * @see Bluetooth SIG, Personal Health Devices Transcoding White Paper, section 2.2
 */
import type { Cursor } from '#core/gatt/cursor.ts'

/** A number, or why there is none. */
export type MedicalNumber =
  | { readonly mantissa: number; readonly exponent: number; readonly special?: never }
  | {
      readonly special:
        'not a number' | 'not at this resolution' | 'positive infinity' | 'negative infinity' | 'reserved'
    }

const SPECIALS = [
  'positive infinity',
  'not a number',
  'not at this resolution',
  'reserved',
  'negative infinity'
] as const

/** Reads a 16-bit SFLOAT. */
export function readSfloat(cursor: Cursor): MedicalNumber {
  const raw = cursor.uint(2)
  const mantissa = raw % 0x1000
  return specialOf(mantissa, 0x7fe) ?? { mantissa: signed(mantissa, 0x1000), exponent: signed(raw >> 12, 0x10) }
}

/** Reads a 32-bit FLOAT. */
export function readFloat(cursor: Cursor): MedicalNumber {
  const mantissa = cursor.uint(3)
  const exponent = cursor.int(1)
  return specialOf(mantissa, 0x7f_fffe) ?? { mantissa: signed(mantissa, 0x100_0000), exponent }
}

/** The five mantissas around the largest that are no numbers, whatever the exponent. */
function specialOf(mantissa: number, first: number): MedicalNumber | undefined {
  const special = SPECIALS[mantissa - first]
  return special == null ? undefined : { special }
}

function signed(value: number, range: number): number {
  return value < range / 2 ? value : value - range
}

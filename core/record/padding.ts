/**
 * Padding that hides all but the magnitude of a length (docs/specs/sealing.md).
 *
 * @see Padmé: Nikitin et al., Reducing metadata leakage from encrypted files, PETS 2019, section 4
 */
import { SalusError } from '#core/error.ts'

/** The least padded length: single observations are all alike under it. */
export const PADDING_FLOOR = 2048

const LENGTH_BYTES = 4
const MAX_LENGTH = 0xffff_ffff

/** The Padmé length of `length` bytes, at least `floor`; at most 12 % above, and less the larger it is. */
export function paddedLength(length: number, floor: number = PADDING_FLOOR): number {
  if (length <= floor) return floor
  const exponent = Math.floor(Math.log2(length))
  const step = 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1)
  return Math.ceil(length / step) * step
}

/** Four bytes of length, the data, zeros up to the padded length of the whole. */
export function pad(data: Uint8Array, floor: number = PADDING_FLOOR): Uint8Array {
  if (data.length > MAX_LENGTH - LENGTH_BYTES) {
    throw new SalusError('PADDING_OVERSIZE', 'More than 4 GiB cannot be sealed as one entry; split it.')
  }
  const out = new Uint8Array(paddedLength(LENGTH_BYTES + data.length, floor))
  new DataView(out.buffer).setUint32(0, data.length)
  out.set(data, LENGTH_BYTES)
  return out
}

/**
 * The data inside padding; a view, not a copy.
 *
 * @throws SalusError `PADDING_MALFORMED` if the length does not fit, is not padded as `pad` would, or the rest is not zeros
 */
export function unpad(padded: Uint8Array, floor: number = PADDING_FLOOR): Uint8Array {
  const refused = new SalusError('PADDING_MALFORMED', 'Refused: the sealed content is not padded as it must be.')
  if (padded.length < LENGTH_BYTES) throw refused
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0)
  if (paddedLength(LENGTH_BYTES + length, floor) !== padded.length) throw refused
  for (let i = LENGTH_BYTES + length; i < padded.length; i++) if (padded[i] !== 0) throw refused
  return padded.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
}

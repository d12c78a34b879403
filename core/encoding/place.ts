import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { readBytes } from '#core/encoding/shape.ts'

/** Where a reader expects a value to belong; what is left out is not checked. */
export interface Place {
  /** Network id, 32 bytes. */
  readonly network?: Uint8Array
  /** Patient pseudonym, 32 bytes. */
  readonly patient?: Uint8Array
}

/**
 * Reads the fields `network` and `patient` of a map and refuses them where they are not the expected ones.
 *
 * @throws SalusError `<area>_SHAPE`, `<area>_NETWORK`, `<area>_PATIENT`
 */
export function readPlace(map: Record<string, unknown>, area: string, expected: Place): Required<Place> {
  const network = readBytes(map['network'], area, 'network', 32)
  const patient = readBytes(map['patient'], area, 'patient', 32)
  if (expected.network != null && !equalBytes(expected.network, network)) {
    throw new SalusError(`${area}_NETWORK`, 'Refused: this belongs to another network.')
  }
  if (expected.patient != null && !equalBytes(expected.patient, patient)) {
    throw new SalusError(`${area}_PATIENT`, 'Refused: this belongs to another patient.')
  }
  return { network, patient }
}

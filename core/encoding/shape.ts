/** Readers that turn a decoded value into named, typed, bounded fields, or refuse it with `<area>_SHAPE`. */
import { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'

/** Inclusive bounds of a length. */
export interface LengthBounds {
  readonly min: number
  readonly max: number
}

function refuse(area: string, field: string, wanted: string): never {
  throw new SalusError(`${area}_SHAPE`, `Refused: field "${field}" must be ${wanted}.`)
}

/**
 * A map with exactly the named fields; `optional` ones may be absent, unknown ones are refused.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readMap(
  value: unknown,
  area: string,
  fields: readonly string[],
  optional: readonly string[] = []
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new SalusError(`${area}_SHAPE`, 'Refused: expected a map.')
  }
  const map = value as Record<string, unknown>
  for (const field of fields) if (!Object.hasOwn(map, field)) refuse(area, field, 'present')
  for (const field of Object.keys(map)) {
    if (!fields.includes(field) && !optional.includes(field)) {
      throw new SalusError(`${area}_SHAPE`, 'Refused: the map has a field that this version does not know.')
    }
  }
  return map
}

/**
 * A byte string of a fixed or bounded length.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readBytes(value: unknown, area: string, field: string, length: number | LengthBounds): Uint8Array {
  const { min, max } = typeof length === 'number' ? { min: length, max: length } : length
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    refuse(area, field, min === max ? `${String(min)} bytes` : `${String(min)} to ${String(max)} bytes`)
  }
  return value
}

/**
 * A whole number from 0 to `max`.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readUint(value: unknown, area: string, field: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    refuse(area, field, `a whole number from 0 to ${String(max)}`)
  }
  return value
}

/**
 * A text of at most `maxLength` UTF-16 units.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readText(value: unknown, area: string, field: string, maxLength: number): string {
  if (typeof value !== 'string' || value.length > maxLength) {
    refuse(area, field, `a text of at most ${String(maxLength)} characters`)
  }
  return value
}

/**
 * A content identifier (dag-cbor link).
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readCid(value: unknown, area: string, field: string): CID {
  const cid = CID.asCID(value)
  if (cid == null) refuse(area, field, 'a content identifier')
  return cid
}

/**
 * A list of at most `maxItems`, each read by `read`.
 *
 * @throws SalusError `<area>_SHAPE`, or whatever `read` throws
 */
export function readList<T>(
  value: unknown,
  area: string,
  field: string,
  maxItems: number,
  read: (item: unknown) => T
): T[] {
  if (!Array.isArray(value) || value.length > maxItems)
    refuse(area, field, `a list of at most ${String(maxItems)} items`)
  return value.map((item: unknown) => read(item))
}

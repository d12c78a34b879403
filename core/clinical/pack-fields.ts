/** Readers of fields that several parts of a rule pack share. */
import { SalusError } from '#core/error.ts'
import { readText } from '#core/encoding/shape.ts'
import { isVitalCode, type VitalCode } from '#core/clinical/vital.ts'

/** Prefix of the codes of a rule pack. */
export const PACK_AREA = 'RULE_PACK'

/** Longest duration in a pack: 30 days. */
export const MAX_DURATION_MS: number = 30 * 24 * 3_600_000

const NAME = /^[a-z0-9][a-z0-9.-]{0,31}$/

/**
 * A name of at most 32 small letters, digits, dots and hyphens: it goes into alerts and logs.
 *
 * @throws SalusError `RULE_PACK_SHAPE`
 */
export function readName(value: unknown, field: string): string {
  const name = readText(value, PACK_AREA, field, 32)
  if (!NAME.test(name)) refuse(field, 'a name of small letters, digits, dots and hyphens')
  return name
}

/**
 * True or false.
 *
 * @throws SalusError `RULE_PACK_SHAPE`
 */
export function readFlag(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') refuse(field, 'true or false')
  return value
}

/**
 * The name of a vital sign.
 *
 * @throws SalusError `RULE_PACK_SHAPE`
 */
export function readVital(value: unknown): VitalCode {
  if (typeof value !== 'string' || !isVitalCode(value)) refuse('vital', 'a vital sign that this version knows')
  return value
}

/**
 * One of a list of values.
 *
 * @throws SalusError `<area>_SHAPE`, `RULE_PACK_SHAPE` if no area is named
 */
export function readChoice<T extends string | number | boolean>(
  value: unknown,
  field: string,
  of: readonly T[],
  area: string = PACK_AREA
): T {
  const found = of.find(each => each === value)
  if (found == null) refuse(field, 'one of the values that this version knows', area)
  return found
}

function refuse(field: string, wanted: string, area: string = PACK_AREA): never {
  throw new SalusError(`${area}_SHAPE`, `Refused: field "${field}" must be ${wanted}.`)
}

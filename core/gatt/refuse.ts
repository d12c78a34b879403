import { SalusError } from '#core/error.ts'

/** Why a characteristic's value is not read. */
export type GattProblem = 'TRUNCATED' | 'TRAILING' | 'TIME' | 'VALUE' | 'UNKNOWN' | 'SEGMENT'

const TEXTS: Readonly<Record<GattProblem, string>> = {
  TRUNCATED: 'it ends before the fields that its flags announce',
  TRAILING: 'it is longer than the fields that its flags announce',
  TIME: 'its time stamp is no time',
  VALUE: 'a field holds a value that is reserved or out of bounds',
  UNKNOWN: 'there is no decoder for this characteristic or kind of observation',
  SEGMENT: 'its segments do not follow each other'
}
const CODES: Readonly<Record<GattProblem, string>> = {
  TRUNCATED: 'GATT_TRUNCATED',
  TRAILING: 'GATT_TRAILING',
  TIME: 'GATT_TIME',
  VALUE: 'GATT_VALUE',
  UNKNOWN: 'GATT_UNKNOWN',
  SEGMENT: 'GATT_SEGMENT'
}

/**
 * Refuses a measurement.
 *
 * @throws SalusError `GATT_*`
 */
export function refuseGatt(problem: GattProblem): never {
  throw new SalusError(CODES[problem], `Refused the measurement: ${TEXTS[problem]}.`)
}

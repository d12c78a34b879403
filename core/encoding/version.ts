import { SalusError } from '#core/error.ts'

/**
 * Refuses a decoded map whose version is not 1, before its fields are looked at.
 *
 * @throws SalusError `<area>_VERSION`
 */
export function readVersion(value: unknown, area: string): void {
  const isMap = typeof value === 'object' && value !== null
  if (isMap && 'v' in value && value.v !== 1) {
    throw new SalusError(`${area}_VERSION`, 'Refused: this is of a version that this program does not know; update it.')
  }
}

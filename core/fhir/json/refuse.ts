import { SalusError } from '#core/error.ts'

/** Refuses JSON with a code; the message never repeats what it held. */
export function refuse(code: string, why: string): never {
  throw new SalusError(code, `Refused the JSON: ${why}.`)
}

import { isSalusError } from '#core/error.ts'

/** The code under which a failure stands on the health page: never a message, which could name a path. */
export function codeOf(error: unknown): string {
  return isSalusError(error) ? error.code : 'UNEXPECTED'
}

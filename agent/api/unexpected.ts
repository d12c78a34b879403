import { isSalusError, SalusError } from '#core/error.ts'

/**
 * What is told of an error that is not ours. Its message may quote what was decrypted or sent, as a parser's does: neither the log nor the
 * answer gets it, only where it happened.
 */
export function withoutMessage(
  error: unknown,
  log: { readonly error: (fields: object, text: string) => void }
): SalusError {
  if (isSalusError(error)) return error
  // A message of several lines could pass for places.
  const stack = error instanceof Error ? (error.stack ?? '').replace(error.message, () => '') : ''
  const at = stack.split('\n').filter(line => /^ {4}at /.test(line))
  log.error({ name: error instanceof Error ? error.name : typeof error, at }, 'a request failed')
  return new SalusError('HTTP_INTERNAL', 'The agent failed to answer; its log says where.')
}

/** Notices: what a patient and emergency crews say about a record besides its entries. They have an index of their own, since they are few. */
import { concat, utf8 } from '#core/encoding/bytes.ts'
import type { Message } from '#core/network/envelope.ts'

/** The bytes under which the log finds a patient’s notices. */
export function noticesKey(patient: Uint8Array): Uint8Array {
  return concat(patient, utf8('/notices'))
}

/** A notice, encoded; undefined for what is none. */
export function noticeOf(
  message: Message
): { readonly kind: 'erasure' | 'glass' | 'rotation'; readonly body: Uint8Array } | undefined {
  if (message.kind === 'erasure') return { kind: 'erasure', body: message.erasure }
  if (message.kind === 'rotation') return { kind: 'rotation', body: message.rotation }
  return message.kind === 'glass' ? { kind: 'glass', body: message.record } : undefined
}

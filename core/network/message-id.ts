/** Names of messages by which peers compare what they have (docs/specs/sync.md): the day first, so that what is new lies together. */
import { decodeErasure } from '#core/custody/erasure.ts'
import { decodeGlassRecord } from '#core/custody/break-glass.ts'
import { concat, fromHex } from '#core/encoding/bytes.ts'
import { decodeRotation } from '#core/grant/rotation.ts'
import { messageKey, type Message } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'

/** Bytes of an id. */
export const MESSAGE_ID_BYTES = 32

const DAY_BYTES = 2
const DAY_MS = 86_400_000

/**
 * The id of a message: two bytes of its day, then 30 of the digest in its key.
 *
 * @throws SalusError the codes of the signed part, where that cannot be read
 */
export function messageId(message: Message): Uint8Array {
  const day = Math.min(dayOf(message), 2 ** (8 * DAY_BYTES) - 1)
  const digest = fromHex(`0x${messageKey(message).split(':')[1] ?? ''}`, 32)
  return concat(Uint8Array.of(day >> 8, day & 255), digest.subarray(0, MESSAGE_ID_BYTES - DAY_BYTES))
}

/** The day that a message speaks of, in days since 1970; 0 for capsules, which name none. */
function dayOf(message: Message): number {
  switch (message.kind) {
    case 'entry':
      return decodeEntry(message.header).header.day
    case 'capsule':
      return 0
    case 'rotation':
      return decodeRotation(message.rotation).day
    case 'erasure':
      return decodeErasure(message.erasure).day
    case 'glass':
      return Math.floor(decodeGlassRecord(message.record).atMs / DAY_MS)
  }
}

/** One message of a scrub: whether the disk has changed it, and what becomes of it then (docs/specs/scrub.md). */
import { equalBytes } from '#core/encoding/bytes.ts'
import { isWornSum, sumOf } from '#node/store/message-sums.ts'

/** What a scrub may do about messages. */
export interface MessageCare {
  /** Judges a message by itself: `good` if everything in it is signed for and fits, `bad` if something does not. */
  judge(bytes: Uint8Array): 'good' | 'bad' | 'unknown'
  /** The message at a position as peers have it: the first copy that is right. */
  fetch(position: number, isRight: (bytes: Uint8Array) => boolean, signal: AbortSignal): Promise<Uint8Array | undefined>
  /** Writes it and its checksum anew in its place; false where it was erased meanwhile. */
  mend(position: number, bytes: Uint8Array): Promise<boolean>
}

/** A message as it is on the disk. */
export interface StoredMessage {
  readonly position: number
  readonly bytes: Uint8Array
  /** The checksum beside it; none from an older version. */
  readonly sum: Uint8Array | undefined
}

/** `sum`: only the checksum was damaged or missing, and is there again. `unchecked`: nothing says that it is damaged, nor that it is not. */
export type MessageState = 'whole' | 'sum' | 'unchecked' | 'damaged' | 'healed'

/** Checks a message and has it mended. Bytes are never taken away, and only replaced by another copy of the same message. */
export async function checkMessage(
  { position, bytes, sum }: StoredMessage,
  care: Partial<MessageCare>,
  signal: AbortSignal
): Promise<MessageState> {
  if (sum != null && equalBytes(sum, sumOf(bytes))) return 'whole'
  const write = async (copy: Uint8Array): Promise<boolean> => (await care.mend?.(position, copy)) ?? false
  const isGood = (copy: Uint8Array): boolean => care.judge?.(copy) === 'good'
  if ((sum != null && isWornSum(sum, bytes)) || isGood(bytes)) return (await write(bytes)) ? 'sum' : 'whole'

  const isDamaged = sum != null || care.judge?.(bytes) === 'bad'
  // A copy that differs counts where ours is damaged, and is the one that was written here or stands for itself.
  const isRight = (copy: Uint8Array): boolean =>
    equalBytes(copy, bytes) || (isDamaged && ((sum != null && equalBytes(sumOf(copy), sum)) || isGood(copy)))
  const copy = await care.fetch?.(position, isRight, signal)
  if (copy == null || !(await write(copy))) return isDamaged ? 'damaged' : 'unchecked'
  return equalBytes(copy, bytes) ? 'sum' : 'healed'
}

/** Joins the segments of a message that is longer than a notification: a first bit, a last bit, a counter of six bits. */
import { concat } from '#core/encoding/bytes.ts'
import { refuseGatt } from '#core/gatt/refuse.ts'

const FIRST = 1
const LAST = 2
const COUNTERS = 64

/** Most bytes of a joined message. */
export const MAX_JOINED_BYTES = 8192

/** What came so far; null between messages. */
export type JoinState = { readonly counter: number; readonly bytes: Uint8Array } | null

/** The state after a segment, and the message if that was its last. */
export interface Joined {
  readonly state: JoinState
  readonly message: Uint8Array | null
}

/**
 * Adds a segment. A first segment begins anew, whatever was missing before.
 *
 * @throws SalusError `GATT_SEGMENT` for a counter that does not follow or a message that grows too long, `GATT_TRUNCATED` if empty;
 * the caller then goes on from null
 */
export function joinSegment(state: JoinState, segment: Uint8Array): Joined {
  const [header] = segment
  if (header == null) refuseGatt('TRUNCATED')
  const counter = header >> 2
  const isFirst = (header & FIRST) !== 0
  if (!isFirst && (state == null || (state.counter + 1) % COUNTERS !== counter)) refuseGatt('SEGMENT')
  const before = isFirst || state == null ? new Uint8Array() : state.bytes
  const bytes = concat(before, segment.subarray(1))
  if (bytes.length > MAX_JOINED_BYTES) refuseGatt('SEGMENT')
  return (header & LAST) === 0 ? { state: { counter, bytes }, message: null } : { state: null, message: bytes }
}

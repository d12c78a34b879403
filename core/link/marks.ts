/**
 * The marks of a sensor's counters as they lie in its memory: two slots written in turn, so that a write that the power cut tore leaves
 * the other (docs/specs/sensor-link.md).
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { RESERVED } from '#core/link/reservation.ts'

const DIGEST_BYTES = 16
const NUMBERS = 3

/** Bytes of one slot. */
export const SLOT_BYTES: number = 8 * NUMBERS + DIGEST_BYTES

/** Numbers below these may be in use. */
export interface Marks {
  /** How often the marks were written; it tells the newer slot. */
  readonly writes: number
  /** Attempts at a handshake. */
  readonly attempts: number
  /** Messages. */
  readonly messages: number
}

/** Both slots of a sensor that has sent nothing yet. */
export function formatMarks(p: Pick<Primitives, 'sha256'>): [Uint8Array, Uint8Array] {
  const none = { attempts: 1, messages: 0 }
  return [encodeMarks(p, { ...none, writes: 0 }), encodeMarks(p, { ...none, writes: 1 })]
}

/** A slot's bytes. */
export function encodeMarks(p: Pick<Primitives, 'sha256'>, { writes, attempts, messages }: Marks): Uint8Array {
  const numbers = new Uint8Array(8 * NUMBERS)
  const view = new DataView(numbers.buffer)
  for (const [i, number] of [writes, attempts, messages].entries()) view.setBigUint64(8 * i, BigInt(number))
  return concat(numbers, p.sha256(numbers).slice(0, DIGEST_BYTES))
}

/** Which slot the marks of this many writes go to: 0 or 1. */
export function slotOf({ writes }: Marks): number {
  return writes % 2
}

/**
 * The marks to go on from. If one slot is damaged, it may have been the newer one and have rotted in use: counting goes on above what it
 * can have said.
 *
 * @throws SalusError `LINK_MARKS_LOST` if neither slot is whole: the numbers in use are not known
 */
export function newestMarks(p: Pick<Primitives, 'sha256'>, slots: readonly [Uint8Array, Uint8Array]): Marks {
  const whole = slots.flatMap(slot => decodeSlot(p, slot) ?? []).sort((a, b) => b.writes - a.writes)
  const [newest] = whole
  if (newest == null) {
    throw new SalusError(
      'LINK_MARKS_LOST',
      'The sensor’s counters are damaged; provision it anew, for old numbers must not come again.'
    )
  }
  if (whole.length === slots.length) return newest
  const { writes, attempts, messages } = newest
  return { writes, attempts: attempts + RESERVED, messages: messages + RESERVED }
}

function decodeSlot(p: Pick<Primitives, 'sha256'>, slot: Uint8Array): Marks | undefined {
  if (slot.length !== SLOT_BYTES) return undefined
  const numbers = slot.slice(0, 8 * NUMBERS)
  if (!equalBytes(p.sha256(numbers).slice(0, DIGEST_BYTES), slot.subarray(8 * NUMBERS))) return undefined
  const view = new DataView(numbers.buffer)
  const [writes = 0, attempts = 0, messages = 0] = [0, 8, 16].map(at => Number(view.getBigUint64(at)))
  return { writes, attempts, messages }
}

/** A sensor's counters in a file: two slots, written in turn (core/link/marks.ts). */
import { open } from 'node:fs/promises'
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat } from '#core/encoding/bytes.ts'
import { encodeMarks, formatMarks, newestMarks, SLOT_BYTES, slotOf, type Marks } from '#core/link/marks.ts'
import { markToWrite, noteMark, reservationFrom, takeNumber, type Reservation } from '#core/link/reservation.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

/** Counters of which no number is given out twice. */
export interface Counters {
  /** The next attempt at a handshake; on the disk before it resolves. */
  nextAttempt(): Promise<number>
  /** The next message; on the disk before it resolves. */
  nextMessage(): Promise<number>
  close(): Promise<void>
}

/**
 * Opens the counters of a sensor, new if there is no file.
 *
 * @throws SalusError `LINK_MARKS_LOST`
 */
export async function openCounters(p: Pick<Primitives, 'sha256'>, path: string): Promise<Counters> {
  let content = await readIfThere(path)
  if (content == null) {
    content = concat(...formatMarks(p))
    await writeDurably(path, content)
  }
  let marks = newestMarks(p, [content.slice(0, SLOT_BYTES), content.slice(SLOT_BYTES)])
  const attempts = reservationFrom(marks.attempts)
  const messages = reservationFrom(marks.messages)
  const file = await open(path, 'r+')
  let last: Promise<unknown> = Promise.resolve()

  async function write(change: Partial<Marks>): Promise<void> {
    const next = { ...marks, ...change, writes: marks.writes + 1 }
    await file.write(encodeMarks(p, next), 0, SLOT_BYTES, slotOf(next) * SLOT_BYTES)
    await file.datasync()
    marks = next
  }

  async function take(reservation: Reservation, name: 'attempts' | 'messages'): Promise<number> {
    const mark = markToWrite(reservation)
    if (mark != null) {
      await write({ [name]: mark })
      noteMark(reservation, mark)
    }
    const number = takeNumber(reservation)
    if (number == null) throw new Error('The mark was written and leaves no number.')
    return number
  }

  /** One at a time: both counters lie in one slot. */
  async function inTurn(reservation: Reservation, name: 'attempts' | 'messages'): Promise<number> {
    const taking = last.then(async () => take(reservation, name))
    last = taking.catch(() => undefined)
    return taking
  }

  return {
    nextAttempt: async () => inTurn(attempts, 'attempts'),
    nextMessage: async () => inTurn(messages, 'messages'),
    async close() {
      await last
      await file.close()
    }
  }
}

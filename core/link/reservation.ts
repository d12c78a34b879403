/**
 * Numbers that are never given out twice, whatever becomes of the power (docs/specs/sensor-link.md). A mark on the disk stands above
 * every number in use; after a restart, counting goes on from the mark.
 */

/** Numbers that one write of the mark covers. */
export const RESERVED = 1024

/** Numbers by name, each counting by itself; it changes in place. */
export interface Reservation {
  /** The next number. */
  next: number
  /** On the disk: numbers below may be given out. */
  mark: number
}

/** What is counted from, after a start: the mark found on the disk, 0 at first. */
export function reservationFrom(mark: number): Reservation {
  return { next: mark, mark }
}

/** The mark to write before a number can be taken; `undefined` if none need be written. */
export function markToWrite({ next, mark }: Reservation): number | undefined {
  return next < mark ? undefined : mark + RESERVED
}

/** Notes that a mark is on the disk. */
export function noteMark(reservation: Reservation, mark: number): void {
  reservation.mark = Math.max(reservation.mark, mark)
}

/** Takes a number; `undefined` if the mark has to be written first. */
export function takeNumber(reservation: Reservation): number | undefined {
  return reservation.next < reservation.mark ? reservation.next++ : undefined
}

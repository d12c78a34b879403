/** A window over sequence numbers, so that nothing is taken twice (RFC 4303 section 3.4.3, RFC 6479). */

/** Numbers behind the highest that may still come, in any order. */
export const WINDOW_SIZE = 64

/** Which numbers were seen: bit i of the 64-bit mask stands for `highest` - i. It changes in place. */
export interface ReplayWindow {
  highest: number
  /** Bits 0 to 31 of the mask. */
  near: number
  /** Bits 32 to 63. */
  far: number
}

/** A window in which nothing was seen. */
export function createWindow(): ReplayWindow {
  return { highest: -1, near: 0, far: 0 }
}

/** Whether a number may be taken: `seen` before, `stale` if it is too far behind to know. */
export function lookUp({ highest, near, far }: ReplayWindow, sequence: number): 'fresh' | 'seen' | 'stale' {
  const behind = highest - sequence
  if (behind < 0) return 'fresh'
  if (behind >= WINDOW_SIZE) return 'stale'
  const bit = behind < 32 ? near & (1 << behind) : far & (1 << (behind - 32))
  return bit === 0 ? 'fresh' : 'seen'
}

/** Notes a number that {@link lookUp} called fresh, and that was authenticated since. */
export function markSeen(window: ReplayWindow, sequence: number): void {
  const ahead = sequence - window.highest
  if (ahead > 0) {
    shift(window, ahead)
    window.highest = sequence
  }
  const behind = window.highest - sequence
  if (behind < 32) window.near |= 1 << behind
  else window.far |= 1 << (behind - 32)
}

/** Takes a note back: what was seen could not be used, and may come again. */
export function unmarkSeen(window: ReplayWindow, sequence: number): void {
  const behind = window.highest - sequence
  if (behind < 32) window.near &= ~(1 << behind)
  else if (behind < WINDOW_SIZE) window.far &= ~(1 << (behind - 32))
}

function shift(window: ReplayWindow, by: number): void {
  const { near, far } = window
  if (by >= WINDOW_SIZE) {
    window.near = window.far = 0
  } else if (by >= 32) {
    window.far = near << (by - 32)
    window.near = 0
  } else {
    window.far = (far << by) | (near >>> (32 - by))
    window.near = near << by
  }
}

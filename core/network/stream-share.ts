/** Who gives up a stream where there are as many as may be: places are shared among peers, not taken by those who came first. */

/** A stream that is open. */
export interface OpenStream {
  readonly peer: string
  /** When something was last asked for or sent on it, ms. */
  readonly activeMs: number
}

/** A stream on which nothing happened for so long may go for one of a peer that has as many, ms. */
const IDLE_MS = 2_000

/**
 * The stream that makes place for one more of a peer: the longest idle one of the peer with the most, where that has at least two more than
 * the newcomer; else the longest idle one of all, where nothing happens on it.
 *
 * @returns its place in `open`; -1 where none has to go, so that the newcomer is turned away
 */
export function streamToEnd(open: readonly OpenStream[], newcomer: string, nowMs: number): number {
  const counts = new Map<string, number>()
  for (const { peer } of open) counts.set(peer, (counts.get(peer) ?? 0) + 1)
  const most = Math.max(0, ...counts.values())
  const isGreedy = most >= (counts.get(newcomer) ?? 0) + 2
  const may = ({ peer, activeMs }: OpenStream): boolean =>
    isGreedy ? counts.get(peer) === most : peer !== newcomer && nowMs - activeMs >= IDLE_MS
  let chosen = -1
  for (const [i, stream] of open.entries()) {
    if (may(stream) && (chosen < 0 || stream.activeMs < (open[chosen]?.activeMs ?? 0))) chosen = i
  }
  return chosen
}

/** Several recordings as if they had been made at the same time: arrivals of all in the order of their clocks. */
import type { Arrival, ReadingSource } from '#gateway/ports.ts'

/** Merges sources by the time of their devices; each goes on at its own place. */
export async function* inOrder(
  sources: readonly ReadingSource[],
  placeOf: (source: string) => number,
  signal: AbortSignal
): AsyncGenerator<Arrival, void, undefined> {
  const running = sources.map(source => source.arrivals(placeOf(source.name), signal)[Symbol.asyncIterator]())
  const heads: (Arrival | undefined)[] = []
  try {
    for (const [i, each] of running.entries()) heads[i] = await headOf(each)
    for (;;) {
      let first = -1
      for (const [i, head] of heads.entries()) {
        if (head != null && head.deviceTimeMs < (heads[first]?.deviceTimeMs ?? Infinity)) first = i
      }
      const arrival = heads[first]
      const from = running[first]
      if (arrival == null || from == null) return
      yield arrival
      heads[first] = await headOf(from)
    }
  } finally {
    for (const each of running) await each.return?.()
  }
}

async function headOf(from: AsyncIterator<Arrival>): Promise<Arrival | undefined> {
  const { value, done } = await from.next()
  return done === true ? undefined : (value as Arrival)
}

/** The most keys of one chunk; a fuller one is cut in two. */
const MAX_CHUNK = 512

/** Texts in order, each once. One change costs no more than a chunk, whatever their number: pages are shown between changes. */
export interface OrderedKeys {
  readonly size: number
  add(key: string): void
  remove(key: string): void
  /** Up to `limit` keys that come behind a text, or from the first on. */
  page(limit: number, behind?: string): string[]
}

/** No keys. */
export function createOrderedKeys(): OrderedKeys {
  /** None empty, each in order, and all in order among themselves. */
  const chunks: string[][] = []
  let size = 0

  /** The chunk that a key lies in or belongs into, and its place there. */
  const placeOf = (key: string): { readonly at: number; readonly within: number } => {
    const at = Math.min(
      chunks.length - 1,
      firstThat(chunks.length, i => (chunks[i]?.at(-1) ?? '') >= key)
    )
    const chunk = chunks[at] ?? []
    return { at, within: firstThat(chunk.length, i => (chunk[i] ?? '') >= key) }
  }

  return {
    get size() {
      return size
    },
    add(key) {
      if (chunks.length === 0) chunks.push([])
      const { at, within } = placeOf(key)
      const chunk = chunks[at] ?? []
      if (chunk[within] === key) return
      chunk.splice(within, 0, key)
      size++
      if (chunk.length > MAX_CHUNK) chunks.splice(at + 1, 0, chunk.splice(MAX_CHUNK >> 1))
    },
    remove(key) {
      const { at, within } = placeOf(key)
      const chunk = chunks[at]
      if (chunk?.[within] !== key) return
      chunk.splice(within, 1)
      size--
      if (chunk.length === 0) chunks.splice(at, 1)
    },
    page(limit, behind) {
      const found: string[] = []
      // The first text that could come behind another is that one with the least character added.
      const first = behind == null ? { at: 0, within: 0 } : placeOf(`${behind}\0`)
      let { within } = first
      for (let at = Math.max(0, first.at); at < chunks.length && found.length < limit; at++) {
        for (const key of chunks[at]?.slice(within, within + limit - found.length) ?? []) found.push(key)
        within = 0
      }
      return found
    }
  }
}

/** The first number below `count` for which something holds that holds for all after it, by bisection; else `count`. */
export function firstThat(count: number, holds: (i: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

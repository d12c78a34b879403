import type { ReceivedEntry } from '#core/agent/author.ts'
import type { Clock } from '#core/crypto/primitives.ts'

const KEEP_MS = 60_000
const MAX_ENTRIES = 128
const MAX_BYTES = 64 * 1024

/** Entries as they are sealed, by name of the header, for a minute: nodes count the questions that they are asked. */
export interface Recent {
  get(name: string): ReceivedEntry | undefined
  put(name: string, entry: ReceivedEntry): void
}

/** Keeps the newest small ones. */
export function createRecent(clock: Clock): Recent {
  const entries = new Map<string, { readonly entry: ReceivedEntry; readonly atMs: number }>()
  return {
    get(name) {
      const found = entries.get(name)
      return found != null && clock() - found.atMs < KEEP_MS ? found.entry : undefined
    },
    put(name, entry) {
      if (entry.blob.length > MAX_BYTES) return
      entries.delete(name)
      entries.set(name, { entry, atMs: clock() })
      const [oldest] = entries.keys()
      if (entries.size > MAX_ENTRIES && oldest != null) entries.delete(oldest)
    }
  }
}

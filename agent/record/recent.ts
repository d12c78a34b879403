import type { ReceivedEntry } from '#core/agent/author.ts'
import type { Clock } from '#core/crypto/primitives.ts'

const KEEP_MS = 60_000
const MAX_BYTES = 32 << 20
/** Larger ones are not kept. */
const MAX_ENTRY_BYTES = 4 << 20
/** What an entry takes besides its blob. */
const ENTRY_BYTES = 1024

/** Entries as they are sealed, by name of the header, for a minute: nodes count the questions that they are asked. */
export interface Recent {
  get(name: string): ReceivedEntry | undefined
  put(name: string, entry: ReceivedEntry): void
}

/** Keeps the newest. */
export function createRecent(clock: Clock): Recent {
  const entries = new Map<string, { readonly entry: ReceivedEntry; readonly atMs: number }>()
  let bytes = 0
  const sizeOf = ({ blob }: ReceivedEntry): number => blob.length + ENTRY_BYTES

  function drop(name: string): void {
    const found = entries.get(name)
    if (found != null) bytes -= sizeOf(found.entry)
    entries.delete(name)
  }

  return {
    get(name) {
      const found = entries.get(name)
      return found != null && clock() - found.atMs < KEEP_MS ? found.entry : undefined
    },
    put(name, entry) {
      if (entry.blob.length > MAX_ENTRY_BYTES) return
      drop(name)
      entries.set(name, { entry, atMs: clock() })
      bytes += sizeOf(entry)
      for (const oldest of entries.keys()) {
        if (bytes <= MAX_BYTES) break
        drop(oldest)
      }
    }
  }
}

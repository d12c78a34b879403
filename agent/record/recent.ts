import type { Clock } from '#core/crypto/primitives.ts'
import type { StoredEntry } from '#node/http/client.ts'

const KEEP_MS = 60_000
const MAX_BYTES = 32 << 20
/** Larger blobs are not kept. */
const MAX_BLOB_BYTES = 4 << 20
/** What an entry takes besides its blob. */
const ENTRY_BYTES = 1024

/** Entries as a node gave them, by name of the header, for a minute: nodes count the questions that they are asked. */
export interface Recent {
  get(name: string): StoredEntry | undefined
  put(name: string, entry: StoredEntry): void
}

/** Keeps the newest. */
export function createRecent(clock: Clock): Recent {
  const entries = new Map<string, { readonly entry: StoredEntry; readonly atMs: number }>()
  let bytes = 0
  const sizeOf = ({ blob }: StoredEntry): number => ENTRY_BYTES + (blob?.length ?? 0)

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
    put(name, given) {
      const entry = (given.blob?.length ?? 0) > MAX_BLOB_BYTES ? { ...given, blob: null } : given
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

/** What the monitor remembers, beside the journal: with each batch a snapshot, from which it goes on after a restart. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import { realDisk, type GatewayDisk } from '#gateway/disk.ts'

const NAME = 'monitor'
const DIGEST_BYTES = 32

/** The monitor's memory on the disk. */
export interface MonitorMemory {
  /** The last snapshot; undefined where there is none, or none that is whole: alarms then begin anew. */
  read(): Promise<Uint8Array | undefined>
  /** Writes a snapshot when the one before is written; one that is overtaken meanwhile is not written. */
  keep(snapshot: Uint8Array): void
  /** Waits for what is being written. */
  flush(): Promise<void>
}

/** Makes it over a data directory. A snapshot that cannot be written is left: what must not be lost is in the journal. */
export function createMonitorMemory(directory: string, disk: GatewayDisk = realDisk): MonitorMemory {
  const path = join(directory, NAME)
  let next: Uint8Array | undefined
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    while (next != null) {
      const snapshot = next
      next = undefined
      await disk.writeDurably(path, concat(digestOf(snapshot), snapshot)).catch(() => undefined)
    }
    writing = undefined
  }

  return {
    async read() {
      const bytes = await disk.readIfThere(path)
      if (bytes == null) return undefined
      const snapshot = bytes.slice(DIGEST_BYTES)
      return equalBytes(digestOf(snapshot), bytes.subarray(0, DIGEST_BYTES)) ? snapshot : undefined
    },
    keep(snapshot) {
      if (snapshot.length === 0) return
      next = snapshot
      writing ??= write()
    },
    flush: async () => writing
  }
}

function digestOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

/** Messages that may become valid when the chain has been followed further: bounded, on the disk, in order of arrival. */
import { openTable, type Database } from '#node/store/database.ts'

/** A message that waits. */
export interface PendingMessage {
  readonly key: string
  readonly bytes: Uint8Array
}

/** The waiting messages. */
export interface Pending {
  /** False where there is no room. */
  add(key: string, bytes: Uint8Array, nowS: number): Promise<boolean>
  remove(key: string): Promise<void>
  /** All of them; those that have waited longer than ten minutes of the chain's time are dropped. */
  due(nowS: number): Promise<PendingMessage[]>
}

/** Bounds of the queue. */
export interface PendingInit {
  /** 1,024 unless told. */
  readonly maxMessages?: number
  /** 16 MiB unless told. */
  readonly maxBytes?: number
}

const MAX_WAIT_S = 600

/** Opens the queue. */
export async function openPending(
  db: Database,
  { maxMessages = 1_024, maxBytes = 16 << 20 }: PendingInit = {}
): Promise<Pending> {
  const table = openTable(db, 'pending')
  await table.open()
  /** Size and time of arrival; times of an earlier run count from the first look. */
  const held = new Map<string, { sizeBytes: number; sinceS: number | undefined }>()
  let totalBytes = 0
  for await (const [key, bytes] of table.iterator()) {
    held.set(key, { sizeBytes: bytes.length, sinceS: undefined })
    totalBytes += bytes.length
  }

  async function remove(key: string): Promise<void> {
    const entry = held.get(key)
    if (entry == null) return
    held.delete(key)
    totalBytes -= entry.sizeBytes
    await table.del(key)
  }

  return {
    remove,
    async add(key, bytes, nowS) {
      if (held.has(key)) return true
      if (held.size >= maxMessages || totalBytes + bytes.length > maxBytes) return false
      held.set(key, { sizeBytes: bytes.length, sinceS: nowS })
      totalBytes += bytes.length
      await table.put(key, bytes)
      return true
    },
    async due(nowS) {
      const messages: PendingMessage[] = []
      for (const [key, { sizeBytes, sinceS }] of held) {
        held.set(key, { sizeBytes, sinceS: sinceS ?? nowS })
        const bytes = await table.get(key)
        if (bytes == null || nowS - (sinceS ?? nowS) > MAX_WAIT_S) await remove(key)
        else messages.push({ key, bytes })
      }
      return messages
    }
  }
}

/** Messages that may become valid when the chain has been followed further: bounded, on the disk, each with what it waits for. */
import type { ChainView } from '#core/chain/view.ts'
import { stateOf, type Awaited } from '#node/assembly/awaited.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** A message that waits. */
export interface PendingMessage {
  readonly key: string
  readonly bytes: Uint8Array
}

/** What it waits for, and what the chain said of it when it was judged. */
export interface Wait {
  readonly awaited: Awaited
  readonly seen: string
}

/** The waiting messages. */
export interface Pending {
  /**
   * False where there is no room, or the wait would be too long.
   *
   * @param key - another one for other bytes
   * @param from - id of the peer it came from, which has a share of the queue
   */
  add(key: string, bytes: Uint8Array, from: string, wait: Wait, nowS: number): Promise<boolean>
  /** It was judged again, and waits on. */
  again(key: string, wait: Wait): void
  remove(key: string): Promise<void>
  /** Those for which what they wait for has changed; whatever has waited longer than ten minutes of the chain's time is dropped. */
  due(chain: ChainView): Promise<PendingMessage[]>
}

/** Bounds of the queue. */
export interface PendingInit {
  /** 1,024 unless told. */
  readonly maxMessages?: number
  /** 16 MiB unless told. */
  readonly maxBytes?: number
  /** Messages of one peer, 64 unless told. */
  readonly maxPeerMessages?: number
}

interface Held {
  readonly sizeBytes: number
  /** Time of arrival; those of an earlier run count from the first look. */
  readonly sinceS: number | undefined
  readonly from: string
  /** Unknown after a restart: judged once. */
  readonly wait: Wait | undefined
}

const MAX_WAIT_S = 600

/** Opens the queue. */
export async function openPending(
  db: Database,
  { maxMessages = 1_024, maxBytes = 16 << 20, maxPeerMessages = 64 }: PendingInit = {}
): Promise<Pending> {
  const table = openTable(db, 'pending')
  await table.open()
  const held = new Map<string, Held>()
  /** Messages of each peer. */
  const shares = new Map<string, number>()
  let totalBytes = 0
  for await (const [key, bytes] of table.iterator()) {
    hold(key, { sizeBytes: bytes.length, sinceS: undefined, from: '', wait: undefined })
  }

  function hold(key: string, message: Held): void {
    held.set(key, message)
    totalBytes += message.sizeBytes
    shares.set(message.from, (shares.get(message.from) ?? 0) + 1)
  }

  async function remove(key: string): Promise<void> {
    const message = held.get(key)
    if (message == null) return
    held.delete(key)
    totalBytes -= message.sizeBytes
    const left = (shares.get(message.from) ?? 0) - 1
    if (left > 0) shares.set(message.from, left)
    else shares.delete(message.from)
    await table.del(key)
  }

  return {
    remove,
    async add(key, bytes, from, wait, nowS) {
      if (held.has(key)) return true
      const { awaited } = wait
      if (awaited.kind === 'time' && awaited.atS > nowS + MAX_WAIT_S) return false
      if (held.size >= maxMessages || totalBytes + bytes.length > maxBytes) return false
      if ((shares.get(from) ?? 0) >= maxPeerMessages) return false
      hold(key, { sizeBytes: bytes.length, sinceS: nowS, from, wait })
      await table.put(key, bytes)
      return true
    },
    again(key, wait) {
      const message = held.get(key)
      if (message != null) held.set(key, { ...message, wait })
    },
    async due(chain) {
      const messages: PendingMessage[] = []
      for (const [key, message] of Array.from(held)) {
        const { wait, sinceS = chain.blockTimeS } = message
        if (message.sinceS == null) held.set(key, { ...message, sinceS })
        if (chain.blockTimeS - sinceS > MAX_WAIT_S) {
          await remove(key)
        } else if (wait == null || stateOf(wait.awaited, chain) !== wait.seen) {
          const bytes = await table.get(key)
          if (bytes == null) await remove(key)
          else messages.push({ key, bytes })
        }
      }
      return messages
    }
  }
}

/** Has bitswap answer a peer's wants some at a time: it reads all that are here into one message before it sends the first of them. */
import type { Helia } from 'helia'
import type { PeerId } from '@libp2p/interface'

/** One want of a bitswap message. */
interface Want {
  readonly cid: Uint8Array
  readonly cancel?: boolean
}

/** A bitswap message, as far as it is looked at here. */
export interface WantMessage {
  readonly wantlist?: { readonly entries: readonly Want[]; readonly full?: boolean }
}

/** What bitswap keeps of the wants of its peers: a part of `PeerWantLists` of `@helia/bitswap`, which does not export it. */
export interface PeerWants {
  receiveMessage(peer: PeerId, message: WantMessage): void
  readonly ledgerMap: { get(peer: PeerId): { readonly sendQueue: { onIdle(): Promise<void> } } | undefined }
}

/** Bounds. */
export interface SlicesInit {
  /** Wants that are answered together, 64 unless told: so many blocks are read into memory for one peer. */
  readonly atOnce?: number
  /** Wants of one peer that wait their turn, 4,096 unless told; what is more is passed over, and asked for again by whoever still wants it. */
  readonly maxWaiting?: number
}

/** Slices the want lists of the bitswap that a Helia is given from now on. */
export function sliceWantsOf(helia: Helia, init: SlicesInit = {}): void {
  const add = helia.addBlockBroker.bind(helia)
  helia.addBlockBroker = broker => {
    const { bitswap } = broker as unknown as { readonly bitswap?: { readonly peerWantLists: PeerWants } }
    if (bitswap != null) sliceWants(bitswap.peerWantLists, init)
    add(broker)
  }
}

/** Has want lists reach bitswap in slices, the next one when what was wanted before is sent. */
export function sliceWants(wants: PeerWants, { atOnce = 64, maxWaiting = 4_096 }: SlicesInit = {}): void {
  const receive = wants.receiveMessage.bind(wants)
  const waiting = new Map<string, Want[]>()

  async function goOn(peer: PeerId, key: string): Promise<void> {
    for (;;) {
      await wants.ledgerMap.get(peer)?.sendQueue.onIdle()
      const queue = waiting.get(key) ?? []
      // A peer that left wants nothing more.
      if (queue.length === 0 || wants.ledgerMap.get(peer) == null) break
      receive(peer, messageOf(queue.splice(0, atOnce)))
    }
    waiting.delete(key)
  }

  wants.receiveMessage = (peer, message) => {
    const { entries = [], full = false } = message.wantlist ?? {}
    const key = peer.toString()
    const before = full ? [] : (waiting.get(key) ?? [])
    const cancelled = new Set(entries.filter(({ cancel }) => cancel === true).map(nameOf))
    const left = before.filter(want => !cancelled.has(nameOf(want)))
    const wanted = entries.filter(({ cancel }) => cancel !== true)
    // Behind what waits; what is taken back is taken back at once.
    const now = left.length === 0 && !waiting.has(key) ? wanted.splice(0, atOnce) : []
    const later = [...left, ...wanted].slice(0, maxWaiting)
    const isGoingOn = waiting.has(key)
    if (isGoingOn || later.length > 0) waiting.set(key, later)
    receive(peer, {
      ...message,
      wantlist: { full, entries: [...entries.filter(({ cancel }) => cancel === true), ...now] }
    })
    if (later.length > 0 && !isGoingOn) goOn(peer, key).catch(() => waiting.delete(key))
  }
}

function messageOf(entries: readonly Want[]): WantMessage {
  // As it is decoded: everything is there.
  return { ...EMPTY, wantlist: { entries, full: false } }
}

const EMPTY = { blocks: [], blockPresences: [], pendingBytes: 0 }

function nameOf({ cid }: Want): string {
  return Buffer.from(cid).toString('base64')
}

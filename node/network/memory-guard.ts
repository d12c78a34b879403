/** Closes connections of peers that make a node hold too much for them: data that nobody reads, or answers that the peer does not take. */
import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Log } from '#node/log.ts'
import { PENALTY, type Bans } from '#node/network/bans.ts'

/** What waits in the streams of a peer, bytes. */
interface HeldBytes {
  /** Came and was not read. */
  readonly unread: number
  /** Is to be sent and was not taken. */
  readonly unsent: number
}

/** What the guard needs. */
export interface MemoryGuardComponents {
  readonly libp2p: Pick<Libp2p, 'getPeers' | 'getConnections'>
  readonly bans: Pick<Bans, 'penalise'>
  readonly log: Log
}

/** What the guard is told. */
export interface MemoryGuardInit {
  /** Most bytes held for one peer. */
  readonly maxHeldBytes: number
  /** Time between two looks, a second unless told. */
  readonly intervalMs?: number
}

/** A running guard. */
export interface MemoryGuard {
  start(): void
  stop(): void
}

/** A guard over all peers of a host. */
export function createMemoryGuard(
  { libp2p, bans, log }: MemoryGuardComponents,
  { maxHeldBytes, intervalMs = 1_000 }: MemoryGuardInit
): MemoryGuard {
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    for (const peer of libp2p.getPeers()) {
      const { unread, unsent } = heldBytes(libp2p, peer)
      if (unread > maxHeldBytes) bans.penalise(peer.toString(), PENALTY.flood, 'PEER_MEMORY')
      else if (unread + unsent > maxHeldBytes) endUnsent(peer)
    }
  }

  /** A peer on a slow link that wants much does nothing wrong: what it does not take is given up, and it may ask again. */
  function endUnsent(peer: PeerId): void {
    log.debug({ peer: peer.toString() }, 'a peer takes too little of what it asked for')
    for (const stream of streamsOf(libp2p, peer)) {
      if (stream.writeBufferLength > 0) stream.abort(new Error('too much is not taken'))
    }
  }

  return {
    start() {
      timer = setInterval(look, intervalMs)
    },
    stop() {
      clearInterval(timer)
    }
  }
}

function heldBytes(libp2p: Pick<Libp2p, 'getConnections'>, peer: PeerId): HeldBytes {
  let [unread, unsent] = [0, 0]
  for (const { readBufferLength, writeBufferLength } of streamsOf(libp2p, peer)) {
    unread += readBufferLength
    unsent += writeBufferLength
  }
  return { unread, unsent }
}

function streamsOf(libp2p: Pick<Libp2p, 'getConnections'>, peer: PeerId): Stream[] {
  return libp2p.getConnections(peer).flatMap(({ streams }) => streams)
}

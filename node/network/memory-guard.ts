/** Closes connections of peers that make a node hold too much for them: data that nobody reads, or answers that the peer does not take. */
import type { Libp2p, PeerId } from '@libp2p/interface'
import { PENALTY, type Bans } from '#node/network/bans.ts'

/** What the guard needs. */
export interface MemoryGuardComponents {
  readonly libp2p: Pick<Libp2p, 'getPeers' | 'getConnections'>
  readonly bans: Bans
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
  { libp2p, bans }: MemoryGuardComponents,
  { maxHeldBytes, intervalMs = 1_000 }: MemoryGuardInit
): MemoryGuard {
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    for (const peer of libp2p.getPeers()) {
      if (heldBytes(libp2p, peer) > maxHeldBytes) bans.penalise(peer.toString(), PENALTY.flood, 'PEER_MEMORY')
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

/** Bytes that wait in the streams of a peer, in both directions. */
function heldBytes(libp2p: Pick<Libp2p, 'getConnections'>, peer: PeerId): number {
  let bytes = 0
  for (const { streams } of libp2p.getConnections(peer)) {
    for (const { readBufferLength, writeBufferLength } of streams) bytes += readBufferLength + writeBufferLength
  }
  return bytes
}

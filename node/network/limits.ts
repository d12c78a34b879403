import type { Rate } from '#node/network/rate-limiter.ts'

/** Bounds on what peers may take of a node. */
export interface HostLimits {
  /** Connections with all peers. */
  readonly maxConnections: number
  /** Connections with one peer; it needs one, and a second while both sides dial. */
  readonly maxConnectionsPerPeer: number
  /** New connections per second from one address. */
  readonly connectionsPerSecond: number
  /** Connections that are still being set up. */
  readonly maxPendingConnections: number
  /** Time for setting up a connection that a peer opened, ms. */
  readonly setUpMs: number
  /** Streams that a peer may have open on one connection. */
  readonly maxStreamsPerConnection: number
  /** Bytes of one peer that were received and not read, or are to be sent and not taken; above them its connections are closed. */
  readonly maxHeldBytesPerPeer: number
  /** Gossip frames and messages of one peer. */
  readonly gossipMessages: Rate
  /** Gossip bytes of one peer. */
  readonly gossipBytes: Rate
  /** Gossip messages of one peer that are known or not wanted; an honest one sends few, since gossip brings each message once. */
  readonly gossipUseless: Rate
}

/** Limits of a node that is told nothing else. */
export const DEFAULT_LIMITS: HostLimits = {
  maxConnections: 300,
  maxConnectionsPerPeer: 4,
  // One hospital, or one machine with a demo on it, is one address: libp2p's 5 turns honest peers away.
  connectionsPerSecond: 50,
  maxPendingConnections: 100,
  setUpMs: 10_000,
  maxStreamsPerConnection: 256,
  // One stream may hold 64 MiB (node/network/host.ts says why); a second one as much.
  maxHeldBytesPerPeer: 128 << 20,
  gossipMessages: { perSecond: 1000, burst: 5000 },
  gossipBytes: { perSecond: 8 << 20, burst: 64 << 20 },
  gossipUseless: { perSecond: 100, burst: 5000 }
}

/** The libp2p host and Helia, assembled from their light parts so that nothing is contacted that was not configured. */
import { noise } from '@chainsafe/libp2p-noise'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight, type HeliaWithLibp2p } from '@helia/libp2p'
import { unixfs, type UnixFS } from '@helia/unixfs'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify, type Identify } from '@libp2p/identify'
import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { ping, type Ping } from '@libp2p/ping'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createHeliaLight, type HeliaInit } from 'helia'
import { announceThrough, type Announce } from '#node/network/announce.ts'
import { createGater, isAdmitted, type AdmissionInit } from '#node/network/admission.ts'
import type { Bans } from '#node/network/bans.ts'
import { guardedGossipsub } from '#node/network/gossip-guard.ts'
import { gossipOptions } from '#node/network/gossip-options.ts'
import { DEFAULT_LIMITS, type HostLimits } from '#node/network/limits.ts'
import type { Members } from '#node/network/members.ts'
import { createMemoryGuard, type MemoryGuard } from '#node/network/memory-guard.ts'
import { createPrivateProtector } from '#node/network/private-protector.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { createSupervisor, parseAddress, type Supervisor } from '#node/network/supervisor.ts'
import { sliceWantsOf } from '#node/network/want-slices.ts'
import { relayServicesOf, transportsOf, type RelayMode } from '#node/network/transports.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { Log } from '#node/log.ts'

/** The libp2p services of a host. */
// A type alias, not an interface: libp2p wants an index signature, which interfaces do not have.
export type HostServices = { identify: Identify; ping: Ping; pubsub: GossipSub }

/** What a host needs; the stores are opened before and closed after it. */
export interface HostComponents {
  readonly blockstore: NonNullable<HeliaInit['blockstore']>
  readonly datastore: NonNullable<HeliaInit['datastore']>
  readonly privateKey: PrivateKey
  readonly bans: Bans
  readonly log: Log
  /** Who is of the consortium; needed where only its members are admitted. */
  readonly members?: Members
}

/** What a host is told. */
export interface HostInit {
  /** Addresses to listen on, for example `/ip4/0.0.0.0/tcp/4001`; none means only to dial. */
  readonly listen: readonly string[]
  /** Addresses of peers to stay connected with. */
  readonly peers?: readonly string[]
  /** Gossip topics that exist here; messages on others are garbage. None unless told. */
  readonly topics?: readonly string[]
  /** Looks for peers on the local network by multicast; off unless told. */
  readonly mdns?: boolean
  /** Who may connect; everyone who is not cut off unless told. */
  readonly admission?: AdmissionInit
  /** Whether it is reached through relays, or is one; `off` unless told. */
  readonly relay?: RelayMode
  readonly limits?: Partial<HostLimits>
}

/** A peer on the network; `libp2p` is there once it is started. */
export interface Host {
  readonly helia: HeliaWithLibp2p<HostServices>
  readonly libp2p: Libp2p<HostServices>
  readonly unixfs: UnixFS
  readonly peerId: PeerId
  readonly announce: Announce
  start(): Promise<void>
  /** Closes every connection; the stores stay open. */
  stop(): Promise<void>
}

/**
 * Makes a host; nothing is contacted before `start()`.
 *
 * @throws SalusError `PEER_ADDRESS_MALFORMED` for a peer's address that cannot be read
 */
export function createHost(components: HostComponents, init: HostInit): Host {
  const { blockstore, datastore, privateKey, bans, log } = components
  const { admission = { mode: 'open' }, relay = 'off' } = init
  const members = admission.mode === 'consortium' ? membersOf(components) : undefined
  const limits = { ...DEFAULT_LIMITS, ...init.limits }
  const topics = new Set(init.topics)
  const peers = (init.peers ?? []).map(parseAddress)
  const clock = Date.now
  const gating = { bans, ...(members == null ? {} : { members }) }

  const linked = withLibp2pLight(createHeliaLight({ blockstore, datastore }), {
    privateKey,
    addresses: { listen: [...init.listen] },
    transports: transportsOf(relay),
    ...(admission.mode === 'private' ? { connectionProtector: protectorOf(admission.networkKey) } : {}),
    // The dialler's first choice is taken: TLS ciphers in native code, which bulk transfer feels. Both are always offered.
    connectionEncrypters: [tls(), noise()],
    // A stream whose reader is late for more than libp2p's 4 MiB is reset, and bitswap's reader is late.
    streamMuxers: [
      yamux({
        maxInboundStreams: limits.maxStreamsPerConnection,
        streamOptions: { maxReadBufferLength: 64 << 20 }
      })
    ],
    // A busy node answers a ping late: closing its connection then only makes it busier. The supervisor redials.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    connectionManager: {
      maxConnections: limits.maxConnections,
      inboundConnectionThreshold: limits.connectionsPerSecond,
      maxIncomingPendingConnections: limits.maxPendingConnections,
      inboundUpgradeTimeout: limits.setUpMs
    },
    connectionGater: createGater(
      { ...gating, connectionsOf: peer => helia.libp2p.getConnections(peer).length },
      limits.maxConnectionsPerPeer
    ),
    peerDiscovery: init.mdns === true ? [mdns()] : [],
    services: {
      identify: identify(),
      ping: ping(),
      ...relayServicesOf(relay, admission.mode === 'open'),
      pubsub: guardedGossipsub(
        {
          bans,
          topics,
          frames: createRateLimiter({ clock }, limits.gossipMessages),
          bytes: createRateLimiter({ clock }, limits.gossipBytes)
        },
        gossipOptions(topics)
      )
    }
  })
  const helia: HeliaWithLibp2p<HostServices> = withBitswap(linked, {
    messageSendTimeout: 120_000,
    messageReceiveTimeout: 60_000,
    maxInboundStreams: 64,
    // The documented `maxWantlistSize` is read under this name. What is here waits outside (node/network/want-slices.ts), so these are wants
    // of blocks that may come: more are passed over.
    maxWantListSize: 256
  } as Parameters<typeof withBitswap>[1])

  sliceWantsOf(helia)
  const announce = announceThrough(helia)

  let supervisor: Supervisor | undefined
  let memory: MemoryGuard | undefined
  const offs: (() => void)[] = []

  /** Closes the connections with a peer. */
  function hangUp(peer: PeerId): void {
    helia.libp2p.hangUp(peer).catch((error: unknown) => log.debug({ err: error }, 'hang-up failed'))
  }

  return {
    helia,
    get libp2p() {
      return helia.libp2p
    },
    unixfs: unixfs(helia),
    peerId: peerIdFromPrivateKey(privateKey),
    announce,
    async start() {
      await helia.start()
      const { libp2p } = helia
      offs.push(bans.onBan(peer => hangUp(peerIdFromString(peer))))
      if (members != null) {
        offs.push(
          members.onChange(() =>
            libp2p
              .getPeers()
              .filter(peer => !isAdmitted(gating, peer))
              .forEach(hangUp)
          )
        )
      }
      libp2p.addEventListener('connection:open', ({ detail: connection }) => {
        // Several that were being set up at a time were each the first.
        const isTooMany = libp2p.getConnections(connection.remotePeer).length > limits.maxConnectionsPerPeer
        if (connection.direction === 'inbound' && isTooMany) connection.abort(new Error('too many connections'))
      })
      memory = createMemoryGuard({ libp2p, bans, log }, { maxHeldBytes: limits.maxHeldBytesPerPeer })
      memory.start()
      if (init.mdns === true) {
        libp2p.addEventListener('peer:discovery', ({ detail: { id } }) => {
          libp2p.dial(id).catch((error: unknown) => log.debug({ err: error }, 'discovered peer not reached'))
        })
      }
      supervisor = createSupervisor({ libp2p, log }, { peers })
      supervisor.start()
    },
    async stop() {
      memory?.stop()
      for (const off of offs.splice(0)) off()
      await supervisor?.stop()
      await helia.stop()
    }
  }
}

function membersOf({ members }: HostComponents): Members {
  if (members == null) throw new TypeError('a host that admits members only has to be told who they are')
  return members
}

function protectorOf(networkKey: Uint8Array) {
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
  return () => createPrivateProtector({ p: nativePrimitives, random }, networkKey)
}

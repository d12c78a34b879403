/** Peers that speak gossip to each other, as nodes do but without a store behind them. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MemoryBlockstore } from 'blockstore-core'
import { allTopics, topicOf } from '#core/network/topic.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { createLog } from '#node/log.ts'
import { createBans } from '#node/network/bans.ts'
import { createGossip, type Gossip } from '#node/network/gossip.ts'
import { createHost, type Host, type HostInit } from '#node/network/host.ts'
import { loadOrCreateIdentity } from '#node/network/identity.ts'
import { createDatastore } from '#node/store/datastore.ts'
import { openDatabase, type Database } from '#node/store/database.ts'

/** The network of the benchmark, and a patient whose topic is used. */
export const [NETWORK, PATIENT] = [1, 2].map(byte => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array]

/** Neighbours that each speaker dials: with those that dial it, more than a mesh wants. */
const NEIGHBOURS = 6

/** A peer of the benchmark. */
export interface Speaker {
  readonly host: Host
  readonly db: Database
  readonly gossip: Gossip
  stop(): Promise<void>
}

/** Opens a speaker in a folder, which hands what it hears to `receive` and takes it. */
export async function openSpeaker(
  directory: string,
  receive: (bytes: Uint8Array) => void,
  init: Partial<HostInit> = {}
): Promise<Speaker> {
  const log = createLog({ name: 'bench', level: 'silent' })
  const db = await openDatabase(join(directory, 'db'))
  const bans = createBans({ db, clock: Date.now, log })
  const privateKey = await loadOrCreateIdentity(join(directory, 'identity.key'))
  const host = createHost(
    { blockstore: new MemoryBlockstore(), datastore: createDatastore(db), privateKey, bans, log },
    {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      topics: allTopics(NETWORK),
      // All of them come from one address and one process.
      limits: {
        connectionsPerSecond: 10_000,
        maxPendingConnections: 1_000,
        gossipMessages: { perSecond: 1e6, burst: 1e6 }
      },
      ...init
    }
  )
  await host.start()
  const accept = (bytes: Uint8Array): Promise<{ verdict: 'accept' }> => {
    receive(bytes)
    return Promise.resolve({ verdict: 'accept' })
  }
  const useless = { take: () => true }
  const gossip = createGossip(
    { libp2p: host.libp2p, primitives: nativePrimitives, bans, log, accept, useless },
    { networkId: NETWORK, maxInFlight: 10_000 }
  )
  gossip.start()
  return {
    host,
    db,
    gossip,
    async stop() {
      await host.stop()
      await db.close()
    }
  }
}

/** Connects each speaker to the six after it, round in a circle, and waits until all know their neighbours' subscriptions. */
export async function connectAll(speakers: readonly Speaker[]): Promise<void> {
  for (const [i, { host }] of speakers.entries()) {
    for (let step = 1; step <= Math.min(NEIGHBOURS, speakers.length - 1); step++) {
      const other = speakers[(i + step) % speakers.length]
      if (other != null) await host.libp2p.dial(other.host.libp2p.getMultiaddrs())
    }
  }
  const topic = topicOf(nativePrimitives, NETWORK, PATIENT)
  const known = (): boolean =>
    speakers.every(({ host }) => {
      const { services } = host.libp2p
      return services.pubsub.getSubscribers(topic).length >= Math.min(NEIGHBOURS, speakers.length - 1)
    })
  while (!known()) await pause(20)
  // Two heartbeats, in which the meshes settle.
  await pause(2000)
}

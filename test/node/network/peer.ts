import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { createLog } from '#node/log.ts'
import { createBans, type Bans, type BansInit } from '#node/network/bans.ts'
import { createExchange, type Exchange } from '#node/network/exchange.ts'
import { createHost, type Host, type HostInit } from '#node/network/host.ts'
import { loadOrCreateIdentity } from '#node/network/identity.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import type { Members } from '#node/network/members.ts'
import type { RangeServiceInit } from '#node/network/range-serve.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { createDatastore } from '#node/store/datastore.ts'

/** A real host on a port of its own with real stores in a folder. */
export interface TestPeer {
  readonly directory: string
  readonly db: Database
  readonly blockstore: DiskBlockstore
  readonly bans: Bans
  readonly host: Host
  readonly exchange: Exchange
  readonly address: string
  /** Stops the host and closes its stores; the folder stays. */
  stop(): Promise<void>
}

export const log = createLog({ name: 'test', level: 'silent' })

/** Opens a peer in a folder; the same folder gives the same peer again. */
export async function openPeer(
  directory: string,
  init: Partial<HostInit> & { bans?: BansInit; exchange?: RangeServiceInit; members?: Members } = {}
): Promise<TestPeer> {
  const db = await openDatabase(join(directory, 'db'))
  const blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
  await blockstore.start()
  const bans = createBans({ db, clock: Date.now, log }, init.bans)
  await bans.start()
  const privateKey = await loadOrCreateIdentity(join(directory, 'identity.key'))
  const datastore = createDatastore(db)
  const host = createHost(
    { blockstore, datastore, privateKey, bans, log, ...(init.members == null ? {} : { members: init.members }) },
    { listen: ['/ip4/127.0.0.1/tcp/0'], ...init }
  )
  await host.start()
  const rate = createRateLimiter({ clock: Date.now }, { perSecond: 1_000, burst: 1_000 })
  const exchange = createExchange({ host, blockstore, bans, log, rate }, init.exchange)
  await exchange.start()
  const [address] = host.libp2p.getMultiaddrs()
  return {
    directory,
    db,
    blockstore,
    bans,
    host,
    exchange,
    address: address?.toString() ?? '',
    async stop() {
      await exchange.stop()
      await host.stop()
      await bans.stop()
      await blockstore.stop()
      await db.close()
    }
  }
}

/** Opens peers in folders of their own and takes them away again after each test. */
export function usePeers(): (init?: Parameters<typeof openPeer>[1]) => Promise<TestPeer> {
  const opened: TestPeer[] = []
  afterEach(async () => {
    for (const peer of opened.splice(0)) {
      await peer.stop()
      await rm(peer.directory, { recursive: true })
    }
  })
  return async init => {
    const peer = await openPeer(await mkdtemp(join(tmpdir(), 'salus-peer-')), init)
    opened.push(peer)
    return peer
  }
}

/** Waits until a condition holds; fails after a while. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const endMs = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`waited too long: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** A libp2p peer that is not of this project and does what a test tells it to. */
export async function plainPeer(listen: string[] = [], special: Libp2pOptions = {}): Promise<Libp2p> {
  return await createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    ...special
  })
}

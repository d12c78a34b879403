import { join } from 'node:path'
import type { Libp2p, Stream } from '@libp2p/interface'
import { createLog } from '#node/log.ts'
import { createBans, type Bans } from '#node/network/bans.ts'
import { createExchange, type Exchange } from '#node/network/exchange.ts'
import { createHost, type Host } from '#node/network/host.ts'
import { loadOrCreateIdentity } from '#node/network/identity.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { createDatastore } from '#node/store/datastore.ts'
import { openDatabase } from '#node/store/database.ts'

/** Sends bytes over one bare stream: the yardstick of file exchange. */
export const BLOB_PROTOCOL = '/salus/bench/1'
export const WRITE_BYTES = 65_536

/** A host with its stores. */
export interface BenchPeer {
  readonly host: Host
  readonly exchange: Exchange
  readonly blockstore: DiskBlockstore
  readonly bans: Bans
  stop(): Promise<void>
}

/**
 * A host with stores in a folder, as a node has it.
 *
 * @param other - takes the place of the node's own libp2p, for the exchange alone
 */
export async function openBenchPeer(
  directory: string,
  topics: readonly string[] = [],
  other?: Libp2p
): Promise<BenchPeer> {
  const log = createLog({ name: 'bench', level: 'silent' })
  const db = await openDatabase(join(directory, 'db'))
  const blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
  await blockstore.start()
  const bans = createBans({ db, clock: Date.now, log })
  const privateKey = await loadOrCreateIdentity(join(directory, 'identity.key'))
  const made = createHost(
    { blockstore, datastore: createDatastore(db), privateKey, bans, log },
    { listen: ['/ip4/127.0.0.1/tcp/0'], topics, limits: { gossipMessages: { perSecond: 1e6, burst: 1e6 } } }
  )
  const exchangeOnly = { libp2p: other, announce: async () => Promise.resolve() } as unknown as Host
  const host = other == null ? made : exchangeOnly
  if (other == null) await host.start()
  const rate = createRateLimiter({ clock: Date.now }, { perSecond: 1e6, burst: 1e6 })
  const exchange = createExchange({ host, blockstore, bans, log, rate })
  await exchange.start()
  return {
    host,
    exchange,
    blockstore,
    bans,
    async stop() {
      await exchange.stop()
      await (other ?? host).stop()
      await blockstore.stop()
      await db.close()
    }
  }
}

/** Writes `sizeBytes` bytes to a stream as fast as it takes them. */
export async function sendAll(stream: Stream, buffer: Uint8Array, sizeBytes: number): Promise<void> {
  for (let sent = 0; sent < sizeBytes; sent += buffer.length) {
    const wanted = stream.send(buffer.subarray(0, Math.min(buffer.length, sizeBytes - sent)))
    if (!wanted) await stream.onDrain()
  }
}

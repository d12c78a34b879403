/** The small peer that a maker or a device runs: stores of its own, a libp2p host, and the answer to "who has it?". */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#node/log.ts'
import { createBans } from '#node/network/bans.ts'
import { createExchange, type Exchange } from '#node/network/exchange.ts'
import { createHaveService } from '#node/network/have.ts'
import { createHost, type Host } from '#node/network/host.ts'
import { loadOrCreateIdentity } from '#node/network/identity.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openDatabase } from '#node/store/database.ts'
import { createDatastore } from '#node/store/datastore.ts'

/** What the peer is told. */
export interface FirmwarePeerInit {
  /** Folder of its identity and its blocks. */
  readonly directory: string
  /** Addresses to listen on; none means only to dial. */
  readonly listen: readonly string[]
  /** Addresses of peers to stay connected with. */
  readonly peers: readonly string[]
  readonly log: Log
}

/** A running peer. */
export interface FirmwarePeer {
  readonly host: Host
  readonly exchange: Exchange
  readonly blockstore: DiskBlockstore
  /** Closes connections and stores. */
  stop(): Promise<void>
}

/**
 * Starts a peer.
 *
 * @throws SalusError `STORE_LOCKED` while another process uses the folder; `STORE_OPEN_FAILED`, `IDENTITY_MALFORMED`,
 * `PEER_ADDRESS_MALFORMED`
 */
export async function startFirmwarePeer({ directory, listen, peers, log }: FirmwarePeerInit): Promise<FirmwarePeer> {
  await mkdir(directory, { recursive: true })
  const privateKey = await loadOrCreateIdentity(join(directory, 'identity.key'))
  const db = await openDatabase(join(directory, 'db'))
  const blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
  const clock = Date.now
  const bans = createBans({ db, clock, log })
  const host = createHost({ blockstore, datastore: createDatastore(db), privateKey, bans, log }, { listen, peers })
  const rate = createRateLimiter({ clock }, { perSecond: 20, burst: 100 })
  const exchange = createExchange({ host, blockstore, bans, log, rate })
  let stopService: (() => Promise<void>) | undefined

  async function stop(): Promise<void> {
    await stopService?.()
    await exchange.stop()
    await host.stop()
    await bans.stop()
    await blockstore.stop()
    await db.close()
  }

  try {
    await blockstore.start()
    await bans.start()
    await host.start()
    await exchange.start()
    const have = createHaveService({ blockstore, libp2p: host.libp2p, bans, log, rate })
    await have.start()
    stopService = async () => have.stop()
    return { host, exchange, blockstore, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Hands entries to a peer over libp2p instead of HTTP: for a gateway that reaches a node's peer address only. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '#core/crypto/primitives.ts'
import type { Log } from '#node/log.ts'
import { createBans } from '#node/network/bans.ts'
import { createHost } from '#node/network/host.ts'
import { loadOrCreateIdentity } from '#node/network/identity.ts'
import { submit } from '#node/network/submit.ts'
import { createBlockstore } from '#node/store/blocks.ts'
import { openDatabase } from '#node/store/database.ts'
import { createDatastore } from '#node/store/datastore.ts'
import type { NodePort } from '#gateway/node-port.ts'

/** A connection to one peer. */
export interface PeerPort extends Pick<NodePort, 'publish'> {
  stop(): Promise<void>
}

/** Where the peer is, and where the gateway's own peer identity lies. */
export interface PeerPortInit {
  readonly dataDir: string
  /** Multiaddr with the peer's id. */
  readonly peer: string
}

/**
 * Connects to a peer; the gateway itself listens nowhere.
 *
 * @throws SalusError `PEER_ADDRESS_MALFORMED`, `STORE_LOCKED`, `IDENTITY_MALFORMED`
 */
export async function openPeerPort(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  { dataDir, peer }: PeerPortInit
): Promise<PeerPort> {
  const directory = join(dataDir, 'peer')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const privateKey = await loadOrCreateIdentity(join(directory, 'identity.key'))
  const db = await openDatabase(join(directory, 'db'))
  const blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
  const bans = createBans({ db, clock, log })
  const components = { blockstore, datastore: createDatastore(db), privateKey, bans, log }
  const stopping = new AbortController()
  await blockstore.start()
  await bans.start()
  const host = createHost(components, { listen: [], peers: [peer] })
  await host.start()
  return {
    async publish(message) {
      await submit(host.libp2p, multiaddr(peer), message, { signal: stopping.signal })
      return { status: 'stored', position: 0 }
    },
    async stop() {
      stopping.abort()
      await host.stop()
      await bans.stop()
      await blockstore.stop()
      await db.close()
    }
  }
}

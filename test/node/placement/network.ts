import { randomBytes } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import { isWhole } from '#node/placement/stored-blob.ts'
import { openAcceptIndex, type AcceptIndex } from '#node/assembly/accept-index.ts'
import { createBlobKeeper, type BlobKeeper } from '#node/assembly/blob-keeper.ts'
import { createPlacing, type Placing, type PlacingInit } from '#node/assembly/placing.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { peerSeedOf, loadOrCreateIdentity } from '#node/network/identity.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { openTable } from '#node/store/database.ts'
import { blobBlocks, blobCid } from '#core/record/blob-cid.ts'
import { join } from 'node:path'
import { log, openPeer, type TestPeer } from '#test/node/network/peer.ts'

export const NETWORK = new Uint8Array(32).fill(7)
export const PATIENT = `0x${'11'.repeat(32)}` as const

/** Times in which a test sees something happen. */
export const FAST = {
  pledgeEveryMs: 400,
  deadAfterMs: 6_000,
  takeOverMs: 800,
  scanEveryMs: 2_000,
  auditEveryMs: 500,
  auditRounds: 1,
  leaseS: 1,
  settleMs: 1_000
}

/** A peer that places blobs, over real sockets and a real disk; entries are rows of its index. */
export interface PlacingPeer {
  readonly peer: TestPeer
  readonly id: string
  readonly index: AcceptIndex
  readonly keeper: BlobKeeper
  readonly placing: Placing
  /** An entry names a blob. */
  name(cid: CID, sizeBytes: number): Promise<void>
  put(blob: Blob): Promise<void>
  has(blob: Blob): Promise<boolean>
  /** Stops everything, as a process that ends. */
  stop(): Promise<void>
}

/** A blob. */
export interface Blob {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** A blob of random bytes. */
export function blobOf(sizeBytes: number): Blob {
  const bytes = new Uint8Array(randomBytes(sizeBytes))
  return { cid: blobCid(p, bytes), bytes }
}

/** Opens a peer in a folder and starts placing. */
export async function openPlacingPeer(
  directory: string,
  peers: readonly string[],
  init: Partial<PlacingInit> = {}
): Promise<PlacingPeer> {
  const peer = await openPeer(directory, { peers })
  const { db, host, exchange, blockstore, bans } = peer
  const index = await openAcceptIndex(db)
  const running: { placing?: Placing } = {}
  const keeper = createBlobKeeper(
    { p, host, exchange, blockstore, index, clock: Date.now, log, part: () => running.placing?.placement },
    { lookMs: 50 }
  )
  keeper.start()
  const peerSeed = peerSeedOf(await loadOrCreateIdentity(join(directory, 'identity.key')))
  const rate = createRateLimiter({ clock: Date.now }, { perSecond: 1_000, burst: 10_000 })
  const placing = createPlacing(
    { bans, log, rate, p, clock: Date.now, db, host, blockstore, index, peerSeed },
    NETWORK,
    {
      replicas: 2,
      pledgedBytes: 1 << 30,
      patientBytes: 1 << 30,
      vouched: () => true,
      ...init,
      times: { ...FAST, ...init.times }
    }
  )
  running.placing = placing
  await placing.start()
  let isStopped = false
  return {
    peer,
    id: host.libp2p.peerId.toString(),
    index,
    keeper,
    placing,
    async name(cid, sizeBytes) {
      const size = String(sizeBytes).padStart(16, '0')
      await openTable(db, 'accept').put(`blob/${cid.toString()}/${size}`, new TextEncoder().encode(PATIENT))
      placing.placement.nudge()
    },
    async put({ cid, bytes }) {
      await keeper.put(cid, bytes)
    },
    has: async ({ cid, bytes }) => isWhole(blockstore, cid, bytes.length),
    async stop() {
      if (isStopped) return
      isStopped = true
      await placing.stop()
      await keeper.stop()
      await index.stop()
      await peer.stop()
    }
  }
}

/** How many bytes of blocks a blob has. */
export function blocksOfBlob({ bytes }: Blob): CID[] {
  return [...blobBlocks(p, bytes)].map(({ cid }) => cid)
}

import type { ChainEvent } from '#core/chain/events.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { deriveCustodianKeys } from '#core/custody/custodian-card.ts'
import { createRequestGate } from '#node/assembly/request-gate.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createCustodian, type Custodian } from '#node/custody/custodian.ts'
import { openReceiptLog, type ReceiptLog } from '#node/custody/receipt-log.ts'
import { createShareStore, type ShareStore } from '#node/custody/share-store.ts'
import { createSweeper } from '#node/custody/sweeper.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { createSyncWriter } from '#node/store/sync-writer.ts'
import { PaperChain, paperDeployment } from '#test/core/network/accept-world.ts'

/** The peer id bytes that requests to a custodian on paper name. */
export const AUDIENCE: Uint8Array = Uint8Array.of(1, 2, 3, 4)

/** Seed of the peer key of custodians on paper. */
export const PEER_SEED: Uint8Array = new Uint8Array(32).fill(0x77)

/** Age from which a claim counts as final on paper, seconds. */
export const FINALITY_S = 60

/** A custodian over a real database and a chain in a map. */
export interface PaperCustodian {
  readonly custodian: Custodian
  readonly store: ShareStore
  readonly db: Database
  readonly chain: PaperChain
  receipts(): ReceiptLog
  sweep(): Promise<number>
  close(): Promise<void>
}

/** What one is opened with. */
export interface PaperCustodianInit {
  readonly events: readonly ChainEvent[]
  readonly timeS: number
  readonly random: Random
  /** Parts of the store that are another one's where it is swept. */
  readonly overrides?: { held?: () => ReturnType<ShareStore['held']>; compact?: () => Promise<void> }
}

/** Opens one in a folder. */
export async function openPaperCustodian(
  folder: string,
  { events, timeS, random, overrides = {} }: PaperCustodianInit
): Promise<PaperCustodian> {
  const deployment = paperDeployment()
  const network = networkIdOfDeployment(deployment)
  const chain = new PaperChain()
  chain.timeS = timeS - FINALITY_S
  chain.add(...events)
  chain.timeS = timeS
  const clock = (): number => chain.timeS * 1000
  const db = await openDatabase(folder)
  const writer = createSyncWriter(db)
  const keys = await deriveCustodianKeys(p, PEER_SEED)
  const receipts = await openReceiptLog({ p, db, writer, network, keys })
  const store = createShareStore(db)
  const gate = createRequestGate({ p, network, audience: AUDIENCE, clock })
  const view = (): ReturnType<PaperChain['view']> => chain.view()
  const custodian = createCustodian(
    { p, random, clock, deployment, chain: view, keys, gate, store, receipts, writer },
    { finalityS: FINALITY_S }
  )
  const swept: ShareStore = {
    ...store,
    held: () => (overrides.held ?? store.held)(),
    compact: async () => (overrides.compact ?? store.compact)()
  }
  return {
    custodian,
    store,
    db,
    chain,
    receipts: () => receipts,
    sweep: createSweeper({ store: swept, writer, chain: view, clock }, FINALITY_S),
    async close() {
      await writer.stop()
      await db.close()
    }
  }
}

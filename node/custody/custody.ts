/** The custodian of a node: its stores, protocol and routes in one place (docs/specs/custody.md). */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { PrivateKey } from '@libp2p/interface'
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { deriveCustodianKeys, signCustodianCard } from '#core/custody/custodian-card.ts'
import { SalusError } from '#core/error.ts'
import { createRequestGate } from '#node/assembly/request-gate.ts'
import type { Follower } from '#node/chain/follower.ts'
import { createCustodian, type Custodian, type CustodianInit } from '#node/custody/custodian.ts'
import { serveCustody } from '#node/custody/protocol.ts'
import { openReceiptLog, type ReceiptLog } from '#node/custody/receipt-log.ts'
import { addCustodyRoutes } from '#node/custody/routes.ts'
import { createShareStore } from '#node/custody/share-store.ts'
import { sweepShares } from '#node/custody/sweeper.ts'
import type { AnswerComponents } from '#node/network/request.ts'
import type { Database } from '#node/store/database.ts'
import { createSyncWriter } from '#node/store/sync-writer.ts'

/** What it stands on. */
export interface CustodyComponents extends AnswerComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly deployment: Deployment
  readonly follower: Pick<Follower, 'view' | 'onBlock'>
  readonly db: Database
  /** The node's peer key; the custodian's keys derive from it. */
  readonly privateKey: PrivateKey
}

/** What it may be told. */
export interface CustodyInit extends CustodianInit {
  /** Time between two looks for shares whose time is over, ms; a minute unless told. */
  readonly sweepMs?: number
}

/** A node's custodian. */
export interface Custody {
  readonly custodian: Custodian
  readonly receipts: ReceiptLog
  /** Encoded card (core/custody/custodian-card.ts). */
  readonly card: Uint8Array
  addRoutes(app: OpenAPIHono<{ Bindings: HttpBindings }>): void
  /** Answers peers, and deletes shares whose time is over. */
  start(): Promise<void>
  stop(): Promise<void>
}

const SWEEP_MS = 60_000
const SEED_BYTES = 32

/**
 * Opens the custodian of a node.
 *
 * @throws SalusError `CUSTODY_PEER_KEY` if the node's peer key is not of Ed25519
 */
export async function openCustody(components: CustodyComponents, init: CustodyInit): Promise<Custody> {
  const { p, random, clock, deployment, follower, db, privateKey, libp2p, log } = components
  if (privateKey.type !== 'Ed25519') {
    throw new SalusError('CUSTODY_PEER_KEY', 'A custodian needs a peer key of Ed25519.')
  }
  const network = networkIdOfDeployment(deployment)
  const seed = privateKey.raw.subarray(0, SEED_BYTES)
  const keys = await deriveCustodianKeys(p, seed)
  const card = signCustodianCard(p, { network, bundle: keys.bundleBytes }, seed)
  const writer = createSyncWriter(db)
  const receipts = await openReceiptLog({ p, db, writer, network, keys })
  const store = createShareStore(db)
  const chain = (): ReturnType<Follower['view']> => follower.view()
  const gate = createRequestGate({ p, network, audience: libp2p.peerId.toMultihash().bytes, clock })
  const custodian = createCustodian({ p, random, clock, deployment, chain, keys, gate, store, receipts, writer }, init)
  let unserve: (() => Promise<void>) | undefined
  let unhear: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let sweeping: Promise<void> | undefined

  function sweep(): void {
    sweeping ??= sweepShares({ store, writer, chain, clock }, init.finalityS)
      .then(deleted => {
        if (deleted > 0) log.info({ deleted }, 'shares whose time is over were deleted')
      })
      .catch((error: unknown) => log.error({ err: error }, 'shares whose time is over could not be deleted'))
      .finally(() => {
        sweeping = undefined
      })
  }

  return {
    custodian,
    receipts,
    card,
    addRoutes: app => addCustodyRoutes(app, { custodian, receipts, card }),
    async start() {
      unserve = await serveCustody(components, { custodian, card })
      unhear = follower.onBlock(({ events }) => {
        if (events.some(({ name }) => name === 'Revoked')) sweep()
      })
      timer = setInterval(sweep, init.sweepMs ?? SWEEP_MS)
    },
    async stop() {
      clearInterval(timer)
      unhear?.()
      await unserve?.()
      await sweeping
      await writer.stop()
    }
  }
}

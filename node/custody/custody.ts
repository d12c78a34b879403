/** The custodian of a node: its stores, protocol and routes in one place (docs/specs/custody.md). */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { deriveCustodianKeys, signCustodianCard } from '#core/custody/custodian-card.ts'
import { createRequestGate } from '#node/assembly/request-gate.ts'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import type { Relayer } from '#node/chain/relayer.ts'
import type { Follower } from '#node/chain/follower.ts'
import { anchorReceipts, deriveLogAnchorer } from '#node/custody/anchor.ts'
import { createCustodian, type CustodianInit } from '#node/custody/custodian.ts'
import { serveCustody } from '#node/custody/protocol.ts'
import { createReadReceipts, type NoteRead } from '#node/custody/read-receipts.ts'
import { openReceiptLog } from '#node/custody/receipt-log.ts'
import { addCustodyRoutes } from '#node/custody/routes.ts'
import { createShareStore } from '#node/custody/share-store.ts'
import { createSweeper } from '#node/custody/sweeper.ts'
import type { AnswerComponents } from '#node/network/request.ts'
import type { Database } from '#node/store/database.ts'
import type { MessageLog } from '#node/store/messages.ts'
import { createSyncWriter } from '#node/store/sync-writer.ts'

/** What it stands on. */
export interface CustodyComponents extends AnswerComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly deployment: Deployment
  readonly follower: Pick<Follower, 'view' | 'onBlock'>
  readonly db: Database
  readonly index: AcceptIndex
  readonly messages: MessageLog
  /** Takes the log's anchors to the chain; without one they are not anchored. */
  readonly relayer: Relayer | undefined
  /** Seed of the node's Ed25519 peer key; the custodian's keys derive from it. */
  readonly peerSeed: Uint8Array
}

/** What it may be told. */
export interface CustodyInit extends CustodianInit {
  /** Time between two looks for shares whose time is over, ms; a minute unless told. */
  readonly sweepMs?: number
  /** Time between two anchors of the log of receipts, ms; an hour unless told. */
  readonly anchorMs?: number
}

/** A node's custodian. */
export interface Custody {
  /** Writes the receipt of a read. */
  readonly noteRead: NoteRead
  addRoutes(app: OpenAPIHono<{ Bindings: HttpBindings }>): void
  /** Answers peers, and deletes shares whose time is over. */
  start(): Promise<void>
  stop(): Promise<void>
}

const SWEEP_MS = 60_000
const ANCHOR_MS = 3_600_000

/** Opens the custodian of a node. */
export async function openCustody(components: CustodyComponents, init: CustodyInit): Promise<Custody> {
  const {
    p,
    random,
    clock,
    deployment,
    follower,
    db,
    peerSeed: seed,
    libp2p,
    log,
    index,
    messages,
    relayer
  } = components
  const network = networkIdOfDeployment(deployment)
  const keys = await deriveCustodianKeys(p, seed)
  const anchorer = deriveLogAnchorer(p, seed)
  const card = signCustodianCard(p, { network, bundle: keys.bundleBytes, log: anchorer.id }, seed)
  const writer = createSyncWriter(db)
  const receipts = await openReceiptLog({ p, db, writer, network, keys })
  const store = createShareStore(db)
  const chain = (): ReturnType<Follower['view']> => follower.view()
  const gate = createRequestGate({ p, network, audience: libp2p.peerId.toMultihash().bytes, clock })
  const custodian = createCustodian({ p, random, clock, deployment, chain, keys, gate, store, receipts, writer }, init)
  const sweepShares = createSweeper({ store, writer, chain, clock }, init.finalityS)
  let unserve: (() => Promise<void>) | undefined
  let unhear: (() => void) | undefined
  const timers: NodeJS.Timeout[] = []
  let sweeping: Promise<void> | undefined
  let anchoring: Promise<void> | undefined

  function sweep(): void {
    sweeping ??= sweepShares()
      .then(deleted => {
        if (deleted > 0) log.info({ deleted }, 'shares whose time is over were deleted')
      })
      .catch((error: unknown) => log.error({ err: error }, 'shares whose time is over could not be deleted'))
      .finally(() => {
        sweeping = undefined
      })
  }

  function anchor(relayer: Relayer): void {
    anchoring ??= anchorReceipts({ clock, deployment, chain, relayer, receipts, anchorer, keys })
      .then(isNew => {
        if (isNew) log.debug({ receipts: receipts.size() }, 'the log of receipts was anchored')
      })
      .catch((error: unknown) =>
        log.warn({ err: error }, 'the log of receipts could not be anchored; trying again later')
      )
      .finally(() => {
        anchoring = undefined
      })
  }

  return {
    noteRead: createReadReceipts({ p, random, clock, chain, index, messages, receipts, auditor: init.auditor }),
    addRoutes: app => addCustodyRoutes(app, { custodian, receipts, card }),
    async start() {
      unserve = await serveCustody(components, { custodian, card })
      unhear = follower.onBlock(({ events }) => {
        if (events.some(({ name }) => name === 'Revoked')) sweep()
      })
      timers.push(setInterval(sweep, init.sweepMs ?? SWEEP_MS))
      if (relayer != null) timers.push(setInterval(() => anchor(relayer), init.anchorMs ?? ANCHOR_MS))
    },
    async stop() {
      for (const timer of timers) clearInterval(timer)
      unhear?.()
      await unserve?.()
      await sweeping
      await anchoring
      await writer.stop()
    }
  }
}

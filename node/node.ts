/** A full node: store, network, chain follower, relayer and HTTP API in one place (docs/guides/run-a-node.md). */
import type { Wallet, JsonRpcProvider } from 'ethers'
import type { CID } from 'multiformats/cid'
import type { Hex } from '#core/chain/events.ts'
import { networkIdOfDeployment, type Deployment } from '#core/chain/deployment.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { messageId } from '#core/network/message-id.ts'
import { allTopics } from '#core/network/topic.ts'
import type { AskedBlob } from '#core/placement/proof.ts'
import { createAcceptor, type Outcome } from '#node/assembly/acceptor.ts'
import { createBlobKeeper } from '#node/assembly/blob-keeper.ts'
import { createOperatorSide, type OperatorInit } from '#node/assembly/operator-side.ts'
import type { PlacingInit } from '#node/assembly/placing.ts'
import { createPart } from '#node/assembly/part.ts'
import { createParts, type LiveService } from '#node/assembly/parts.ts'
import { openPending } from '#node/assembly/pending.ts'
import { createReadGuard } from '#node/assembly/read-guard.ts'
import { openStores } from '#node/assembly/stores.ts'
import { openUpkeepSide, type UpkeepSideInit } from '#node/assembly/upkeep-side.ts'
import { createWantRounds } from '#node/assembly/want-rounds.ts'
import type { Endpoints } from '#node/chain/endpoints.ts'
import { createFollower, type Follower, type FollowerInit } from '#node/chain/follower.ts'
import { createRelayer, type RelayerInit } from '#node/chain/relayer.ts'
import { createWitness } from '#node/chain/witness.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { openCustody, type CustodyInit } from '#node/custody/custody.ts'
import { createEraser } from '#node/custody/eraser.ts'
import { createHttpApp, type HttpAppInit } from '#node/http/app.ts'
import { createHttpServer, type HttpServerInit } from '#node/http/server.ts'
import type { Log } from '#node/log.ts'
import { createGossip } from '#node/network/gossip.ts'
import { createExchange, type Exchange } from '#node/network/exchange.ts'
import { createHaveService } from '#node/network/have.ts'
import { createHost, type Host, type HostInit } from '#node/network/host.ts'
import { peerSeedOf } from '#node/network/identity.ts'
import { DEFAULT_LIMITS } from '#node/network/limits.ts'
import { createMembers } from '#node/network/members.ts'
import { openMessageIds } from '#node/network/message-ids.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { readBlock } from '#node/network/read-block.ts'
import { createSubmitService } from '#node/network/submit.ts'
import { createSync } from '#node/network/sync.ts'
import { createConfirmer, type ConfirmerInit, type Wanted } from '#node/placement/confirm.ts'
import type { Placement } from '#node/placement/placement.ts'
import { createBlindLists } from '#node/search/blind-lists.ts'
import { addBlindRoutes } from '#node/search/routes.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import type { Database } from '#node/store/database.ts'
import { createDatastore } from '#node/store/datastore.ts'
import type { DiskInit } from '#node/store/disk.ts'
import type { Upkeep } from '#node/store/upkeep.ts'
import type { MessageLog } from '#node/store/messages.ts'

/** The parts of a node that further services may stand on. */
export interface NodeContext {
  readonly db: Database
  readonly host: Host
  readonly exchange: Exchange
  readonly blockstore: DiskBlockstore
  readonly messages: MessageLog
  readonly follower: Follower
  readonly deployment: Deployment
  readonly upkeep: Upkeep
  readonly log: Log
}

/** What a node needs. */
export interface NodeComponents {
  readonly provider: JsonRpcProvider
  /** The endpoints that the provider sends to, where there are several. */
  readonly endpoints?: Endpoints
  readonly deployment: Deployment
  /** Pays for relayed requests; without one the node does not relay. */
  readonly wallet?: Wallet
  readonly log: Log
}

/** What a node is told. */
export interface NodeInit {
  /** Folder of all its data. */
  readonly dataDir: string
  readonly host: Omit<HostInit, 'topics'>
  readonly http: HttpServerInit & Pick<HttpAppInit, 'requests' | 'relays' | 'corsOrigins' | 'trustedProxies'>
  /** Who operates it from elsewhere, and what it tells them. */
  readonly operators?: OperatorInit
  readonly follower?: FollowerInit
  readonly relayer?: RelayerInit
  /** Time between two rounds of catching up with peers, ms; 30,000 unless told. */
  readonly syncIntervalMs?: number
  /** Time for which a submitted message waits for the chain before its sender is told to come again, ms; 8,000 unless told. */
  readonly submitWaitMs?: number
  /** Keeps key shares and writes receipts; a node that is told nothing does neither. */
  readonly custody?: CustodyInit
  /** Nodes that must have a submitted message or blob on their disks before it is acknowledged, where the sender does not say; 1 unless told. */
  readonly replicas?: number
  readonly confirm?: ConfirmerInit
  /** When the disk counts as full. */
  readonly disk?: Omit<DiskInit, 'path'>
  /** How often damaged blocks are looked for at peers. */
  readonly mending?: UpkeepSideInit['mending']
  /** Places blobs on some nodes of many; a node that is told nothing keeps every blob. */
  readonly placement?: PlacingInit
  /** Further services; started last, stopped first. */
  readonly services?: (context: NodeContext) => readonly LiveService[]
  readonly version: string
}

/** Where a running node is reached. */
export interface NodeAddress {
  readonly http: string
  readonly peerId: string
  readonly multiaddrs: readonly string[]
}

/** A node. */
export interface SalusNode {
  /**
   * Starts everything; resolves when the chain is followed to its head. The HTTP API answers `/healthz` and `/readyz` before.
   *
   * @throws SalusError as `openStore`, `IDENTITY_MALFORMED`, `IDENTITY_TYPE`, `HTTP_LISTEN_FAILED`, `PEER_ADDRESS_MALFORMED`,
   * `NODE_STOPPED`, and as {@link Follower.start}; whatever it had opened is closed then
   */
  start(): Promise<NodeAddress>
  /**
   * Backup, scrub and disk of the running node.
   *
   * @throws SalusError `NODE_NOT_RUNNING`
   */
  upkeep(): Upkeep
  /** Ends a start that is under way and waits for it, then stops everything; what was acknowledged is on the disk. */
  stop(): Promise<void>
}

/** Time for which gossip waits for the chain, ms: whoever passed it on may be a block ahead of us. */
const GOSSIP_WAIT_MS = 3_000

const random: Random = length => crypto.getRandomValues(new Uint8Array(length))

/** Makes a node; nothing is opened before `start()`. */
export function createNode(
  { provider, endpoints, deployment, wallet, log }: NodeComponents,
  init: NodeInit
): SalusNode {
  const network = networkIdOfDeployment(deployment)
  const p = nativePrimitives
  const clock = Date.now
  const stopped = new AbortController()
  const parts = createParts(log, refuseIfStopped)
  const run = async <T extends LiveService>(part: T): Promise<T> => parts.run(part)
  let placement: Placement | undefined
  let upkeep: Upkeep | undefined
  let starting: Promise<NodeAddress> | undefined
  let stopping: Promise<void> | undefined

  function refuseIfStopped(): void {
    if (stopped.signal.aborted) throw new SalusError('NODE_STOPPED', 'The node was stopped while it started.')
  }

  async function start(): Promise<NodeAddress> {
    refuseIfStopped()
    const stores = {
      dataDir: init.dataDir,
      ...(init.disk == null ? {} : { disk: init.disk }),
      // Before placing has begun nothing is asked for: it looks at every blob that is named.
      keeps: (blob: AskedBlob, patient: Hex): boolean =>
        init.placement == null || placement?.keeps(blob, patient) === true
    }
    const { privateKey, db, disk, blockstore, messages, index, bans } = await openStores({ parts, clock, log }, stores)
    const topics = allTopics(network)
    const members = createMembers({ p, deployment })
    const host = await run(
      createHost(
        { blockstore, datastore: createDatastore(db), privateKey, bans, log, members },
        { ...init.host, topics }
      )
    )
    const { libp2p } = host
    const rate = createRateLimiter({ clock }, { perSecond: 100, burst: 1_000 })
    const exchange = await run(createExchange({ host, blockstore, bans, log, rate }))

    const follower = createFollower({ provider, endpoints, deployment, db, log }, init.follower)
    // The only part of a start that may wait for ever.
    stopped.signal.addEventListener('abort', () => {
      follower.stop().catch((error: unknown) => log.error({ err: error }, 'the chain follower did not stop cleanly'))
    })
    await follower.open()
    parts.onStop(async () => follower.stop())
    members.follow(follower)
    parts.onStop(() => members.stop())
    const pending = await openPending(db)
    const acceptor = await run(createAcceptor({ p, deployment, follower, messages, index, pending, blockstore, log }))
    const keeping = { p, host, exchange, blockstore, index, clock, log, part: () => placement }
    const blobs = await run(createBlobKeeper(keeping))
    acceptor.onAccepted(() => blobs.nudge())
    const isRetired = (patient: Uint8Array, tag: Uint8Array): boolean => index.view.retiredDay(patient, tag) != null
    const blindLists = await run(createBlindLists({ p, db, network, isRetired }))
    acceptor.onAccepted(accepted => {
      if (accepted.kind !== 'rotation') return
      for (const tag of accepted.retired) {
        blindLists.forget(accepted.patient, tag).catch((error: unknown) => {
          log.error({ err: error }, 'blind lists could not be forgotten; they are at the next start')
        })
      }
    })
    const witness = createWitness(endpoints, deployment.chainId)
    const relaying = { provider, witness, deployment, log, db }
    const relayer = wallet == null ? undefined : await run(createRelayer({ ...relaying, wallet }, init.relayer))

    const gossip = await run(
      createGossip(
        {
          libp2p,
          primitives: p,
          bans,
          log,
          useless: createRateLimiter(
            { clock },
            { ...DEFAULT_LIMITS.gossipUseless, ...init.host.limits?.gossipUseless }
          ),
          accept: async (bytes, from, topic) =>
            acceptor.accept(bytes, {
              provenance: 'live',
              from,
              waitMs: GOSSIP_WAIT_MS,
              mayQueue: true,
              ...(topic == null ? {} : { topic })
            })
        },
        { networkId: network }
      )
    )

    /** From an author or its gateway: taken in here, then passed on to everyone. */
    async function submit(bytes: Uint8Array, wanted: Partial<Wanted> = {}): Promise<Outcome> {
      const outcome = await acceptor.accept(bytes, {
        provenance: 'live',
        waitMs: init.submitWaitMs ?? 8_000,
        mayQueue: false
      })
      if (outcome.accepted != null) {
        gossip.publish(bytes, outcome.accepted.patient).catch((error: unknown) => {
          log.warn({ err: error }, 'a message could not be passed on; peers will ask for it')
        })
      }
      const { replicas = init.replicas ?? 1 } = wanted
      if (outcome.position == null || replicas <= 1) return outcome
      return { ...outcome, heldBy: await confirmer.message(bytes, { ...wanted, replicas }) }
    }

    const confirmer = createConfirmer({ libp2p, p, blockstore, log }, init.confirm)
    /** Waits until enough nodes hold a blob that was put here. */
    async function confirmBlob(cid: CID, sizeBytes: number, wanted: Partial<Wanted>): Promise<string[] | undefined> {
      const { replicas = init.replicas ?? 1 } = wanted
      if (replicas <= 1) return undefined
      return confirmer.blob({ cid, sizeBytes }, { ...wanted, replicas }, placement?.holdersOf(cid))
    }

    const answering = { libp2p, bans, log, rate }
    await run(createHaveService({ ...answering, blockstore }))
    await run(createWantRounds({ libp2p, wants: index.wants, nudge: () => blobs.nudge(), log }))
    await run(
      createSubmitService({
        ...answering,
        accept: async bytes => knownIsAccepted(await submit(bytes, { replicas: 1 }))
      })
    )

    /** A blob's bytes; where it is placed elsewhere, its holders may not be connected yet. */
    async function* readFromHolders(
      cid: CID,
      options: { readonly maxBytes: number; readonly signal: AbortSignal }
    ): AsyncGenerator<Uint8Array> {
      if (placement != null && !(await blockstore.has(cid))) await placement.connect(cid)
      yield* blobs.read(cid, options)
    }

    const peerSeed = peerSeedOf(privateKey)
    const eraser = await run(createEraser({ p, clock, db, network, messages, acceptor, peerSeed, log }))
    const custody =
      init.custody == null
        ? undefined
        : await run(
            await openCustody(
              { ...answering, p, random, clock, deployment, follower, db, peerSeed, index, messages, relayer },
              init.custody
            )
          )

    const guard = createReadGuard({
      p,
      deployment,
      clock,
      chain: () => follower.view(),
      audience: host.peerId.toMultihash().bytes
    })
    let isReady = false
    const waitingFor = (): string[] => [
      ...(isReady && follower.status().state !== 'waiting' ? [] : ['chain']),
      // While it is only full, reads go on.
      ...(disk.status().failure === 'error' ? ['disk'] : [])
    ]
    const isServing = (): boolean => waitingFor().length === 0
    const operatorSide = await run(
      createOperatorSide(
        {
          ...{ p, random, clock, db, provider, host, bans, follower, acceptor, blobs, messages, log, relayer, disk },
          isReady: isServing,
          damagedBlocks: () => blockstore.damaged().length,
          placement: () => placement?.status(),
          upkeep: runningUpkeep,
          backups: () => upkeep?.backups()
        },
        {
          ...init.operators,
          dataDir: init.dataDir,
          chainId: deployment.chainId,
          version: init.version,
          expectsPeers: (init.host.peers ?? []).length > 0
        }
      )
    )
    const app = createHttpApp(
      {
        ...operatorSide.forApp,
        log,
        submit,
        confirmBlob,
        relayer,
        messages,
        onAccepted: handler =>
          acceptor.onAccepted(({ patient }) => {
            handler(patient)
          }),
        index,
        blobs: { ...blobs, read: readFromHolders },
        view: () => follower.view(),
        waitingFor,
        hasBlock: async cid => blockstore.has(cid),
        readBlock: async cid => readBlock(blockstore, cid),
        noteRead: custody?.noteRead,
        attestation: async digest => eraser.attestation(digest),
        guard,
        status: async () => {
          const { state, blockNumber, headNumber } = follower.status()
          return {
            version: init.version,
            peerId: host.peerId.toString(),
            multiaddrs: libp2p.getMultiaddrs().map(String),
            networkId: deployment.networkId,
            peers: libp2p.getPeers().length,
            messages: await messages.head(),
            blobsWanted: blobs.wanted(),
            relays: relayer != null,
            chain: {
              chainId: deployment.chainId,
              state,
              blockNumber,
              headNumber,
              blockTimeS: follower.view().blockTimeS
            }
          }
        }
      },
      { ...init.http, version: init.version, network, clock }
    )
    operatorSide.addRoutes(app)
    custody?.addRoutes(app)
    addBlindRoutes(app, { lists: blindLists, guard })
    const server = createHttpServer({ app, log }, init.http)
    parts.onStop(async () => server.stop())
    parts.onStop(() => operatorSide.hangUp())
    const http = await server.start()
    await operatorSide.listening(http)
    log.info({ http }, 'the HTTP API answers; following the chain')

    await follower.start()
    const identify = (bytes: Uint8Array): Uint8Array => messageId(decodeMessage(bytes, network))
    const ids = await openMessageIds({ p, db, messages, identify })
    await run(
      createSync(
        {
          ...answering,
          db,
          messages,
          ids,
          identify,
          accept: async (bytes, from) =>
            acceptor.accept(bytes, { provenance: 'replicated', from, waitMs: 0, mayQueue: true })
        },
        { networkId: network, ...(init.syncIntervalMs == null ? {} : { intervalMs: init.syncIntervalMs }) }
      )
    )
    const standing = { ...answering, p, clock, db, host, blockstore, index, peerSeed, members }
    placement = (await run(createPart(standing, network, init))).placement
    const tending = { p, deployment, follower, messages, acceptor, ids, bans, clock, db, disk, blockstore, host, log }
    const side = await openUpkeepSide(tending, {
      dataDir: init.dataDir,
      ...(init.mending == null ? {} : { mending: init.mending })
    })
    ;({ upkeep } = await run(side))
    const context: NodeContext = { db, host, exchange, blockstore, messages, follower, deployment, upkeep, log }
    for (const service of init.services?.(context) ?? []) await run(service)
    refuseIfStopped()
    isReady = true
    log.info({ http, peerId: host.peerId.toString() }, 'node runs')
    return { http, peerId: host.peerId.toString(), multiaddrs: libp2p.getMultiaddrs().map(String) }
  }

  function runningUpkeep(): Upkeep {
    if (upkeep == null || stopped.signal.aborted) {
      throw new SalusError('NODE_NOT_RUNNING', 'The node does not run; start it first.')
    }
    return upkeep
  }

  /** A start that fails leaves nothing open: what it opened may be needed by the next node on the folder. */
  async function startOrUndo(): Promise<NodeAddress> {
    try {
      return await start()
    } catch (error) {
      await parts.stopAll()
      throw error
    }
  }

  return {
    async start() {
      starting ??= startOrUndo()
      return starting
    },
    upkeep: runningUpkeep,
    async stop() {
      stopped.abort()
      // Parts are stopped only when no start opens further ones; it tells its own caller why it failed.
      stopping ??= Promise.allSettled([starting]).then(async () => parts.stopAll())
      await stopping
    }
  }
}

/** To whoever submits, a message that is on the disk already is as good as one that was put there now. */
function knownIsAccepted(outcome: Outcome): Outcome {
  return outcome.code === 'MESSAGE_KNOWN' ? { ...outcome, verdict: 'accept' } : outcome
}

/** The side of a node that its operators see: signing in, tokens, events, metrics, alerts. */
import { statfs } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { JsonRpcProvider } from 'ethers'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import type { Acceptor } from '#node/assembly/acceptor.ts'
import type { BlobKeeper } from '#node/assembly/blob-keeper.ts'
import { createChallenges } from '#node/auth/challenge.ts'
import { createLocalToken } from '#node/auth/local-token.ts'
import { createOperatorAuth, type OperatorAuthInit } from '#node/auth/operator-auth.ts'
import { createTokenStore } from '#node/auth/token-store.ts'
import type { Relayer } from '#node/chain/relayer.ts'
import type { Follower } from '#node/chain/follower.ts'
import { createAnsweredStore } from '#node/http/answered.ts'
import type { HttpComponents } from '#node/http/components.ts'
import { createEventHub, type EventHubInit } from '#node/http/event-hub.ts'
import { addOperatorRoutes } from '#node/http/operator-answers.ts'
import { addUpkeepRoutes } from '#node/http/upkeep-routes.ts'
import type { Log } from '#node/log.ts'
import { alertChanges, alertsOf, backupStateOf, type AlertCode } from '#node/metrics/alerts.ts'
import { createHttpMetrics } from '#node/metrics/http-metrics.ts'
import { createNodeMetrics } from '#node/metrics/node-metrics.ts'
import { createProcessMetrics } from '#node/metrics/process-metrics.ts'
import type { Bans } from '#node/network/bans.ts'
import type { Host } from '#node/network/host.ts'
import type { PlacementStatus } from '#node/placement/placement.ts'
import type { Database } from '#node/store/database.ts'
import type { Disk } from '#node/store/disk.ts'
import type { MessageLog } from '#node/store/messages.ts'
import type { BackupStanding, Upkeep } from '#node/store/upkeep.ts'

/** What operators may be given. */
export interface OperatorInit {
  readonly auth?: OperatorAuthInit
  readonly events?: EventHubInit
  /** Answers `/metrics` to everyone. */
  readonly isMetricsPublic?: boolean
  /** Folder of backups that are asked for over the API; without one only whoever can read the node's folder has one made. */
  readonly backupDir?: string
  /** Age of the newest backup above which operators are warned, ms; none unless told. */
  readonly backupWarnMs?: number
  /** Most bytes a second that a scrub reads. */
  readonly scrubBytesPerSecond?: number
  /** Address under which operators reach the API; where it listens unless told. */
  readonly publicUrl?: string
}

/** What it needs of the node. */
export interface OperatorSideComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly db: Database
  readonly provider: JsonRpcProvider
  readonly host: Host
  readonly bans: Bans
  readonly follower: Follower
  readonly acceptor: Acceptor
  readonly blobs: BlobKeeper
  readonly messages: MessageLog
  readonly log: Log
  readonly isReady: () => boolean
  readonly relayer: Pick<Relayer, 'status'> | undefined
  readonly disk: Pick<Disk, 'status'>
  readonly damagedBlocks: () => number
  readonly placement: () => PlacementStatus | undefined
  /** @throws SalusError `NODE_NOT_RUNNING` */
  readonly upkeep: () => Upkeep
  /** Undefined of a node that is not ready. */
  readonly backups: () => BackupStanding | undefined
}

/** What it is told of the node. */
export interface OperatorSideInit extends OperatorInit {
  readonly dataDir: string
  readonly chainId: number
  readonly version: string
  readonly expectsPeers: boolean
}

/** The operators' side of a node. */
export interface OperatorSide {
  /** What the HTTP application takes. */
  readonly forApp: Required<Pick<HttpComponents, 'auth' | 'answered' | 'httpMetrics'>>
  start(): Promise<void>
  addRoutes(app: OpenAPIHono<{ Bindings: HttpBindings }>): void
  /** Says where the API listens; leaves the token of this start in the folder. */
  listening(url: string): Promise<void>
  /** Ends readers of events, backups and scrubs, so that nobody waits for their answers. */
  hangUp(): void
  stop(): Promise<void>
}

const AUTH: OperatorAuthInit = { operators: [], tokenLifetimeS: 43_200, readTokenLifetimeS: 7_776_000 }
const EVENTS: EventHubInit = { kept: 1_000, maxReaders: 256 }
/** Time between two judgements of alerts, ms. */
const WATCH_MS = 15_000
/** Makes it. */
export function createOperatorSide(components: OperatorSideComponents, init: OperatorSideInit): OperatorSide {
  const { p, random, clock, db, provider, host, bans, follower, acceptor, blobs, messages, log } = components
  const stopped = new AbortController()
  const offs: (() => void)[] = []
  let url = init.publicUrl ?? 'http://127.0.0.1'
  const startedMs = clock()
  let alerts: readonly AlertCode[] = []
  let lastMissing = 0
  let watching: Promise<void> = Promise.resolve()

  const tokens = createTokenStore({ db, clock, random })
  const local = createLocalToken(init.dataDir, random)
  const challenges = createChallenges(
    { p, random, clock },
    { url: () => url, peerId: host.peerId.toString(), chainId: init.chainId }
  )
  const auth = createOperatorAuth({ provider, challenges, tokens, local, clock }, init.auth ?? AUTH)
  const answered = createAnsweredStore({ db, clock })
  const events = createEventHub({ random }, init.events ?? EVENTS)
  const httpMetrics = createHttpMetrics()
  const processMetrics = createProcessMetrics(init.version)
  const gossipPeers = (): ReadonlySet<string> =>
    new Set(host.libp2p.services.pubsub.getPeers().map(peer => peer.toString()))
  const nodeMetrics = createNodeMetrics({
    peers: () => host.libp2p.getPeers().length,
    gossipPeers: () => gossipPeers().size,
    messages: async () => messages.head(),
    blobsWanted: () => blobs.wanted(),
    eventReaders: () => events.readers(),
    chain: () => follower.status(),
    blockTimeS: () => follower.view().blockTimeS,
    isReady: components.isReady,
    relayer: () => components.relayer?.status(),
    placement: components.placement,
    disk: () => components.disk.status(),
    damagedBlocks: components.damagedBlocks,
    backups: components.backups,
    dataDir: init.dataDir
  })

  function listen(): void {
    const { count } = nodeMetrics
    const onPeer =
      (state: 'connected' | 'disconnected') =>
      ({ detail }: CustomEvent<{ toString(): string }>): void => {
        count.connected(state === 'connected' ? 'connect' : 'disconnect')
        events.publish('peer', { peerId: detail.toString(), state })
      }
    const [connected, disconnected] = [onPeer('connected'), onPeer('disconnected')]
    host.libp2p.addEventListener('peer:connect', connected)
    host.libp2p.addEventListener('peer:disconnect', disconnected)
    offs.push(
      () => {
        host.libp2p.removeEventListener('peer:connect', connected)
        host.libp2p.removeEventListener('peer:disconnect', disconnected)
      },
      bans.onBan(peerId => {
        count.banned()
        events.publish('peer', { peerId, state: 'banned' })
      }),
      follower.onBlock(({ block }) => events.publish('block', { number: block.number, timeS: block.timeS })),
      acceptor.onAccepted(({ kind }) => {
        count.accepted(kind)
        events.publish('accepted', { kind })
      })
    )
  }

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      const free = await statfs(init.dataDir).catch(() => undefined)
      const { state, endpoints } = follower.status()
      const now = alertsOf({
        chainState: state,
        distrusted: endpoints.filter(endpoint => endpoint.state === 'distrusted').length,
        peers: host.libp2p.getPeers().length,
        expectsPeers: init.expectsPeers,
        disk: components.disk.status(),
        damagedBlocks: components.damagedBlocks(),
        backup: backupStateOf(components.backups(), init.backupWarnMs, { startedMs, nowMs: clock() }),
        diskFreeBytes: free == null ? undefined : free.bavail * free.bsize,
        relayer: components.relayer?.status().balanceState ?? 'none'
      })
      tellOfRepairs()
      for (const change of alertChanges(alerts, now)) {
        events.publish('alert', change)
        log.warn(change, change.active ? 'something needs the operator' : 'it is well again')
      }
      alerts = now
      await pause(WATCH_MS, undefined, { signal: stopped.signal }).catch(() => undefined)
    }
  }

  /** Blobs with too few replicas, where their number has changed. */
  function tellOfRepairs(): void {
    const missing = components.placement()?.missing
    if (missing == null || missing === lastMissing) return
    lastMissing = missing
    events.publish('repair', { missing })
  }

  return {
    forApp: { auth, answered, httpMetrics },
    async start() {
      await tokens.start()
      await answered.start()
      processMetrics.start()
      listen()
      watching = watch()
    },
    addRoutes(app) {
      const metrics = async () => [...processMetrics.read(), ...httpMetrics.read(), ...(await nodeMetrics.read())]
      addOperatorRoutes(
        app,
        { auth, tokens, events, metrics, libp2p: host.libp2p, gossipPeers, bans },
        { isPublic: init.isMetricsPublic === true }
      )
      const { backupDir, scrubBytesPerSecond } = init
      addUpkeepRoutes(
        app,
        { upkeep: components.upkeep, log, stopped: stopped.signal },
        { backupDir, scrubBytesPerSecond }
      )
    },
    async listening(at) {
      url = init.publicUrl ?? at
      // A disk that takes nothing keeps nobody from reading.
      await local.write(at).catch((error: unknown) => log.error({ err: error }, 'operator.json could not be written'))
    },
    hangUp() {
      stopped.abort()
      events.stop()
    },
    async stop() {
      stopped.abort()
      for (const off of offs) off()
      events.stop()
      processMetrics.stop()
      await watching
      await local.remove()
      await tokens.stop()
      await answered.stop()
    }
  }
}

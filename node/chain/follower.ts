/** Follows the chain block by block through re-organisations and outages (docs/specs/chain-index.md). */
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Deployment } from '#core/chain/deployment.ts'
import { agreedLevel } from '#core/chain/agreement.ts'
import { createLogDecoder, followedContracts } from '#core/chain/events.ts'
import { countsUpTo, type ChainHeads, type FinalityLevel } from '#core/chain/finality.ts'
import type { ChainView } from '#core/chain/view.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { firstRangeSize } from '#node/chain/back-fill.ts'
import { createLogReader } from '#node/chain/block-logs.ts'
import { openChainIndex, type BlockEvents, type ChainIndex } from '#node/chain/chain-index.ts'
import { createLeads, disputed, isLie, type Lead } from '#node/chain/chain-lead.ts'
import type { BlockTag, RpcSender } from '#node/chain/chain-rpc.ts'
import { createWalk, type Walk } from '#node/chain/chain-walk.ts'
import { soleEndpoint, type Endpoint, type Endpoints } from '#node/chain/endpoints.ts'
import { noCounts, type FollowerStatus } from '#node/chain/follower-status.ts'
import type { Log } from '#node/log.ts'
import type { Database } from '#node/store/database.ts'

/** What following needs. */
export interface FollowerComponents {
  /** The one endpoint, where no `endpoints` are given. */
  readonly provider: RpcSender
  readonly endpoints?: Endpoints | undefined
  readonly deployment: Deployment
  readonly db: Database
  readonly log: Log
}

/** What it may be told. */
export interface FollowerInit {
  /** Blocks on top of one before it counts; 0 unless told, since a re-organisation is taken back. */
  readonly confirmations?: number
  /** From when on a block counts, instead of `confirmations`. */
  readonly finality?: FinalityLevel
  /** Endpoints that must agree on a block; 2 where there are three or more, else 1, unless told. */
  readonly quorum?: number
  /** Believes headers and logs without proof: for chains whose block hashes are not Ethereum's. */
  readonly trustHeaders?: boolean
  /** Proves the logs of old blocks too, each; near the head they always are. */
  readonly proveAll?: boolean
  /** Time between two looks at the chain, ms; 500 unless told. */
  readonly pollMs?: number
  /** Longest time between two tries while the endpoint is away, ms; 15,000 unless told. */
  readonly maxBackoffMs?: number
  /** Time between two comparisons of the endpoints' blocks, ms; 5,000 unless told. */
  readonly compareMs?: number
  /** Time without progress, while endpoints speak of newer blocks, after which it waits rather than catches up, ms; 10,000 unless told. */
  readonly stallMs?: number
}

/** Hears of each block once it is in the index; `events` are those of Salus. */
export type BlockHandler = (block: BlockEvents) => void

/** A chain follower. */
export interface Follower {
  /**
   * Opens what was followed so far, so that it can be asked before the chain answers.
   *
   * @throws SalusError `CHAIN_OTHER_NETWORK`
   */
  open(): Promise<void>
  /**
   * Checks the endpoint and follows it up to its head; waits while it is unreachable.
   *
   * @throws SalusError `CHAIN_OTHER_CHAIN`, `CHAIN_NO_CONTRACT`, `CHAIN_OTHER_NETWORK`; `CHAIN_FINALITY_UNKNOWN`; `CHAIN_STOPPED` if stopped
   * while it waits
   */
  start(): Promise<void>
  stop(): Promise<void>
  status(): FollowerStatus
  /** The chain as followed so far. */
  view(): ChainView
  /** Hears of blocks after they were added; returns how to stop hearing. */
  onBlock(handler: BlockHandler): () => void
}

/** How often it is asked which blocks are safe and final, ms, where that only is told to people. */
const HEADS_MS = 5_000
/** Blocks below the newest that are compared between endpoints: the newest are often not everywhere yet. */
const COMPARE_DEPTH = 2
/** Codes of an endpoint that must not be followed, and of those that say nothing of others. */
const REFUSALS: readonly string[] = ['CHAIN_OTHER_CHAIN', 'CHAIN_NO_CONTRACT']
const PASSING: readonly string[] = [
  ...['CHAIN_UNREACHABLE', 'CHAIN_RPC_FAILED', 'CHAIN_ANSWER_TOO_LARGE'],
  ...['CHAIN_QUORUM', 'CHAIN_DISPUTED', 'CHAIN_WITHHELD', 'CHAIN_HEADER_RULES']
]
/** Codes of what may pass with the next block: forks at the head, and replicas that lag. */
const TRANSIENT: readonly string[] = ['CHAIN_DISPUTED', 'CHAIN_WITHHELD']

/** Makes a follower; nothing is asked before `start()`. */
export function createFollower(components: FollowerComponents, init: FollowerInit = {}): Follower {
  const { deployment, db, log } = components
  const { confirmations = 0, pollMs = 500, maxBackoffMs = 15_000, compareMs = 5_000, stallMs = 10_000 } = init
  const { finality = confirmations, trustHeaders = false, proveAll = false } = init
  const endpoints = components.endpoints ?? soleEndpoint(components.provider, { clock: Date.now, log })
  const { quorum = endpoints.ranked().length >= 3 ? 2 : 1 } = init
  const leads = createLeads(endpoints, { quorum, trustHeaders })
  const contracts = followedContracts(deployment)
  const handlers = new Set<BlockHandler>()
  const stopped = new AbortController()
  const counters = noCounts()
  /** Endpoints that were checked, with their failures then: after another one they are checked again. */
  const verified = new Map<Endpoint, number>()
  let index: ChainIndex | undefined
  let walk: Walk | undefined
  let away = false
  let loop: Promise<void> | undefined
  let starting: Promise<void> | undefined
  let state: FollowerStatus['state'] = 'starting'
  let heads: ChainHeads = { latest: 0, safe: null, finalized: null }
  let headsAtMs = -Infinity
  let comparedAtMs = -Infinity
  let isDisputed = false
  /** Of the last look that ended well, or added a block. */
  let progressMs = -Infinity
  let code: string | null = null
  let backoffMs = 0

  const opened = (): ChainIndex => {
    if (index == null)
      throw new SalusError('CHAIN_NOT_STARTED', 'The chain is not followed yet; wait until it is ready.')
    return index
  }

  async function open(): Promise<void> {
    if (index != null) return
    index = await openChainIndex(db, deployment)
    const parts = { index, leads, deployment, counters, log, verify, compare, decode: createLogDecoder(deployment) }
    const tell = (block: BlockEvents): void => {
      for (const handler of handlers) handler(block)
    }
    const far = (): void => {
      state = 'catching-up'
    }
    walk = createWalk(
      {
        ...{ ...parts, tell, far },
        reader: createLogReader(contracts, trustHeaders),
        addresses: contracts.map(({ address }) => address),
        pick: below => randomInt(below),
        isStopped: () => stopped.signal.aborted
      },
      { quorum, trustHeaders, proveAll },
      firstRangeSize()
    )
  }

  /** Refuses an endpoint of another chain, or one without the contracts. */
  async function verify({ rpc, endpoint }: Lead): Promise<void> {
    const chainId = await rpc.chainId()
    if (chainId !== deployment.chainId) {
      throw new SalusError(
        'CHAIN_OTHER_CHAIN',
        `The RPC endpoint is of chain ${String(chainId)}, the deployment of chain ${String(deployment.chainId)}.`
      )
    }
    for (const [name, { address, codeHash }] of Object.entries(deployment.contracts)) {
      if ((await rpc.codeHash(address)) === codeHash) continue
      throw new SalusError(
        'CHAIN_NO_CONTRACT',
        `The chain does not have ${name} at the deployment's address; deploy it, or use the right deployment file.`
      )
    }
    verified.set(endpoint, endpoint.health.status().failures)
  }

  /** One look at the chain; returns where the follower stands after it. */
  async function look(lead: Lead, walking: Walk): Promise<'following' | 'catching-up'> {
    if (verified.get(lead.endpoint) !== lead.endpoint.health.status().failures) await verify(lead)
    await readHeads(lead)
    return walking(lead, countsUpTo(finality, heads))
  }

  /** What the chain says of its newest blocks; asked at each look only where it decides what counts. */
  async function readHeads({ headNumber }: Lead): Promise<void> {
    heads = { ...heads, latest: headNumber }
    const nowMs = performance.now()
    if (typeof finality === 'number' && nowMs < headsAtMs + HEADS_MS) return
    headsAtMs = nowMs
    const level = async (tag: BlockTag): Promise<number | null> => agreedLevel(await leads.named(tag), quorum)
    const [safe, finalized] = await Promise.all([level('safe'), level('finalized')])
    heads = { latest: headNumber, safe, finalized }
  }

  /** Compares a block near the head of the index, which is the lead's, between the endpoints. */
  async function compare(lead: Lead): Promise<void> {
    const nowMs = performance.now()
    if (leads.isSole || (!isDisputed && nowMs < comparedAtMs + compareMs)) return
    comparedAtMs = nowMs
    const block = opened().newestUpTo((opened().cursor()?.number ?? 0) - COMPARE_DEPTH)
    if (block == null) return
    const { verdict, differing } = await leads.poll(lead, block, true)
    if (verdict === 'disputed') throw disputed()
    if (differing.length > 0) noteDispute(block.number, differing)
    else isDisputed = false
    if (verdict === 'agreed') for (const { health } of differing) health.disagreed('CHAIN_DISPUTED')
  }

  /** Said once, however long it lasts. */
  function noteDispute(blockNumber: number, differing: readonly Endpoint[]): void {
    if (!isDisputed) {
      counters.disputes++
      const names = differing.map(({ name }) => name)
      log.warn({ code: 'CHAIN_DISPUTED', blockNumber, endpoints: names }, 'RPC endpoints do not agree')
    }
    isDisputed = true
  }

  /** Looks, through another endpoint where one fails; throws where none is left. */
  async function lookAround(): Promise<'following' | 'catching-up'> {
    for (let trials = endpoints.ranked().length; ; trials--) {
      const lead = await leads.elect(opened().cursor()?.number ?? 0)
      try {
        if (walk == null) throw new Error('it was not opened')
        return await look(lead, walk)
      } catch (error) {
        if (stopped.signal.aborted || !isSalusError(error)) throw error
        if (error.code === 'CHAIN_HEADER_FORGED' && (await areRulesUnknown(lead))) throw unknownRules()
        await noteFailure(lead, error)
        if (trials <= 1) throw error
      }
    }
  }

  /** Where too few answer, nothing is known of it. */
  async function areRulesUnknown({ headNumber }: Lead): Promise<boolean> {
    return leads.areRulesUnknown(headNumber).catch(() => false)
  }

  async function noteFailure({ endpoint }: Lead, error: SalusError): Promise<void> {
    if (isLie(error)) {
      counters.lies++
      endpoints.distrust(endpoint, error.code)
      // Logs that were believed on its word may be as wrong. A header says nothing of them: its chain may have got newer rules.
      if (error.code !== 'CHAIN_HEADER_FORGED' && opened().restsOn(endpoint.name)) {
        counters.rebuilds++
        log.warn({ code: error.code }, 'the chain index is built anew: it rests on an endpoint that lied')
        await opened().clear()
      }
    } else if (error.code === 'CHAIN_DISPUTED') {
      noteDispute(opened().cursor()?.number ?? 0, [endpoint])
      endpoint.health.disagreed(error.code)
    } else if (leads.isSole) return
    else if (REFUSALS.includes(error.code)) endpoints.distrust(endpoint, error.code)
    else if (error.code !== 'CHAIN_UNREACHABLE') endpoint.health.gaveNonsense(error.code)
  }

  /**
   * One look at the chain; false if it failed in a way that waiting may cure.
   *
   * @param refuse - throw what waiting cannot cure, as the start does, instead of waiting for the chain to come back
   */
  async function step(refuse: boolean): Promise<boolean> {
    const before = index?.cursor()?.number
    try {
      const reached = await lookAround()
      progressMs = performance.now()
      if (away) log.info({ blockNumber: heads.latest }, 'the chain answers again')
      away = false
      state = reached
      code = null
      backoffMs = 0
      return true
    } catch (error) {
      if (stopped.signal.aborted) return false
      if (!isSalusError(error) || (refuse && !(PASSING.includes(error.code) || isLie(error)))) throw error
      if (index?.cursor()?.number !== before) progressMs = performance.now()
      if (TRANSIENT.includes(error.code) && performance.now() < progressMs + stallMs) {
        state = 'catching-up'
        code = error.code
        return false
      }
      // Said once, however long it lasts.
      if (!away) log.warn({ code: error.code }, `${error.message} Waiting for the chain.`)
      away = true
      state = 'waiting'
      code = error.code
      verified.clear()
      backoffMs = Math.min(Math.max(2 * backoffMs, pollMs), maxBackoffMs)
      return false
    }
  }

  async function wait(): Promise<void> {
    const ms = Math.max(backoffMs, pollMs)
    await pause(ms, undefined, { signal: stopped.signal }).catch(() => undefined)
  }

  async function run(): Promise<void> {
    for (;;) {
      await wait()
      if (stopped.signal.aborted) return
      await step(false).catch((error: unknown) => {
        log.error({ err: error }, 'following the chain failed; trying again')
        backoffMs = maxBackoffMs
      })
    }
  }

  async function begin(): Promise<void> {
    await open()
    while (!(await step(true))) {
      await wait()
      if (stopped.signal.aborted) throw new SalusError('CHAIN_STOPPED', 'Stopped while it waited for the chain.')
    }
    if (!stopped.signal.aborted) loop = run()
  }

  return {
    open,
    async start() {
      starting = begin()
      await starting
    },
    async stop() {
      stopped.abort()
      // A look that is under way still writes.
      await starting?.catch(() => undefined)
      await loop
    },
    status: () => ({
      state,
      blockNumber: index?.cursor()?.number ?? 0,
      headNumber: heads.latest,
      safeNumber: heads.safe,
      finalizedNumber: heads.finalized,
      code,
      counters: { ...counters },
      endpoints: endpoints.status()
    }),
    view: () => opened().view(),
    onBlock(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    }
  }
}

/** Nobody lies, and nothing can be proven. */
function unknownRules(): SalusError {
  return new SalusError(
    'CHAIN_HEADER_RULES',
    'The chain has headers that this version does not know; use a newer one, or trust headers.'
  )
}

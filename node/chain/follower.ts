/** Follows the chain block by block through re-organisations and outages (docs/specs/chain-index.md). */
import { setTimeout as pause } from 'node:timers/promises'
import type { Deployment } from '#core/chain/deployment.ts'
import { createLogDecoder, type ChainEvent } from '#core/chain/events.ts'
import type { ChainView } from '#core/chain/view.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import {
  JOURNAL_BLOCKS,
  openChainIndex,
  type BlockEvents,
  type ChainIndex,
  type Cursor
} from '#node/chain/chain-index.ts'
import { createChainRpc, type BlockHeader, type PlacedLog, type RpcSender } from '#node/chain/chain-rpc.ts'
import type { Log } from '#node/log.ts'
import type { Database } from '#node/store/database.ts'

/** What following needs. */
export interface FollowerComponents {
  readonly provider: RpcSender
  readonly deployment: Deployment
  readonly db: Database
  readonly log: Log
}

/** What it may be told. */
export interface FollowerInit {
  /** Blocks on top of one before it counts; 0 unless told, since a re-organisation is taken back. */
  readonly confirmations?: number
  /** Time between two looks at the chain, ms; 500 unless told. */
  readonly pollMs?: number
  /** Longest time between two tries while the endpoint is away, ms; 15,000 unless told. */
  readonly maxBackoffMs?: number
}

/** Where the follower stands. */
export interface FollowerStatus {
  readonly state: 'starting' | 'following' | 'catching-up' | 'waiting'
  readonly blockNumber: number
  /** Newest block that the endpoint spoke of. */
  readonly headNumber: number
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
   * @throws SalusError `CHAIN_OTHER_CHAIN`, `CHAIN_NO_CONTRACT`, `CHAIN_OTHER_NETWORK`; `CHAIN_STOPPED` if stopped while it waits
   */
  start(): Promise<void>
  stop(): Promise<void>
  status(): FollowerStatus
  /** The chain as followed so far. */
  view(): ChainView
  /** Hears of blocks after they were added; returns how to stop hearing. */
  onBlock(handler: BlockHandler): () => void
}

/** Blocks per request while far behind, and header requests under way at once while near. */
const RANGE_BLOCKS = 1_000
const WINDOW_BLOCKS = 32

/** Makes a follower; nothing is asked before `start()`. */
export function createFollower(
  { provider, deployment, db, log }: FollowerComponents,
  init: FollowerInit = {}
): Follower {
  const { confirmations = 0, pollMs = 500, maxBackoffMs = 15_000 } = init
  const rpc = createChainRpc(provider)
  const decode = createLogDecoder(deployment)
  const addresses = Object.values(deployment.contracts).map(({ address }) => address)
  const handlers = new Set<BlockHandler>()
  const stopped = new AbortController()
  let index: ChainIndex | undefined
  let verified = false
  let away = false
  let loop: Promise<void> | undefined
  let state: FollowerStatus['state'] = 'starting'
  let headNumber = 0
  let backoffMs = 0

  const opened = (): ChainIndex => {
    if (index == null)
      throw new SalusError('CHAIN_NOT_STARTED', 'The chain is not followed yet; wait until it is ready.')
    return index
  }
  const tell = (block: BlockEvents): void => {
    for (const handler of handlers) handler(block)
  }
  const eventsOf = (logs: readonly PlacedLog[]): ChainEvent[] => logs.map(decode).filter(event => event != null)

  /** Refuses an endpoint of another chain, or one without the contracts. */
  async function verify(): Promise<void> {
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
    verified = true
  }

  /**
   * Takes blocks back until the newest one is on the chain; starts anew where the journal ends first. Only another hash under a block's
   * number takes it back. A block that the endpoint does not have proves nothing: the endpoint may be a replica that lags.
   *
   * @returns `undefined` while the endpoint is behind the index
   */
  async function findCommonBlock(on: ChainIndex): Promise<Cursor | undefined> {
    let taken = 0
    for (let at = on.cursor(); at != null; at = on.cursor()) {
      const known = on.newestUpTo(Math.min(at.number, headNumber))
      const there = known == null ? undefined : await rpc.header(known.number)
      if (known == null || there == null) return undefined
      if (there.hash === known.hash) {
        if (taken > 0) log.info({ blocks: taken, blockNumber: known.number }, 'the chain was re-organised')
        return known.number === at.number ? at : undefined
      }
      taken += await takeBackFrom(on, known.number)
      if ((on.cursor()?.number ?? -1) >= known.number) break
    }
    if (on.cursor() != null) {
      await verify()
      log.warn({ journalBlocks: JOURNAL_BLOCKS }, 're-organised deeper than the journal; the chain index is built anew')
      await on.clear()
    }
    const number = Math.max(deployment.blockNumber - 1, 0)
    const header = await rpc.header(number)
    if (header == null) throw new SalusError('CHAIN_RPC_FAILED', 'The chain has not reached the deployment block.')
    await on.begin(cursorOf(header))
    return cursorOf(header)
  }

  /** Takes back a block and all that lie on it, as far as the journal reaches; returns how many. */
  async function takeBackFrom(on: ChainIndex, number: number): Promise<number> {
    let taken = 0
    while ((on.cursor()?.number ?? -1) >= number && (await on.takeBack())) taken++
    return taken
  }

  /** One look at the chain; returns where the follower stands after it. */
  async function look(on: ChainIndex): Promise<'following' | 'catching-up'> {
    headNumber = await rpc.headNumber()
    const target = headNumber - confirmations
    const common = await findCommonBlock(on)
    // What was seen stays: a revocation must not be undone because another replica answers.
    if (common == null) return 'catching-up'
    let at = common
    while (at.number < target && !stopped.signal.aborted) {
      if (target - at.number > WINDOW_BLOCKS) state = 'catching-up'
      const oldUntil = Math.min(target - JOURNAL_BLOCKS, at.number + RANGE_BLOCKS)
      const next = oldUntil > at.number ? await addOld(on, at, oldUntil) : await addNew(on, at, target)
      if (next.number === at.number) return 'catching-up'
      at = next
    }
    return 'following'
  }

  /** Blocks that lie deeper than the journal: only those with logs are looked at. */
  async function addOld(on: ChainIndex, at: Cursor, until: number): Promise<Cursor> {
    const logs = await rpc.logsIn(at.number + 1, until, addresses)
    const numbers = [...new Set(logs.map(({ blockNumber }) => blockNumber))]
    const blocks: BlockEvents[] = []
    for (const number of numbers) {
      const header = await existing(number)
      const events = eventsOf(logs.filter(({ blockNumber }) => blockNumber === number))
      blocks.push({ block: cursorOf(header), events })
    }
    const end = cursorOf(await existing(until))
    await on.appendOld(blocks, end)
    blocks.forEach(tell)
    return end
  }

  /** Blocks near the head, each joined to the one before it. Returns the last one added. */
  async function addNew(on: ChainIndex, at: Cursor, target: number): Promise<Cursor> {
    const count = Math.min(target - at.number, WINDOW_BLOCKS)
    const headers = await Promise.all(Array.from({ length: count }, async (_, i) => rpc.header(at.number + 1 + i)))
    let last = at
    for (const header of headers) {
      // Re-organised while we read: the next look finds the common block.
      if (header?.parentHash !== last.hash || header.number !== last.number + 1) return last
      const block = { block: cursorOf(header), events: eventsOf(await rpc.logsOf(header.hash, addresses)) }
      await on.append(block)
      last = block.block
      tell(block)
    }
    return last
  }

  async function existing(number: number): Promise<BlockHeader> {
    const header = await rpc.header(number)
    if (header == null) throw new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint gave logs of a block it has not.')
    return header
  }

  /**
   * One look at the chain; false if it failed in a way that waiting may cure.
   *
   * @param refuse - throw what waiting cannot cure, as the start does, instead of waiting for the chain to come back
   */
  async function step(refuse: boolean): Promise<boolean> {
    try {
      if (!verified) await verify()
      const reached = await look(opened())
      if (away) log.info({ blockNumber: headNumber }, 'the chain answers again')
      away = false
      state = reached
      backoffMs = 0
      return true
    } catch (error) {
      if (stopped.signal.aborted) return false
      if (!isSalusError(error) || (refuse && !mayPass(error))) throw error
      // Said once, however long it lasts.
      if (!away) log.warn({ code: error.code }, `${error.message} Waiting for the chain.`)
      away = true
      state = 'waiting'
      verified = false
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

  return {
    async open() {
      index ??= await openChainIndex(db, deployment)
    },
    async start() {
      index ??= await openChainIndex(db, deployment)
      while (!(await step(true))) {
        await wait()
        if (stopped.signal.aborted) throw new SalusError('CHAIN_STOPPED', 'Stopped while it waited for the chain.')
      }
      loop = run()
    },
    async stop() {
      stopped.abort()
      await loop
    },
    status: () => ({ state, blockNumber: index?.cursor()?.number ?? 0, headNumber }),
    view: () => opened().view(),
    onBlock(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    }
  }
}

/** Whether waiting may help. */
function mayPass(error: SalusError): boolean {
  return error.code === 'CHAIN_UNREACHABLE' || error.code === 'CHAIN_RPC_FAILED'
}

function cursorOf({ number, hash, timeS }: BlockHeader): Cursor {
  return { number, hash, timeS }
}

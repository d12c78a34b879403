/**
 * Fetches blocks from several holders at once, for one file or block: each from one holder at a time, verified before it is
 * stored, on the disk before it is handed out (docs/specs/range.md). What no holder has is left to bitswap.
 */
import { createHash } from 'node:crypto'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { base32 } from 'multiformats/bases/base32'
import type { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { createRangePlan } from '#core/network/range-plan.ts'
import type { Log } from '#node/log.ts'
import type { Announce } from '#node/network/announce.ts'
import { PENALTY, type Bans } from '#node/network/bans.ts'
import { findHolders } from '#node/network/range-holders.ts'
import { openRangeStream, type RangeStream } from '#node/network/range-stream.ts'
import { readBlock } from '#node/network/read-block.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** What fetching needs. */
export interface RangeSessionComponents {
  readonly libp2p: Libp2p
  readonly blockstore: Pick<DiskBlockstore, 'get' | 'put'>
  readonly bans: Bans
  readonly log: Log
  readonly announce: Announce
  /** A block that no holder has, verified and stored. */
  readonly fallback: (cid: CID, signal: AbortSignal) => Promise<Uint8Array>
  /** Counts what comes. */
  readonly count: (what: keyof RangeCounts, amount: number) => void
}

/** What a node fetched so far. */
export interface RangeCounts {
  /** Bytes of blocks that were taken. */
  readonly receivedBytes: number
  /** Bytes that came and were of no use: of liars, and of work that was given to another holder. */
  readonly wastedBytes: number
  /** Blocks that were left to bitswap. */
  readonly fallbackBlocks: number
}

/** Blocks for one fetch. */
export interface RangeSession {
  /**
   * A block, verified and on the disk.
   *
   * @param sizeBytes - as far as anyone knows; only for planning
   * @throws SalusError `STORE_WRITE_FAILED`, and what the fallback throws
   */
  load(cid: CID, sizeBytes: number): Promise<Uint8Array>
  /** Ends every stream; what is still waited for is rejected. */
  stop(): void
}

interface Want {
  readonly cid: CID
  readonly bytes: PromiseWithResolvers<Uint8Array>
}

interface Holder {
  readonly peer: PeerId
  readonly stream: RangeStream
  /** Blocks that were asked for, in the order in which they come. */
  readonly expected: string[]
  progressMs: number
}

/** Holders that are asked at once. */
const MAX_HOLDERS = 8
const TICK_MS = 250
/** A holder that sends nothing for so long is given up, also where there is no other. */
const STALL_MS = 10_000
/** A holder that was given up gets no work for so long. */
const ASIDE_MS = 10_000
/** Time between two questions to one peer. */
const LOOK_MS = 2_000

/** Begins a fetch; holders are looked for with the first block. */
export function createRangeSession(components: RangeSessionComponents, signal: AbortSignal): RangeSession {
  const { libp2p, blockstore, bans, log, announce, fallback, count } = components
  const plan = createRangePlan()
  const wants = new Map<string, Want>()
  const holders = new Map<string, Holder>()
  /** Peers that are not asked before a time: they were slow, or do not speak the protocol. */
  const aside = new Map<string, number>()
  let looking: Promise<void> | undefined
  /** When each peer was last asked whether it is a holder. */
  const askedMs = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  const now = (): number => performance.now()

  function drop(id: string, asideMs: number): void {
    const holder = holders.get(id)
    if (holder == null) return
    holders.delete(id)
    plan.removeHolder(id)
    aside.set(id, now() + asideMs)
    count('wastedBytes', holder.stream.pendingBytes())
    holder.stream.abort()
    pump()
  }

  /** Cuts off a peer that sent what nobody asked for. */
  function ban(id: string, code: string): void {
    log.warn({ peer: id, code }, 'a peer sent a wrong block')
    drop(id, Infinity)
    bans.penalise(id, PENALTY.flood, code)
  }

  async function store(key: string, want: Want, bytes: Uint8Array): Promise<void> {
    try {
      await blockstore.put(want.cid, bytes)
      want.bytes.resolve(bytes)
      await announce(want.cid)
    } catch (error) {
      want.bytes.reject(error)
    } finally {
      wants.delete(key)
    }
  }

  function takeBlock(id: string, bytes: Uint8Array | undefined): void {
    const holder = holders.get(id)
    if (holder == null) {
      count('wastedBytes', bytes?.length ?? 0)
      return
    }
    const key = holder.expected.shift()
    if (key == null) {
      ban(id, 'RANGE_UNASKED')
      return
    }
    if (bytes == null) {
      plan.lacks(id, key, now())
      pump()
      return
    }
    const want = wants.get(key)
    if (!equalBytes(createHash('sha256').update(bytes).digest(), base32.decode(key))) {
      count('wastedBytes', bytes.length)
      ban(id, 'RANGE_BAD_BLOCK')
      return
    }
    if (want == null || !plan.received(id, key, bytes.length, now())) {
      count('wastedBytes', bytes.length)
      return
    }
    count('receivedBytes', bytes.length)
    pump()
    void store(key, want, bytes)
  }

  async function addHolder(peer: PeerId): Promise<void> {
    const id = peer.toString()
    if (isStopped || holders.size >= MAX_HOLDERS || holders.has(id)) return
    const expected: string[] = []
    try {
      const stream = await openRangeStream(
        libp2p,
        peer,
        {
          onBlock: bytes => {
            takeBlock(id, bytes)
          },
          onProgress: () => {
            const holder = holders.get(id)
            if (holder != null) holder.progressMs = now()
          },
          onEnd: error => {
            if (isSalusError(error)) ban(id, error.code)
            else drop(id, 0)
          }
        },
        signal
      )
      if (signal.aborted || holders.size >= MAX_HOLDERS || stream.isOver()) {
        stream.abort()
        return
      }
      holders.set(id, { peer, stream, expected, progressMs: now() })
      plan.addHolder(id)
      pump()
    } catch (error) {
      log.debug({ peer: id, err: error }, 'a peer could not be asked for blocks')
      aside.set(id, now() + ASIDE_MS)
    }
  }

  function isCandidate(id: string): boolean {
    const nowMs = now()
    const isAside = (aside.get(id) ?? -Infinity) > nowMs
    return !holders.has(id) && !isAside && nowMs - (askedMs.get(id) ?? -Infinity) > LOOK_MS && !bans.isBanned(id)
  }

  /** Looks for holders of a block among the connected peers that were not asked just now. */
  function look(cid: CID): void {
    if (looking != null || isStopped || holders.size >= MAX_HOLDERS) return
    const candidates = libp2p.getPeers().filter(peer => isCandidate(peer.toString()))
    if (candidates.length === 0) return
    for (const peer of candidates) askedMs.set(peer.toString(), now())
    looking = findHolders(libp2p, candidates, cid, { onHolder: addHolder, signal })
      .catch((error: unknown) => {
        log.debug({ err: error }, 'holders could not be looked for')
      })
      .finally(() => {
        looking = undefined
        pump()
      })
  }

  /** Leaves to bitswap what no holder has. */
  function giveUp(): void {
    const hopeless = plan.hopeless()
    const [first] = hopeless
    const want = wants.get(first ?? '')
    if (want == null) return
    look(want.cid)
    if (looking != null) return
    for (const key of hopeless) {
      plan.unwant(key)
      const left = wants.get(key)
      if (left == null) continue
      wants.delete(key)
      count('fallbackBlocks', 1)
      left.bytes.resolve(fallback(left.cid, signal))
    }
  }

  function pump(): void {
    if (isStopped) return
    for (const { holder: id, keys } of plan.next(now())) {
      const holder = holders.get(id)
      if (holder == null) continue
      if (holder.expected.length === 0) holder.progressMs = now()
      holder.expected.push(...keys)
      holder.stream.ask(keys.map(key => base32.decode(key)))
    }
    giveUp()
  }

  function tick(): void {
    const nowMs = now()
    for (const id of plan.overdue(nowMs)) drop(id, ASIDE_MS)
    for (const [id, { expected, progressMs }] of holders) {
      if (expected.length > 0 && nowMs - progressMs > STALL_MS) drop(id, ASIDE_MS)
    }
    const [want] = wants.values()
    if (want != null) look(want.cid)
    pump()
  }

  function stop(): void {
    if (isStopped) return
    isStopped = true
    clearInterval(timer)
    signal.removeEventListener('abort', stop)
    for (const { stream } of holders.values()) stream.abort()
    for (const { bytes } of wants.values()) bytes.reject(signal.reason ?? new Error('the fetch ended'))
    wants.clear()
  }

  signal.addEventListener('abort', stop)

  return {
    async load(cid, sizeBytes) {
      const key = base32.encode(cid.multihash.digest)
      const known = wants.get(key)
      if (known != null) return known.bytes.promise
      const here = await readBlock(blockstore, cid)
      if (here != null) return here
      signal.throwIfAborted()
      if (cid.multihash.code !== sha256.code) return fallback(cid, signal)
      // Someone else may have asked for it since.
      const wanted = wants.get(key)
      if (wanted != null) return wanted.bytes.promise
      const want: Want = { cid, bytes: Promise.withResolvers() }
      wants.set(key, want)
      timer ??= setInterval(tick, TICK_MS)
      plan.want(key, sizeBytes)
      if (holders.size === 0) look(cid)
      pump()
      return want.bytes.promise
    },
    stop
  }
}

/** Sends blocks to peers over `/salus/range/1`: everyone in turn, and to each no more than it takes (docs/specs/range.md). */
import { createHash } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { anySignal } from 'any-signal'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { blockHeader, decodeRangeRequest, MAX_BLOCK_BYTES, MAX_RANGE_REQUEST_BYTES } from '#core/network/range.ts'
import { streamToEnd } from '#core/network/stream-share.ts'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { PENALTY } from '#node/network/bans.ts'
import { untilBelow } from '#node/network/drain.ts'
import { readBlock, type LocalBlocks } from '#node/network/read-block.ts'
import { isOversize, nameOf, type AnswerComponents } from '#node/network/request.ts'
import { createTurns } from '#node/network/turns.ts'
import { MAX_SMALL_BLOCK_BYTES } from '#node/store/blocks.ts'

/** libp2p protocol id. */
export const RANGE_PROTOCOL = '/salus/range/1'

/** What serving needs besides what every answering protocol does. */
export interface RangeServiceComponents extends AnswerComponents {
  /** The node's own store: asking it never asks the network. */
  readonly blockstore: LocalBlocks
}

/** What serving may be told. */
export interface RangeServiceInit {
  /** Time for a peer to take a block, ms; 60,000 unless told. */
  readonly sendTimeoutMs?: number
  /** Time for a peer to ask for more, ms; 30,000 unless told. */
  readonly idleTimeoutMs?: number
  /** Streams of all peers; 64 unless told. */
  readonly maxStreams?: number
}

/** Sends blocks. */
export interface RangeService {
  start(): Promise<void>
  /** Ends what is being sent. */
  stop(): Promise<void>
  /** Bytes of blocks sent so far. */
  sentBytes(): number
}

/** Streams that a peer may have open. */
const MAX_STREAMS_PER_PEER = 4
/** Blocks that are read from the disk at once, for all peers. */
const READS_AT_ONCE = 4
/** Requests that may wait on a stream, in bytes. */
const MAX_WAITING_BYTES = 4 * MAX_RANGE_REQUEST_BYTES
/** Left unsent while the next block is prepared. */
const LOW_WATER_BYTES: number = 256 << 10
/** Blocks up to this size go out in one piece with their header. */
const JOINED_BYTES: number = 64 << 10

/** The `/salus/range/1` service of a node. */
export function createRangeService(components: RangeServiceComponents, init: RangeServiceInit = {}): RangeService {
  const { libp2p, bans, log, rate, blockstore } = components
  const { sendTimeoutMs = 60_000, idleTimeoutMs = 30_000, maxStreams = 64 } = init
  const turns = createTurns(READS_AT_ONCE)
  const open = new Map<Stream, { readonly peer: string; activeMs: number }>()
  let sentBytes = 0

  /** A block from the disk, or nothing where it is not here or not whole. */
  async function read(digest: Uint8Array, peer: string): Promise<Uint8Array | undefined> {
    const turn = await turns.take(peer)
    try {
      const bytes = await readBlock(blockstore, cidOfDigest(RAW_CODEC, digest))
      if (bytes == null || bytes.length > MAX_BLOCK_BYTES) return undefined
      // Files are checked as they are read, values of the database are not; whoever sends a wrong block is cut off.
      if (bytes.length > MAX_SMALL_BLOCK_BYTES || equalBytes(createHash('sha256').update(bytes).digest(), digest)) {
        return bytes
      }
      log.warn({ code: 'BLOCK_DAMAGED' }, 'a block that a peer asked for is damaged; a scrub takes it out')
      return undefined
    } catch (error) {
      if (!isSalusError(error)) throw error
      log.warn({ code: error.code }, 'a block that a peer asked for could not be read')
      return undefined
    } finally {
      turn()
    }
  }

  async function send(stream: Stream, bytes: Uint8Array | undefined): Promise<void> {
    const header = blockHeader(bytes?.length)
    if (bytes != null && bytes.length > JOINED_BYTES) {
      stream.send(header)
      stream.send(bytes)
    } else {
      stream.send(bytes == null ? header : concat(header, bytes))
    }
    sentBytes += bytes?.length ?? 0
    await untilBelow(stream, LOW_WATER_BYTES, sendTimeoutMs)
    // What is not there is soon said: asking for it keeps nobody's place.
    const state = open.get(stream)
    if (state != null && bytes != null) state.activeMs = performance.now()
  }

  /** Answers one request; the next block is read while one is sent. */
  async function answer(stream: Stream, digests: readonly Uint8Array[], peer: string): Promise<void> {
    const readAhead = (i: number): Promise<Uint8Array | undefined> | undefined => {
      const digest = digests[i]
      const reading = digest == null ? undefined : read(digest, peer)
      // Its failure is seen when its turn comes; until then it must not count as unhandled.
      reading?.catch(() => undefined)
      return reading
    }
    let next = readAhead(0)
    for (let i = 1; next != null; i++) {
      const bytes = await next
      next = readAhead(i)
      await send(stream, bytes)
    }
  }

  function makePlace(newcomer: string): void {
    if (open.size < maxStreams) return
    const stream = [...open.keys()][streamToEnd([...open.values()], newcomer, performance.now())]
    if (stream == null) throw new Error('too many streams')
    open.delete(stream)
    stream.abort(new Error('its place went to a peer that has fewer'))
  }

  async function serve(stream: Stream, peer: string): Promise<void> {
    // The reader is attached before anything is awaited: what comes without one is lost.
    const frames = lpStream(stream, { maxDataLength: MAX_RANGE_REQUEST_BYTES, maxBufferSize: MAX_WAITING_BYTES })
    if (!rate.take(peer)) throw new SalusError('REQUEST_FLOOD', 'Too many requests; wait before the next one.')
    for (;;) {
      const idle = anySignal([AbortSignal.timeout(idleTimeoutMs)])
      let bytes: Uint8Array
      try {
        bytes = (await frames.read({ signal: idle })).subarray()
      } catch (error) {
        if (nameOf(error) === 'UnexpectedEOFError') break
        throw error
      } finally {
        idle.clear()
      }
      await answer(stream, decodeRangeRequest(bytes), peer)
    }
    await stream.close({ signal: AbortSignal.timeout(sendTimeoutMs) })
  }

  return {
    async start() {
      await libp2p.handle(
        RANGE_PROTOCOL,
        async (stream, connection) => {
          const peer = connection.remotePeer.toString()
          try {
            makePlace(peer)
            open.set(stream, { peer, activeMs: performance.now() })
            await serve(stream, peer)
          } catch (error) {
            if (isSalusError(error)) bans.penalise(peer, PENALTY.garbage, error.code)
            else if (isOversize(error) || nameOf(error) === 'StreamBufferError')
              bans.penalise(peer, PENALTY.garbage, 'REQUEST_OVERSIZE')
            log.debug({ peer, err: error }, 'sending blocks ended')
            stream.abort(error instanceof Error ? error : new Error('sending blocks ended'))
          } finally {
            open.delete(stream)
          }
        },
        { maxInboundStreams: MAX_STREAMS_PER_PEER, maxOutboundStreams: MAX_STREAMS_PER_PEER }
      )
    },
    async stop() {
      await libp2p.unhandle(RANGE_PROTOCOL)
      for (const stream of open.keys()) stream.abort(new Error('the node stops'))
    },
    sentBytes: () => sentBytes
  }
}

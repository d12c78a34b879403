/** Moves blocks between peers: serves them, and fetches files from several holders at once (docs/specs/range.md). */
import { anySignal } from 'any-signal'
import type { CID } from 'multiformats/cid'
import { getBlock, type BlockOptions } from '#node/network/bitswap-block.ts'
import { fetchFile, type FileOptions } from '#node/network/fetch-file.ts'
import type { Host } from '#node/network/host.ts'
import { createRangeService, type RangeServiceInit } from '#node/network/range-serve.ts'
import { createRangeSession, type RangeCounts } from '#node/network/range-session.ts'
import type { AnswerComponents } from '#node/network/request.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** What the exchange needs. */
export interface ExchangeComponents extends Omit<AnswerComponents, 'libp2p'> {
  readonly host: Host
  readonly blockstore: DiskBlockstore
}

/** How a file is fetched; tries and deadlines are those of bitswap, to which is left what no holder has. */
export interface FetchOptions extends FileOptions, Pick<BlockOptions, 'deadlineMs' | 'tries'> {}

/** What was moved since the start. */
export interface ExchangeCounts extends RangeCounts {
  readonly sentBytes: number
}

/** The exchange of a node. */
export interface Exchange {
  /** Serves blocks; the host must run. */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * The bytes of a file from here or from peers, in order; each block is on the disk before it is handed out.
   *
   * @throws SalusError as {@link fetchFile} and {@link getBlock}; `STORE_WRITE_FAILED`
   */
  fetch(root: CID, options: FetchOptions): AsyncGenerator<Uint8Array>
  counts(): ExchangeCounts
}

/** The exchange over a host. */
export function createExchange(components: ExchangeComponents, init: RangeServiceInit = {}): Exchange {
  const { host, blockstore, bans, log, rate } = components
  const counts = { receivedBytes: 0, wastedBytes: 0, fallbackBlocks: 0 }
  let service: ReturnType<typeof createRangeService> | undefined

  return {
    async start() {
      service = createRangeService({ libp2p: host.libp2p, blockstore, bans, log, rate }, init)
      await service.start()
    },
    async stop() {
      await service?.stop()
    },
    async *fetch(root, options) {
      const { deadlineMs, tries } = options
      const limits = { ...(deadlineMs == null ? {} : { deadlineMs }), ...(tries == null ? {} : { tries }) }
      const ended = new AbortController()
      // Not AbortSignal.any: it keeps every signal that was ever joined to a long-lived one.
      const signal = anySignal([options.signal, ended.signal])
      const session = createRangeSession(
        {
          libp2p: host.libp2p,
          blockstore,
          bans,
          log,
          announce: host.announce,
          fallback: async (cid, until) => getBlock(host.helia, cid, { ...limits, signal: until }),
          count: (what, amount) => (counts[what] += amount)
        },
        signal
      )
      try {
        yield* fetchFile(async (cid, { sizeBytes }) => session.load(cid, sizeBytes), root, options)
      } finally {
        ended.abort()
        session.stop()
        signal.clear()
      }
    },
    counts: () => ({ ...counts, sentBytes: service?.sentBytes() ?? 0 })
  }
}

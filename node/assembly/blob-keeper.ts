/** Brings blobs that accepted entries name from peers to this node, a few at a time, for as long as it takes. */
import { setTimeout as pause } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { blobBlocks, blobCid } from '#core/record/blob-cid.ts'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import type { NamedBlob, WantedBlob } from '#node/assembly/blob-wants.ts'
import type { Log } from '#node/log.ts'
import type { Exchange } from '#node/network/exchange.ts'
import type { Host } from '#node/network/host.ts'
import { pin } from '#node/network/import-file.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** What a node that keeps only its part says of a blob; one that keeps all has none. */
export interface KeptPart {
  /** Whether there is room for it still. */
  hasRoom(blob: Omit<WantedBlob, 'cid' | 'tries'>): boolean
  /** Has peers connected that should hold it. */
  connect(cid: CID): Promise<void>
  /** It is here now. */
  kept(blob: NamedBlob): Promise<void>
}

/** What keeping blobs needs. */
export interface BlobKeeperComponents {
  readonly p: Primitives
  readonly host: Host
  readonly exchange: Exchange
  readonly blockstore: DiskBlockstore
  readonly index: AcceptIndex
  readonly clock: Clock
  readonly log: Log
  readonly part?: () => KeptPart | undefined
}

/** What it may be told. */
export interface BlobKeeperInit {
  /** Largest blob to keep, bytes; 256 MiB unless told. */
  readonly maxBlobBytes?: number
  /** Blobs that are fetched at once; 2 unless told. */
  readonly maxConcurrent?: number
  /** Time between two looks for blobs whose next try has come, ms; 1,000 unless told. */
  readonly lookMs?: number
}

/** Keeps blobs. */
export interface BlobKeeper {
  start(): void
  stop(): Promise<void>
  /** Looks for what is wanted at once. */
  nudge(): void
  /** Blobs that are named but not here. */
  wanted(): number
  /**
   * Stores a blob that an accepted entry names, in a size that it names.
   *
   * @throws SalusError `BLOB_NOT_NAMED`, `BLOB_SIZE`, `BLOB_DIGEST`
   */
  put(cid: CID, bytes: Uint8Array): Promise<void>
  /**
   * Largest size of a blob that may be put: anyone who writes may name any size beside the right one.
   *
   * @throws SalusError `BLOB_NOT_NAMED` if no accepted entry names it
   */
  maxSizeOf(cid: CID): Promise<number>
  /** Whether an accepted entry names the blob in this size. */
  names(cid: CID, sizeBytes: number): boolean
  /** A blob's bytes from here or from peers. */
  read(cid: CID, options: { readonly maxBytes: number; readonly signal: AbortSignal }): AsyncGenerator<Uint8Array>
}

/** Bytes in flight for one reader of many. */
const READ_WINDOW_BYTES: number = 8 << 20
/** Blobs between two looks at who else waits. */
const BATCH = 32
/** What no further try will change: the bytes behind a CID are what they are. */
const NEVER: ReadonlySet<string> = new Set(['FETCH_OVERSIZE', 'FETCH_MALFORMED', 'FETCH_NOT_A_FILE'])

/** Time for any blob, ms, and least speed of a larger one: a holder that drips must not keep the others waiting for ever. */
const MIN_FETCH_MS = 60_000
const MIN_BYTES_PER_MS = 64

/** Makes the service; nothing is fetched before `start()`. */
export function createBlobKeeper(components: BlobKeeperComponents, init: BlobKeeperInit = {}): BlobKeeper {
  const { p, host, exchange, blockstore, index, clock, log, part = () => undefined } = components
  const { maxBlobBytes = 256 << 20, maxConcurrent = 2, lookMs = 1_000 } = init
  const stopped = new AbortController()
  let wake = new AbortController()
  let loop: Promise<void> | undefined

  async function fetchOne(want: WantedBlob): Promise<void> {
    const { sizeBytes } = want
    if (sizeBytes > maxBlobBytes) {
      log.warn({ sizeBytes }, 'a blob is larger than this node keeps')
      await index.wants.unwant(want)
      return
    }
    if (part()?.hasRoom(want) === false) {
      // The next look at what belongs here has it wanted again.
      await index.wants.unwant(want)
      return
    }
    const cid = CID.parse(want.cid)
    try {
      await part()?.connect(cid)
      let bytes = 0
      // Just above the five seconds within which a peer does not send a block again.
      const signal = AbortSignal.any([
        stopped.signal,
        AbortSignal.timeout(MIN_FETCH_MS + Math.ceil(sizeBytes / MIN_BYTES_PER_MS))
      ])
      const limit = { maxBytes: sizeBytes, signal, tries: 1, deadlineMs: 6_000 }
      for await (const piece of exchange.fetch(cid, limit)) bytes += piece.length
      if (bytes !== sizeBytes) log.warn('a blob has another size than its entry says; its readers will refuse it')
      else {
        await pin(host.helia, cid)
        await part()?.kept(want)
      }
      // Only in this size: another entry may name the right one.
      await index.wants.unwant(want)
    } catch (error) {
      if (stopped.signal.aborted) return
      log.debug({ err: error }, 'a blob could not be fetched')
      if (isSalusError(error) && NEVER.has(error.code)) await index.wants.unwant(want)
      else await index.wants.postpone(want, clock())
    }
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const blobs = await index.wants.due(clock(), BATCH)
      const queue = blobs.values()
      const worker = async (): Promise<void> => {
        for (const blob of queue) {
          if (stopped.signal.aborted) return
          await fetchOne(blob)
        }
      }
      await Promise.all(Array.from({ length: maxConcurrent }, worker))
      if (blobs.length === BATCH) continue
      const signal = AbortSignal.any([wake.signal, stopped.signal])
      await pause(lookMs, undefined, { signal }).catch(() => undefined)
      wake = new AbortController()
    }
  }

  const keeper: BlobKeeper = {
    start() {
      loop = run().catch((error: unknown) => log.error({ err: error }, 'fetching blobs ended'))
    },
    async stop() {
      stopped.abort()
      await loop
    },
    nudge: () => wake.abort(),
    wanted: () => index.wants.total(),
    async maxSizeOf(cid) {
      const sizeBytes = await index.largestSize(cid)
      if (sizeBytes == null) {
        throw new SalusError('BLOB_NOT_NAMED', 'No accepted entry names this blob; send the entry first.')
      }
      return Math.min(sizeBytes, maxBlobBytes)
    },
    names: (cid, sizeBytes) => index.names({ cid: cid.toString(), sizeBytes }),
    async put(cid, bytes) {
      await keeper.maxSizeOf(cid)
      if (!keeper.names(cid, bytes.length)) {
        throw new SalusError('BLOB_SIZE', 'The blob has another size than its entry says.')
      }
      if (!blobCid(p, bytes).equals(cid)) throw new SalusError('BLOB_DIGEST', 'The blob is not the one its CID names.')
      const blocks = [...blobBlocks(p, bytes)]
      for (const block of blocks) await blockstore.put(block.cid, block.bytes)
      await pin(host.helia, cid)
      // Peers have heard of the entry already, and ask for its blob since.
      for (const block of blocks) await host.announce(block.cid)
      const blob = { cid: cid.toString(), sizeBytes: bytes.length }
      await index.wants.unwant(blob)
      await part()?.kept(blob)
    },
    // A block that is lost on the way costs one deadline, not the file: just above the peer's five seconds, as above.
    read: (cid, { maxBytes, signal }) =>
      exchange.fetch(cid, { maxBytes, windowBytes: READ_WINDOW_BYTES, signal, tries: 3, deadlineMs: 6_000 })
  }
  return keeper
}

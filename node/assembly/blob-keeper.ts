/** Brings blobs that accepted entries name from peers to this node, a few at a time, for as long as it takes. */
import { setTimeout as pause } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { blobBlocks, blobCid } from '#core/record/blob-cid.ts'
import type { AcceptIndex, NamedBlob } from '#node/assembly/accept-index.ts'
import type { Log } from '#node/log.ts'
import { fetchFile } from '#node/network/fetch-file.ts'
import type { Host } from '#node/network/host.ts'
import { pin } from '#node/network/import-file.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** What keeping blobs needs. */
export interface BlobKeeperComponents {
  readonly p: Primitives
  readonly host: Host
  readonly blockstore: DiskBlockstore
  readonly index: AcceptIndex
  readonly log: Log
}

/** What it may be told. */
export interface BlobKeeperInit {
  /** Largest blob to keep, bytes; 256 MiB unless told. */
  readonly maxBlobBytes?: number
  /** Blobs that are fetched at once; 2 unless told. */
  readonly maxConcurrent?: number
  /** Time between two tries for what could not be fetched, ms; 5,000 unless told. */
  readonly retryMs?: number
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
   * Stores a blob that an accepted entry names.
   *
   * @throws SalusError `BLOB_NOT_NAMED`, `BLOB_SIZE`, `BLOB_DIGEST`
   */
  put(cid: CID, bytes: Uint8Array): Promise<void>
  /**
   * Size of a blob that may be put or asked for.
   *
   * @throws SalusError `BLOB_NOT_NAMED` if no accepted entry names it; `BLOB_SIZE` if it is larger than this node keeps
   */
  sizeOf(cid: CID): number
  /** A blob's bytes from here or from peers. */
  read(cid: CID, options: { readonly maxBytes: number; readonly signal: AbortSignal }): AsyncGenerator<Uint8Array>
}

/** Makes the service; nothing is fetched before `start()`. */
export function createBlobKeeper(components: BlobKeeperComponents, init: BlobKeeperInit = {}): BlobKeeper {
  const { p, host, blockstore, index, log } = components
  const { maxBlobBytes = 256 << 20, maxConcurrent = 2, retryMs = 5_000 } = init
  const stopped = new AbortController()
  let wake = new AbortController()
  let loop: Promise<void> | undefined
  let wantedCount = 0

  async function fetchOne({ cid: text, sizeBytes }: NamedBlob): Promise<void> {
    const cid = CID.parse(text)
    if (sizeBytes > maxBlobBytes) {
      log.warn({ sizeBytes }, 'a blob is larger than this node keeps')
      await index.unwant(text)
      return
    }
    try {
      let bytes = 0
      // Just above the five seconds within which a peer does not send a block again.
      const limit = { maxBytes: sizeBytes, signal: stopped.signal, tries: 1, deadlineMs: 6_000 }
      for await (const part of fetchFile(host.helia, cid, limit)) bytes += part.length
      if (bytes !== sizeBytes) log.warn('a blob has another size than its entry says; its readers will refuse it')
      else await pin(host.helia, cid)
      await index.unwant(text)
    } catch (error) {
      if (!stopped.signal.aborted) log.debug({ err: error }, 'a blob could not be fetched yet')
    }
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const blobs = await index.wanted()
      wantedCount = blobs.length
      const queue = blobs.values()
      const worker = async (): Promise<void> => {
        for (const blob of queue) {
          if (stopped.signal.aborted) return
          await fetchOne(blob)
        }
      }
      await Promise.all(Array.from({ length: maxConcurrent }, worker))
      wantedCount = (await index.wanted()).length
      const signal = AbortSignal.any([wake.signal, stopped.signal])
      await pause(wantedCount > 0 ? retryMs : 12 * retryMs, undefined, { signal }).catch(() => undefined)
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
    wanted: () => wantedCount,
    sizeOf(cid) {
      const sizeBytes = index.blobSize(cid)
      if (sizeBytes == null) {
        throw new SalusError('BLOB_NOT_NAMED', 'No accepted entry names this blob; send the entry first.')
      }
      if (sizeBytes > maxBlobBytes) throw new SalusError('BLOB_SIZE', 'The blob is larger than this node keeps.')
      return sizeBytes
    },
    async put(cid, bytes) {
      if (bytes.length !== keeper.sizeOf(cid)) {
        throw new SalusError('BLOB_SIZE', 'The blob has another size than its entry says.')
      }
      if (!blobCid(p, bytes).equals(cid)) throw new SalusError('BLOB_DIGEST', 'The blob is not the one its CID names.')
      for (const block of blobBlocks(p, bytes)) await blockstore.put(block.cid, block.bytes)
      await pin(host.helia, cid)
      await index.unwant(cid.toString())
    },
    read: (cid, { maxBytes, signal }) => fetchFile(host.helia, cid, { maxBytes, signal, tries: 1, deadlineMs: 20_000 })
  }
  return keeper
}

/**
 * Keeps the images of all live releases on a node, so that devices find them when their maker is gone, and lets go of
 * what was yanked. What to keep is worked out from the chain each time, so that nothing is missed (docs/specs/firmware-release.md).
 */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import type { ImageRecord, ReleaseRecord } from '#core/chain/projection.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeManifest, registryIdOf, type Manifest } from '#core/firmware/manifest.ts'
import type { RegistryDomain } from '#core/firmware/release.ts'
import { verifyImage } from '#core/firmware/verify.ts'
import { blocksOf } from '#node/firmware/image-blocks.ts'
import { offeredImages } from '#node/firmware/offers.ts'
import type { FirmwarePeer } from '#node/firmware/peer.ts'
import type { Log } from '#node/log.ts'
import { fetchFile } from '#node/network/fetch-file.ts'
import { pin } from '#node/network/import-file.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** What replication needs. */
export interface ReplicatorComponents extends Pick<FirmwarePeer, 'host' | 'blockstore'> {
  readonly db: Database
  readonly registry: RegistryDomain
  /** Every release on the chain, as followed. */
  readonly releases: () => AsyncIterable<ReleaseRecord & ImageRecord>
  readonly log: Log
}

/** What it may be told. */
export interface ReplicatorInit {
  /** Largest image to keep, 256 MiB unless told. Anyone may publish, so a node must bound what it takes. */
  readonly maxImageBytes?: number
  /** Most bytes of all images, 4 GiB unless told; the newest come first. */
  readonly maxTotalBytes?: number
  /** Time between two looks for what is missing, ms; 1,000 unless told. */
  readonly retryMs?: number
  /** Time for one block, ms; 15,000 unless told. */
  readonly deadlineMs?: number
}

/** How much is kept. */
export interface ReplicatorStatus {
  readonly images: number
  readonly missing: number
}

/** A replication service. */
export interface Replicator {
  start(): void
  stop(): Promise<void>
  /** Looks at once: the chain said something about firmware. */
  nudge(): void
  status(): ReplicatorStatus
}

/** Makes the service; nothing is fetched before `start()`. */
export function createReplicator(components: ReplicatorComponents, init: ReplicatorInit = {}): Replicator {
  const { db, log, registry, releases, host, blockstore } = components
  const { maxImageBytes = 256 << 20, maxTotalBytes = 4 * 2 ** 30, retryMs = 1_000, deadlineMs = 15_000 } = init
  /** Roots of the images that are here or on their way: what must be dropped one day. */
  const table = openTable(db, 'firmware')
  const stopped = new AbortController()
  const isStopped = (): boolean => stopped.signal.aborted
  /** Images that turned out not to be what was published. */
  const bad = new Set<string>()
  /** Images under way. */
  const tasks = new Map<string, { readonly done: Promise<void>; readonly abort: () => void }>()
  /** Images that were not to be had: an image that nobody has must not keep the others waiting. */
  const failures = new Map<string, { readonly count: number; readonly againMs: number }>()
  let wake = new AbortController()
  let loop: Promise<void> | undefined
  let status: ReplicatorStatus = { images: 0, missing: 0 }

  /** What should be here: readable releases that were not yanked, the newest first, within the bounds. */
  async function wanted(): Promise<Map<string, Manifest>> {
    const manifests: Manifest[] = []
    for await (const release of releases()) {
      const manifest = release.yanked ? undefined : readManifest(registry, release)
      if (manifest != null && manifest.sizeBytes <= maxImageBytes) manifests.push(manifest)
    }
    manifests.sort((a, b) => b.sequence - a.sequence)
    const kept = new Map<string, Manifest>()
    let total = 0
    for (const manifest of manifests) {
      const key = manifest.cid.toString()
      if (kept.has(key) || bad.has(key) || total + manifest.sizeBytes > maxTotalBytes) continue
      total += manifest.sizeBytes
      kept.set(key, manifest)
    }
    return kept
  }

  /** One look: drops what is not wanted, begins to fetch what is missing, what failed least first. */
  async function look(): Promise<void> {
    const keep = await wanted()
    for await (const key of table.keys()) if (!keep.has(key)) await drop(key, keep)
    const missing: [string, Manifest][] = []
    for (const [key, manifest] of keep) if ((await table.get(key))?.[0] !== WHOLE) missing.push([key, manifest])
    status = { images: keep.size - missing.length, missing: missing.length }
    const triesOf = ([key]: [string, Manifest]): number => failures.get(key)?.count ?? 0
    missing.sort((a, b) => triesOf(a) - triesOf(b))
    const due = missing.filter(([key]) => !tasks.has(key) && Date.now() >= (failures.get(key)?.againMs ?? 0))
    const roots = due.map(([, { cid }]) => cid)
    const offered = await offeredImages(host.libp2p, roots, stopped.signal)
    for (const [key, manifest] of due) {
      if (tasks.size >= MAX_TASKS || isStopped()) return
      if (offered.has(key)) begin(key, manifest)
      else failed(key)
    }
  }

  /** Lets an image wait longer each time it was not to be had. */
  function failed(key: string): void {
    const count = (failures.get(key)?.count ?? 0) + 1
    failures.set(key, { count, againMs: Date.now() + Math.min(MAX_WAIT_MS, retryMs * 1.5 ** Math.min(count, 30)) })
  }

  function begin(key: string, manifest: Manifest): void {
    const stop = new AbortController()
    const signal = AbortSignal.any([stopped.signal, stop.signal])
    const done = take(key, manifest, signal)
      .then(taken => {
        if (taken) failures.delete(key)
        else failed(key)
      })
      .catch((error: unknown) => {
        if (!signal.aborted) log.error({ err: error, cid: key }, 'keeping a firmware image failed; trying again')
      })
      .finally(() => {
        tasks.delete(key)
        wake.abort()
      })
    tasks.set(key, { done, abort: () => stop.abort() })
  }

  /** Fetches, verifies and pins an image; false if it is not to be had now. */
  async function take(key: string, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
    // Noted before the first block comes, so that a crash leaves nothing that nobody drops.
    await table.put(key, Uint8Array.of(PARTIAL))
    try {
      const { sizeBytes } = manifest
      const limits = { maxBytes: sizeBytes, tries: 1, deadlineMs, signal }
      const hash = createHash('sha256')
      let received = 0
      for await (const chunk of fetchFile(host.helia, manifest.cid, limits)) {
        hash.update(chunk)
        received += chunk.length
      }
      verifyImage(manifest, { sizeBytes: received, sha256: new Uint8Array(hash.digest()) })
      await pin(host.helia, manifest.cid)
      await table.put(key, Uint8Array.of(WHOLE))
      log.info({ cid: key, sizeBytes, version: manifest.version }, 'firmware image kept')
      return true
    } catch (error) {
      if (signal.aborted) return false
      if (!isSalusError(error)) throw error
      log.debug({ cid: key, code: error.code }, 'firmware image not had')
      if (error.code !== 'FETCH_NO_BLOCK') {
        log.warn({ cid: key, code: error.code }, 'a published firmware image is not what was signed; let go')
        bad.add(key)
      }
      return false
    }
  }

  /** Lets go of an image: its pin, and every block that no other image shares. */
  async function drop(key: string, keep: ReadonlyMap<string, Manifest>): Promise<void> {
    const root = CID.parse(key)
    const task = tasks.get(key)
    task?.abort()
    await task?.done
    failures.delete(key)
    const shared = new Set<string>()
    for (const { cid } of keep.values()) {
      for await (const block of blocksOf(blockstore, cid)) shared.add(block.toString())
    }
    const blocks: CID[] = []
    for await (const block of blocksOf(blockstore, root)) if (!shared.has(block.toString())) blocks.push(block)
    if ((await table.get(key))?.[0] === WHOLE) await unpin(root)
    // The root goes last: until then a crash leaves a tree whose rest is still found.
    for (const block of blocks.reverse()) await blockstore.delete(block)
    await table.del(key)
    log.info({ cid: key }, 'firmware image let go')
  }

  async function unpin(root: CID): Promise<void> {
    const unpinned: string[] = []
    try {
      const walk = host.helia.pins.rm(root, { signal: AbortSignal.timeout(deadlineMs) })
      for await (const block of walk) unpinned.push(block.toString())
    } catch (error) {
      // Unpinned by an earlier run that was cut off, or blocks are gone already: either way no pin is left.
      log.debug({ err: error, cid: root.toString(), blocks: unpinned.length }, 'firmware image had no whole pin')
    }
  }

  async function run(): Promise<void> {
    while (!isStopped()) {
      wake = new AbortController()
      try {
        await look()
      } catch (error) {
        if (!isStopped()) log.error({ err: error }, 'keeping firmware images failed; trying again')
      }
      const signal = AbortSignal.any([stopped.signal, wake.signal])
      await pause(retryMs, undefined, { signal }).catch(() => undefined)
    }
  }

  return {
    start() {
      loop = run()
    },
    async stop() {
      stopped.abort()
      await loop
      await Promise.all([...tasks.values()].map(async ({ done }) => done))
    },
    nudge: () => wake.abort(),
    status: () => status
  }
}

/** Images under way at once. */
const MAX_TASKS = 8
/** Longest time between two questions for one image. */
const MAX_WAIT_MS = 60_000
const PARTIAL = 0
const WHOLE = 1

/** A release's manifest, or nothing where the maker published something else. */
function readManifest(
  { chainId, registry }: RegistryDomain,
  release: ReleaseRecord & ImageRecord
): Manifest | undefined {
  try {
    const expected = { network: registryIdOf(chainId, registry), model: fromHex(release.model, 32) }
    const manifest = decodeManifest(fromHex(release.manifest), expected)
    return manifest.sizeBytes === release.sizeBytes ? manifest : undefined
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}

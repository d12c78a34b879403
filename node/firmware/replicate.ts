/**
 * Keeps the images of all live releases on a node, so that devices find them when their maker is gone, and lets go of
 * what was yanked. What to keep is worked out from the chain each time, so that nothing is missed (docs/specs/firmware-release.md).
 */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { anySignal } from 'any-signal'
import { CID } from 'multiformats/cid'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeManifest, registryIdOf, type Manifest } from '#core/firmware/manifest.ts'
import type { RegistryDomain } from '#core/firmware/release.ts'
import type { ListedRelease } from '#node/chain/chain-index.ts'
import {
  claimKey,
  createRoom,
  imagesOf,
  inTurns,
  isTrue,
  largestClaim,
  type Claim,
  type Image,
  type Room
} from '#node/firmware/image-claims.ts'
import { blocksOf } from '#node/firmware/image-blocks.ts'
import { MAX_ROOTS, offeredImages } from '#node/firmware/offers.ts'
import type { FirmwarePeer } from '#node/firmware/peer.ts'
import type { Log } from '#node/log.ts'
import { pin } from '#node/network/import-file.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** What replication needs. */
export interface ReplicatorComponents extends Pick<FirmwarePeer, 'host' | 'exchange' | 'blockstore'> {
  readonly db: Database
  readonly registry: RegistryDomain
  /** Every release on the chain, as followed. */
  readonly releases: () => AsyncIterable<ListedRelease>
  readonly log: Log
}

/** What it may be told. */
export interface ReplicatorInit {
  /** Largest image to keep, 256 MiB unless told. Anyone may publish, so a node must bound what it takes. */
  readonly maxImageBytes?: number
  /** Most bytes of all images that are here or on their way, 4 GiB unless told. */
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
  const { db, log, registry, releases, host, exchange, blockstore } = components
  const { maxImageBytes = 256 << 20, maxTotalBytes = 4 * 2 ** 30, retryMs = 1_000, deadlineMs = 15_000 } = init
  /** Roots of the images that are here or on their way: what must be dropped one day. */
  const table = openTable(db, 'firmware')
  const stopped = new AbortController()
  const isStopped = (): boolean => stopped.signal.aborted
  /** Claims that turned out wrong: see {@link claimKey}. */
  const bad = new Set<string>()
  /** Images under way. */
  const tasks = new Map<string, { readonly done: Promise<void>; readonly abort: () => void }>()
  /** Images that were not to be had: an image that nobody has must not keep the others waiting. */
  const failures = new Map<string, { readonly count: number; readonly againMs: number }>()
  let wake = new AbortController()
  let loop: Promise<void> | undefined
  let status: ReplicatorStatus = { images: 0, missing: 0 }

  /** What the chain says: images of readable releases that may be kept, and what was yanked, by claim and by CID. */
  async function readChain(): Promise<{ images: Map<string, Image>; yanked: Set<string> }> {
    const claims: Claim[] = []
    const yanked = new Set<string>()
    for await (const release of releases()) {
      const manifest = readManifest(registry, release)
      if (manifest == null) continue
      if (release.yanked) yanked.add(claimKey(manifest)).add(manifest.cid.toString())
      else if (manifest.sizeBytes <= maxImageBytes && !bad.has(claimKey(manifest))) {
        claims.push({ manifest, manufacturer: release.manufacturer })
      }
    }
    return { images: imagesOf(claims), yanked }
  }

  /**
   * One look: lets go of what was yanked or turned out wrong, begins to fetch what is missing. An image that is whole
   * stays until it is yanked, whatever else is published: what is not here must never cost what is.
   */
  async function look(): Promise<void> {
    const { images, yanked } = await readChain()
    const room = createRoom(maxTotalBytes)
    const kept = new Map<string, Image>()
    const gone: string[] = []
    let whole = 0
    for await (const [key, value] of table.iterator()) {
      const image = images.get(key) ?? { cid: CID.parse(key), claims: [] }
      if (value[0] === WHOLE) {
        const proven = new TextDecoder().decode(value.subarray(1))
        const claims = image.claims.filter(({ manifest }) => proven === '' || claimKey(manifest) === proven)
        images.delete(key)
        if (claims.length === 0 && yanked.has(proven === '' ? key : proven)) gone.push(key)
        else {
          whole++
          kept.set(key, { ...image, claims })
          room.take({ ...image, claims }, Number(proven.split(' ')[2] ?? largestClaim(image)))
        }
      } else if (image.claims.length === 0) gone.push(key)
      else {
        kept.set(key, image)
        room.take(image, largestClaim(image))
      }
    }
    status = { images: whole, missing: images.size }
    await letGo(gone, kept)
    await fetchMissing(images, kept, room)
  }

  /** Begins to fetch what a peer has and what there is room for. */
  async function fetchMissing(images: Map<string, Image>, kept: Map<string, Image>, room: Room): Promise<void> {
    const isDue = (key: string): boolean => !tasks.has(key) && Date.now() >= (failures.get(key)?.againMs ?? 0)
    const waiting = [...images].filter(([key]) => isDue(key)).map(([, image]) => image)
    const due = inTurns(waiting, triesOf).slice(0, MAX_ROOTS)
    const roots = due.map(({ cid }) => cid)
    const offered = await offeredImages(host.libp2p, roots, stopped.signal)
    const makers = new Set(due.flatMap(({ cid, claims }) => (offered.has(cid.toString()) ? makersOf(claims) : [])))
    for (const image of due) {
      if (tasks.size >= MAX_TASKS || isStopped()) return
      const key = image.cid.toString()
      const others = [...makers].some(maker => !makersOf(image.claims).includes(maker))
      if (offered.has(key) && (await makeRoom(image, kept, room, others))) begin(key, image)
      else failed(key)
    }
  }

  /** Takes room for an image, where need be that of images that began to come and did not come on. */
  async function makeRoom(image: Image, kept: Map<string, Image>, room: Room, others: boolean): Promise<boolean> {
    const sizeBytes = largestClaim(image)
    room.giveBack(image)
    const stuck: Image[] = []
    if (!room.fits(image, sizeBytes, others)) {
      for await (const [key, value] of table.iterator()) {
        const other = kept.get(key)
        if (value[0] === WHOLE || other == null || tasks.has(key) || triesOf(other) < STUCK_TRIES) continue
        if (key !== image.cid.toString()) stuck.push(other)
      }
      stuck.sort((a, b) => triesOf(b) - triesOf(a))
    }
    while (!room.fits(image, sizeBytes, others)) {
      const other = stuck.shift()
      if (other == null) return false
      const key = other.cid.toString()
      room.giveBack(other)
      kept.delete(key)
      await letGo([key], kept)
    }
    kept.set(image.cid.toString(), image)
    room.take(image, sizeBytes)
    return true
  }

  function triesOf({ cid }: Image): number {
    return failures.get(cid.toString())?.count ?? 0
  }

  /** Lets an image wait longer each time it was not to be had. */
  function failed(key: string): void {
    const count = (failures.get(key)?.count ?? 0) + 1
    failures.set(key, { count, againMs: Date.now() + Math.min(MAX_WAIT_MS, retryMs * 1.5 ** Math.min(count, 30)) })
  }

  function begin(key: string, image: Image): void {
    const stop = new AbortController()
    // Not AbortSignal.any: it keeps every signal that was ever joined to a long-lived one.
    const signal = anySignal([stopped.signal, stop.signal])
    const done = take(key, image, signal)
      .then(taken => {
        if (taken) failures.delete(key)
        else failed(key)
      })
      .catch((error: unknown) => {
        if (signal.aborted) return
        failed(key)
        log.error({ err: error, cid: key }, 'keeping a firmware image failed; trying again')
      })
      .finally(() => {
        signal.clear()
        tasks.delete(key)
        wake.abort()
      })
    tasks.set(key, { done, abort: () => stop.abort() })
  }

  /** Fetches, verifies and pins an image; false if it is not to be had now, or nobody claims what it is. */
  async function take(key: string, image: Image, signal: AbortSignal): Promise<boolean> {
    // Noted before the first block comes, so that a crash leaves nothing that nobody drops.
    await table.put(key, Uint8Array.of(PARTIAL))
    try {
      const limits = { maxBytes: largestClaim(image), tries: 1, deadlineMs, signal }
      const hash = createHash('sha256')
      let received = 0
      for await (const chunk of exchange.fetch(image.cid, limits)) {
        hash.update(chunk)
        received += chunk.length
      }
      const sha256 = new Uint8Array(hash.digest())
      const proven = image.claims.find(({ manifest }) => isTrue(manifest, received, sha256))
      if (proven == null) {
        refute(key, image, 'FIRMWARE_WRONG_HASH')
        return false
      }
      await pin(host.helia, image.cid)
      await table.put(key, Uint8Array.of(WHOLE, ...utf8(claimKey(proven.manifest))))
      log.info({ cid: key, sizeBytes: received, version: proven.manifest.version }, 'firmware image kept')
      return true
    } catch (error) {
      if (signal.aborted) return false
      if (!isSalusError(error)) throw error
      log.debug({ cid: key, code: error.code }, 'firmware image not had')
      if (WRONG_TREE.has(error.code)) refute(key, image, error.code)
      return false
    }
  }

  function refute(key: string, { claims }: Image, code: string): void {
    log.warn({ cid: key, code }, 'a published firmware image is not what was signed; let go')
    for (const { manifest } of claims) bad.add(claimKey(manifest))
  }

  /** Lets go of images: their pins, and every block that no other image shares. */
  async function letGo(keys: readonly string[], kept: ReadonlyMap<string, Image>): Promise<void> {
    if (keys.length === 0) return
    const shared = new Set<string>()
    for (const { cid } of kept.values()) {
      for await (const block of blocksOf(blockstore, cid)) shared.add(block.toString())
    }
    for (const key of keys) {
      const root = CID.parse(key)
      const task = tasks.get(key)
      task?.abort()
      await task?.done
      const blocks: CID[] = []
      for await (const block of blocksOf(blockstore, root)) if (!shared.has(block.toString())) blocks.push(block)
      if ((await table.get(key))?.[0] === WHOLE) await unpin(root)
      // The root goes last: until then a crash leaves a tree whose rest is still found.
      await blockstore.deleteAll(blocks.reverse())
      await table.del(key)
      log.info({ cid: key }, 'firmware image let go')
    }
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
      const signal = anySignal([stopped.signal, wake.signal])
      await pause(retryMs, undefined, { signal }).catch(() => undefined)
      signal.clear()
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
/** Failures in a row after which an image that came in part makes room for another. */
const STUCK_TRIES = 3
/** What fetching throws where the tree itself is wrong, whoever sends it. */
const WRONG_TREE: ReadonlySet<string> = new Set(['FETCH_OVERSIZE', 'FETCH_MALFORMED', 'FETCH_NOT_A_FILE'])
/** Longest time between two questions for one image. */
const MAX_WAIT_MS = 60_000
const PARTIAL = 0
const WHOLE = 1

function makersOf(claims: readonly Claim[]): string[] {
  return claims.map(({ manufacturer }) => manufacturer)
}

/** A release's manifest, or nothing where the maker published something else. */
function readManifest({ chainId, registry }: RegistryDomain, release: ListedRelease): Manifest | undefined {
  try {
    const expected = { network: registryIdOf(chainId, registry), model: fromHex(release.model, 32) }
    const manifest = decodeManifest(fromHex(release.manifest), expected)
    return manifest.sizeBytes === release.sizeBytes ? manifest : undefined
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}

/**
 * A device that keeps itself up to date: given the chain's address and one peer, it finds, checks, fetches and stores
 * the release it should run. A power cut at any line leaves the old firmware or the new one, and what was fetched.
 */
import type { Clock } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { rememberHead, rememberInstalled, type DeviceState, type InstalledImage } from '#core/firmware/device-state.ts'
import type { HeadFacts } from '#core/firmware/facts.ts'
import type { Manifest } from '#core/firmware/manifest.ts'
import { selectRelease } from '#core/firmware/select.ts'
import { checkHead, verifyRelease } from '#core/firmware/verify.ts'
import type { DeviceFiles } from '#node/firmware/device-files.ts'
import type { RegistryReader } from '#node/firmware/registry.ts'

/** Where an image comes from, and what is kept of it while it comes. */
export interface ImageSource {
  /** The bytes of an image, in order; what was fetched before is not fetched again. */
  fetch(manifest: Manifest, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Bytes kept from an update that was broken off. */
  heldBytes(): Promise<number>
  /** Forgets what is kept. */
  clear(): Promise<void>
}

/** What an update needs. */
export interface UpdateComponents {
  readonly files: DeviceFiles
  readonly registry: RegistryReader
  readonly source: ImageSource
  readonly clock: Clock
}

/** Steps of an update, in their order; each is passed only when what it names is on the disk. */
export type UpdateStep =
  | { readonly step: 'checked'; readonly latest: number; readonly active: number }
  | { readonly step: 'selected'; readonly sequence: number; readonly version: string; readonly sizeBytes: number }
  | { readonly step: 'fetching'; readonly heldBytes: number }
  | { readonly step: 'received'; readonly bytes: number }
  | { readonly step: 'stored'; readonly sha256: string }
  | { readonly step: 'installed'; readonly sequence: number; readonly version: string }

/** What an update may be told. */
export interface UpdateInit {
  readonly onStep?: (step: UpdateStep) => void
  readonly signal?: AbortSignal
}

/** How an update ended. */
export interface UpdateOutcome {
  readonly outcome: 'installed' | 'current'
  readonly installed: InstalledImage
  /** File of the image. */
  readonly path: string
}

/**
 * Brings a device up to date.
 *
 * @throws SalusError what {@link checkHead}, {@link selectRelease}, {@link verifyRelease}, the registry, the source and
 * the files throw; whatever was installed before stays
 */
export async function updateDevice(components: UpdateComponents, init: UpdateInit = {}): Promise<UpdateOutcome> {
  const { files, registry } = components
  const say = init.onStep ?? (() => undefined)
  const before = await withoutLostImage(files, await files.readState())

  const head = await headFor(components, before)
  const state = rememberHead(before, head)
  await files.writeState(state)
  say({ step: 'checked', latest: head.latest, active: head.active })

  const latestStatus =
    head.latest === 0 ? 'published' : (await registry.facts(state.model, head.latest, head.blockNumber)).status
  const selection = selectRelease(head, latestStatus, state)
  if (selection.kind === 'current') {
    await tidy(components, state)
    if (
      state.installed != null &&
      (await registry.isWithdrawn(state.model, state.installed.sha256, head.blockNumber))
    ) {
      throw new SalusError(
        'FIRMWARE_YANKED',
        'What is installed was withdrawn for good by its maker. Wait for a newer one.'
      )
    }
    return outcomeOf(components, 'current', state)
  }

  const { sequence } = selection
  const release = await registry.release(state.model, sequence, head.blockNumber)
  const manifest = verifyRelease(release, state, sequence)
  say({ step: 'selected', sequence, version: manifest.version, sizeBytes: manifest.sizeBytes })
  await begin(components, manifest)
  await store(components, manifest, init)
  say({ step: 'stored', sha256: toHex(manifest.sha256) })

  // Fetching may have taken days: what was withdrawn meanwhile is not installed.
  const now = await headFor(components, state)
  const { status } = await registry.facts(state.model, sequence, now.blockNumber)
  const isWithdrawn = await registry.isWithdrawn(state.model, release.terms.imageSha256, now.blockNumber)
  verifyRelease({ ...release, status: isWithdrawn ? 'yanked' : status }, state, sequence)
  const installed = rememberInstalled(rememberHead(state, now), manifest)
  await files.writeState(installed)
  say({ step: 'installed', sequence, version: manifest.version })
  await tidy(components, installed)
  return outcomeOf(components, 'installed', installed)
}

/** A device whose installed image was damaged or lost may install it again; its floors stay where they are. */
async function withoutLostImage(files: DeviceFiles, state: DeviceState): Promise<DeviceState> {
  if (state.installed == null || (await files.hasImage(state.installed))) return state
  return { ...state, installed: state.previous, previous: null }
}

/** The newest head, checked. */
async function headFor({ registry, clock }: UpdateComponents, state: DeviceState): Promise<HeadFacts> {
  const head = await registry.head(state.model)
  checkHead(head, state, Math.floor(clock() / 1000))
  return head
}

/** Notes which release is under way, and forgets what was kept of another. */
async function begin({ files, source }: UpdateComponents, manifest: Manifest): Promise<void> {
  const pending = await files.readPending()
  if (pending != null && equalBytes(pending.sha256, manifest.sha256)) return
  if (pending != null) await source.clear()
  await files.writePending(manifest)
}

/** Gets the image onto the disk. Bytes that turn out wrong are forgotten, bytes that did not come are waited for. */
async function store({ files, source }: UpdateComponents, manifest: Manifest, init: UpdateInit): Promise<void> {
  if (await files.hasImage({ sha256: toHex(manifest.sha256), sizeBytes: manifest.sizeBytes })) return
  init.onStep?.({ step: 'fetching', heldBytes: await source.heldBytes() })
  try {
    await files.storeImage(manifest, source.fetch(manifest, init.signal), bytes =>
      init.onStep?.({ step: 'received', bytes })
    )
  } catch (error) {
    if (error instanceof SalusError && WRONG_BYTES.includes(error.code)) {
      await source.clear()
      await files.writePending(undefined)
    }
    throw error
  }
}

const WRONG_BYTES = [
  'FIRMWARE_OVERSIZE',
  'FIRMWARE_TRUNCATED',
  'FIRMWARE_WRONG_HASH',
  'FETCH_OVERSIZE',
  'FETCH_MALFORMED',
  'FETCH_NOT_A_FILE'
]

/** Removes what no later step needs. The pending note goes last, so that a power cut only makes this run again. */
async function tidy({ files, source }: UpdateComponents, { installed, previous }: DeviceState): Promise<void> {
  if ((await files.readPending()) == null) return
  await files.keepImages([installed, previous].flatMap(image => image?.sha256 ?? []))
  await source.clear()
  await files.writePending(undefined)
}

function outcomeOf({ files }: UpdateComponents, outcome: UpdateOutcome['outcome'], state: DeviceState): UpdateOutcome {
  if (state.installed == null) throw new SalusError('FIRMWARE_NONE', 'No firmware is installed on this device yet.')
  return { outcome, installed: state.installed, path: files.imagePath(state.installed.sha256) }
}

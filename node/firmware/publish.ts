/** What a maker does on the chain with its release keys: registers a model, publishes releases and rolls them out. */
import type { Wallet } from 'ethers'
import type { CID } from 'multiformats/cid'
import {
  minimumRaiseTypes,
  modelRegistrationTypes,
  releaseTypes,
  rolloutRaiseTypes
} from '#core/abi/typed-data/firmware.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { manufacturerIdOf, modelIdOf, ROLES, type Keysets, type SignerSet } from '#core/firmware/keyset.ts'
import { decodeManifest, encodeManifest, PIECE_BYTES, registryIdOf, type Manifest } from '#core/firmware/manifest.ts'
import { releaseTermsOf } from '#core/firmware/release.ts'
import { approve, type RequestValue } from '#node/firmware/approvals.ts'
import type { RegistryReader } from '#node/firmware/registry.ts'

/** Sends a signed request to the chain: a node's relayer, or one of our own. */
export type Submit = (request: {
  readonly contract: RequestContract
  readonly method: string
  readonly args: RequestValue[]
}) => Promise<{ readonly txHash: string | null; readonly blockNumber: number }>

/** What a maker's actions need. */
export interface MakerComponents {
  readonly registry: RegistryReader
  readonly submit: Submit
}

/** An image that is ready to be published. */
export interface ImageToPublish {
  readonly cid: CID
  readonly sizeBytes: number
  /** 32 bytes. */
  readonly sha256: Uint8Array
}

/** A model to be registered. */
export interface ModelToRegister {
  readonly keysets: Keysets
  /** Tells manufacturers with equal keys apart, 32 bytes. */
  readonly salt: Hex
  /** 32 bytes. */
  readonly modelClass: Hex
  /** 0 test, 1 low, 2 medium, 3 high. */
  readonly riskClass: number
  readonly slotMiB: number
}

/** A release that is on the chain. */
export interface PublishedManifest {
  readonly manifest: Manifest
  /** `already` where the model's newest release has this very image. */
  readonly status: 'published' | 'already'
}

/** Time for the chain to take a request, seconds. */
export const DEADLINE_S = 86_400

/**
 * Registers a manufacturer and one model of it. Doing it again changes nothing.
 *
 * @param keys - release signers' keys, at least the threshold
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, `FIRMWARE_KEYS_TOO_FEW`, or what sending throws
 */
export async function registerModel(
  { registry, submit }: MakerComponents,
  { keysets, salt, modelClass, riskClass, slotMiB }: ModelToRegister,
  keys: readonly Wallet[]
): Promise<{ manufacturer: Hex; model: Hex }> {
  const manufacturer = manufacturerIdOf(keysets, salt)
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const value = { manufacturer, modelClass, riskClass, slotMiB, deadline }
  const by = approve(registry, { types: modelRegistrationTypes, value }, keysets.release, keys)
  await send(submit, 'registerManufacturer', [keysetsTuple(keysets), salt])
  await send(submit, 'registerModel', [manufacturer, modelClass, riskClass, slotMiB, deadline, by])
  return { manufacturer, model: modelIdOf(manufacturer, modelClass) }
}

/**
 * Publishes an image as a model's next release. Devices do not install it before it was activated.
 *
 * @param securityCounter - raise it when the release closes a hole; the model's present one if not given
 * @throws SalusError `MANIFEST_SHAPE` for a version text that cannot be, `FIRMWARE_KEY_UNKNOWN`,
 * `FIRMWARE_KEYS_TOO_FEW`, `FIRMWARE_YANKED`, or what the registry and sending throw
 */
export async function publishRelease(
  { registry, submit }: MakerComponents,
  release: { model: Hex; image: ImageToPublish; version: string; securityCounter?: number },
  keys: readonly Wallet[]
): Promise<PublishedManifest> {
  const { model, image, version } = release
  const [head, maker] = [await registry.head(model), await registry.maker(model)]
  const known = (await registry.numbersOfImage(model, toHex(image.sha256))).at(-1)
  if (known != null && known.sequence === head.latest) {
    const published = await registry.release(model, known.sequence, head.blockNumber)
    if (published.status === 'yanked') throw withdrawn()
    return { manifest: decodeManifest(published.manifest), status: 'already' }
  }
  const manifest: Manifest = {
    network: registryIdOf(registry.chainId, registry.registry),
    model: fromHex(model, 32),
    sequence: head.latest + 1,
    version,
    securityCounter: release.securityCounter ?? head.securityFloor,
    ...image,
    pieceBytes: PIECE_BYTES
  }
  const bytes = encodeManifest(manifest)
  // Who closes a hole does not wait a day.
  const kind = manifest.securityCounter > head.securityFloor ? 1 : 0
  const deadline = BigInt(head.blockTimeS + DEADLINE_S)
  const terms = releaseTermsOf(manifest, deadline, { kind, keysetVersion: maker.version })
  const by = approve(registry, { types: releaseTypes, value: { ...terms } }, maker.keys.release, keys)
  const fields = releaseTypes['Release']?.map(({ name }) => terms[name as keyof typeof terms]) ?? []
  const tuple = fields.map(field => (typeof field === 'bigint' ? String(field) : field))
  await send(submit, 'publish', [tuple, toHex(bytes), by])
  return { manifest, status: 'published' }
}

/**
 * Starts a release with its first share of the devices, unless it has started. Needs no key.
 *
 * @throws SalusError what the registry and sending throw, such as `CHAIN_RELEASE_NOT_DUE`
 */
export async function activateRelease(
  { registry, submit }: MakerComponents,
  { model, sequence }: { readonly model: Hex; readonly sequence: number }
): Promise<'started' | 'already'> {
  const { blockNumber } = await registry.head(model)
  const { terms, status } = await registry.release(model, sequence, blockNumber)
  if (status === 'staged' || status === 'active') return 'already'
  await send(submit, 'activate', [model, sequence, terms.manifestDigest, terms.imageSha256])
  return 'started'
}

/**
 * Offers the staged release to more devices.
 *
 * @param bps - the share in hundredths of a per cent; 10,000 for all
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, `FIRMWARE_KEYS_TOO_FEW`, or what the registry and sending throw
 */
export async function raiseRollout(
  { registry, submit }: MakerComponents,
  { model, sequence, bps }: { readonly model: Hex; readonly sequence: number; readonly bps: number },
  keys: readonly Wallet[]
): Promise<void> {
  const [{ revision }, { keys: inForce }] = [await registry.facts(model, sequence), await registry.maker(model)]
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const value = { model, sequence, bps, revision, deadline }
  const by = approve(registry, { types: rolloutRaiseTypes, value }, inForce.release, keys)
  await send(submit, 'raiseRollout', [model, sequence, bps, deadline, by])
}

/**
 * Raises the release that devices must at least run.
 *
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, `FIRMWARE_KEYS_TOO_FEW`, or what the registry and sending throw
 */
export async function raiseMinimum(
  { registry, submit }: MakerComponents,
  { model, sequence }: { readonly model: Hex; readonly sequence: number },
  keys: readonly Wallet[]
): Promise<void> {
  const { keys: inForce } = await registry.maker(model)
  const nowS = await registry.newestBlockTimeS()
  const value = { model, minimumSequence: sequence, mandatoryBy: nowS, deadline: String(nowS + DEADLINE_S) }
  const by = approve(registry, { types: minimumRaiseTypes, value }, inForce.release, keys)
  await send(submit, 'raiseMinimum', [model, sequence, value.mandatoryBy, value.deadline, by])
}

/** The struct `Keysets`. */
export function keysetsTuple(keysets: Keysets): RequestValue[] {
  const set = ({ threshold, signers }: SignerSet): RequestValue => [threshold, [...signers]]
  return [...ROLES.map(role => set(keysets[role])), keysets.silenceDays]
}

/** Sends a request to the registry. */
export async function send(submit: Submit, method: string, args: RequestValue[]): Promise<void> {
  await submit({ contract: 'FirmwareRegistry', method, args })
}

function withdrawn(): SalusError {
  return new SalusError(
    'FIRMWARE_YANKED',
    'This image was withdrawn for good and cannot be published for this model again.'
  )
}

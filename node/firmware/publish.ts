/** What a maker does on the chain: registers a model, publishes releases, stops them. */
import type { Wallet } from 'ethers'
import type { CID } from 'multiformats/cid'
import { holdTypes, modelRegistrationTypes, releaseTypes, yankTypes } from '#core/abi/typed-data/firmware.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { manufacturerIdOf, modelIdOf, type Keyset } from '#core/firmware/keyset.ts'
import { decodeManifest, encodeManifest, PIECE_BYTES, registryIdOf, type Manifest } from '#core/firmware/manifest.ts'
import { releaseTermsOf, type Approval } from '#core/firmware/release.ts'
import { approve } from '#node/firmware/approvals.ts'
import type { RegistryReader } from '#node/firmware/registry.ts'

/** A value of a request that also JSON can carry. */
export type RequestValue = string | number | RequestValue[]

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

/** A release that is on the chain. */
export interface PublishedManifest {
  readonly manifest: Manifest
  /** `already` where the model's newest release has this very image. */
  readonly status: 'published' | 'already'
}

/** Time for the chain to take a request, seconds. */
const DEADLINE_S = 86_400

/**
 * Registers a manufacturer and one model of it. Doing it again changes nothing.
 *
 * @param keys - release signers' keys, at least the threshold
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, `FIRMWARE_KEYS_TOO_FEW`, or what sending throws
 */
export async function registerModel(
  { registry, submit }: MakerComponents,
  { keyset, salt, modelClass }: { readonly keyset: Keyset; readonly salt: Hex; readonly modelClass: Hex },
  keys: readonly Wallet[]
): Promise<{ manufacturer: Hex; model: Hex }> {
  const manufacturer = manufacturerIdOf(keyset, salt)
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const statement = { types: modelRegistrationTypes, value: { manufacturer, modelClass, deadline } }
  const approvals = approve(registry, statement, keyset.releaseSigners, keys, keyset.threshold)
  const { releaseSigners, threshold, guards } = keyset
  await send(submit, 'registerManufacturer', [[...releaseSigners], threshold, [...guards], salt])
  await send(submit, 'registerModel', [manufacturer, modelClass, deadline, approvals.map(tuple)])
  return { manufacturer, model: modelIdOf(manufacturer, modelClass) }
}

/**
 * Publishes an image as a model's next release.
 *
 * @param securityCounter - raise it when the release closes a hole; the model's present one if not given
 * @throws SalusError `MANIFEST_SHAPE` for a version text that cannot be, `FIRMWARE_KEY_UNKNOWN`,
 * `FIRMWARE_KEYS_TOO_FEW`, or what the registry and sending throw
 */
export async function publishRelease(
  { registry, submit }: MakerComponents,
  release: { model: Hex; image: ImageToPublish; version: string; securityCounter?: number },
  keys: readonly Wallet[]
): Promise<PublishedManifest> {
  const { model, image, version } = release
  const [head, modelKeys] = [await registry.head(model), await registry.modelKeys(model)]
  const known = await registry.sequenceOfImage(model, toHex(image.sha256))
  if (known > 0 && known === head.latest) {
    const published = await registry.release(model, known, head.blockNumber)
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
  const terms = releaseTermsOf(manifest, BigInt(head.blockTimeS + DEADLINE_S))
  const statement = { types: releaseTypes, value: { ...terms } }
  const approvals = approve(registry, statement, modelKeys.releaseSigners, keys, modelKeys.threshold)
  const { sequence, securityCounter, sizeBytes, imageSha256, manifestDigest, deadline } = terms
  const fields = [model, sequence, securityCounter, sizeBytes, imageSha256, manifestDigest, String(deadline)]
  await send(submit, 'publish', [fields, toHex(bytes), approvals.map(tuple)])
  return { manifest, status: 'published' }
}

/**
 * Stops a release: `hold` for now, `yank` for ever.
 *
 * @param reason - the manufacturer's own number for it, 0 to 2^32-1
 * @param guard - key of one guard
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, or what the registry and sending throw
 */
export async function stopRelease(
  { registry, submit }: MakerComponents,
  action: 'hold' | 'yank',
  { model, sequence, reason }: { readonly model: Hex; readonly sequence: number; readonly reason: number },
  guard: Wallet
): Promise<void> {
  const { guards } = await registry.modelKeys(model)
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const value = { model, sequence, reason, deadline }
  const statement =
    action === 'yank'
      ? { types: yankTypes, value }
      : { types: holdTypes, value: { ...value, revision: await registry.revision(model, sequence) } }
  const [approval] = approve(registry, statement, guards, [guard], 1)
  if (approval != null) await send(submit, action, [model, sequence, reason, deadline, tuple(approval)])
}

async function send(submit: Submit, method: string, args: RequestValue[]): Promise<void> {
  await submit({ contract: 'FirmwareRegistry', method, args })
}

function tuple({ index, signature }: Approval): RequestValue[] {
  return [index, signature]
}

function withdrawn(): SalusError {
  return new SalusError(
    'FIRMWARE_YANKED',
    'This image was withdrawn for good and cannot be published for this model again.'
  )
}

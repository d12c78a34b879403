/**
 * Every check a device makes before firmware becomes its own, as pure functions: what the chain says, the manifest, the
 * signatures and the image go in; a refusal has a code that names the attack (docs/specs/firmware-release.md).
 */
import { keccak256 } from 'ethers'
import { isSalusError, SalusError } from '#core/error.ts'
import { equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import type { DeviceState } from '#core/firmware/device-state.ts'
import type { HeadFacts, PublishedRelease } from '#core/firmware/facts.ts'
import { checkModelKeys } from '#core/firmware/keyset.ts'
import { decodeManifest, registryIdOf, type Manifest } from '#core/firmware/manifest.ts'
import { countApprovals, releaseDigest } from '#core/firmware/release.ts'
import { keysOfVersion } from '#core/firmware/rotation.ts'

/** How old the newest block may be before a device suspects that news is kept from it: a week. */
export const MAX_HEAD_AGE_S: number = 7 * 86_400

/** What arrived, measured while it streamed and again when read back. */
export interface ImageDigest {
  readonly sizeBytes: number
  /** 32 bytes. */
  readonly sha256: Uint8Array
}

/**
 * Checks that a head is of this device's chain and model, and neither older than one seen before nor stale.
 *
 * @param nowS - the device's clock, seconds since 1970; a clock that lags behind the last seen block is not believed
 * @throws SalusError `FIRMWARE_WRONG_NETWORK`, `FIRMWARE_WRONG_MODEL`, `FIRMWARE_STALE_HEAD`, `FIRMWARE_FREEZE`
 */
export function checkHead(head: HeadFacts, state: DeviceState, nowS: number, maxAgeS: number = MAX_HEAD_AGE_S): void {
  if (head.chainId !== state.chainId || !sameHex(head.registry, state.registry)) {
    throw new SalusError('FIRMWARE_WRONG_NETWORK', 'Refused: this is not the chain and registry of this device.')
  }
  if (!sameHex(head.model, state.model)) throw wrongModel()
  if (head.blockNumber < state.blockNumber || head.latest < state.latestSequence) {
    throw new SalusError(
      'FIRMWARE_STALE_HEAD',
      'Refused: the chain shows an older state than this device has seen. Try again later, or another RPC endpoint.'
    )
  }
  if (Math.max(nowS, state.blockTimeS) - head.blockTimeS > maxAgeS) {
    throw new SalusError(
      'FIRMWARE_FREEZE',
      'Refused: the newest block is too old; news may be kept from this device. Try another RPC endpoint.'
    )
  }
}

/**
 * Checks one published release: status, manifest, model, counters, length, and at least the threshold of signatures
 * by the keys that the model's id was made of, or that those keys named.
 *
 * @returns the manifest, to fetch and compare the image with
 * @throws SalusError `FIRMWARE_YANKED`, `FIRMWARE_HELD`, `FIRMWARE_NOT_ACTIVE`, `FIRMWARE_BAD_MANIFEST`, `FIRMWARE_WRONG_NETWORK`,
 * `FIRMWARE_WRONG_MODEL`, `FIRMWARE_MIX_AND_MATCH`, `FIRMWARE_ROLLBACK`, `FIRMWARE_OVERSIZE`, `FIRMWARE_BAD_KEYSET`,
 * `FIRMWARE_BAD_ROTATION`, `FIRMWARE_THRESHOLD`
 */
export function verifyRelease(release: PublishedRelease, state: DeviceState, sequence: number): Manifest {
  const { terms, status } = release
  if (status === 'yanked') throw new SalusError('FIRMWARE_YANKED', 'Refused: the maker withdrew this release for good.')
  if (status === 'held')
    throw new SalusError('FIRMWARE_HELD', 'Refused: the maker put this release on hold. Try later.')
  if (status !== 'staged' && status !== 'active') throw notActive()
  if (!sameHex(terms.model, state.model)) throw wrongModel()
  const manifest = readManifest(release, state)
  if (
    terms.sequence !== sequence ||
    manifest.sequence !== sequence ||
    manifest.securityCounter !== terms.securityCounter ||
    manifest.sizeBytes !== terms.sizeBytes ||
    !sameHex(toHex(manifest.sha256), terms.imageSha256)
  ) {
    throw new SalusError(
      'FIRMWARE_MIX_AND_MATCH',
      'Refused: the manifest and the signed release do not belong together.'
    )
  }
  if (manifest.securityCounter < state.securityFloor || manifest.sequence <= (state.installed?.sequence ?? 0)) {
    throw new SalusError('FIRMWARE_ROLLBACK', 'Refused: this release is older than what this device has installed.')
  }
  if (manifest.sizeBytes > state.slotBytes) {
    throw new SalusError('FIRMWARE_OVERSIZE', 'Refused: the image is larger than this device has room for.')
  }
  checkModelKeys(state.keys, state.model)
  const { threshold, signers } = keysOfVersion(state, state.keys, release.rotations, terms.keysetVersion).release
  if (countApprovals(releaseDigest(state, terms), signers, release.approvals) < threshold) {
    throw new SalusError('FIRMWARE_THRESHOLD', 'Refused: too few of the maker’s keys signed this release.')
  }
  return manifest
}

/**
 * Compares an image with its manifest.
 *
 * @throws SalusError `FIRMWARE_OVERSIZE` too long, `FIRMWARE_TRUNCATED` too short, `FIRMWARE_WRONG_HASH` other bytes
 */
export function verifyImage(manifest: Manifest, image: ImageDigest): void {
  if (image.sizeBytes > manifest.sizeBytes) {
    throw new SalusError('FIRMWARE_OVERSIZE', 'Refused: more bytes came than the maker signed.')
  }
  if (image.sizeBytes < manifest.sizeBytes) {
    throw new SalusError('FIRMWARE_TRUNCATED', 'Refused: fewer bytes came than the maker signed.')
  }
  if (!equalBytes(image.sha256, manifest.sha256)) {
    throw new SalusError('FIRMWARE_WRONG_HASH', 'Refused: these are not the bytes the maker signed.')
  }
}

/** Reads the manifest of a release, in the codes of this page. */
function readManifest({ terms, manifest }: PublishedRelease, state: DeviceState): Manifest {
  if (!sameHex(keccak256(manifest), terms.manifestDigest)) {
    throw new SalusError('FIRMWARE_BAD_MANIFEST', 'Refused: the manifest is not the one that was signed.')
  }
  const network = registryIdOf(state.chainId, state.registry)
  try {
    return decodeManifest(manifest, { network, model: fromHex(state.model) })
  } catch (cause) {
    if (isSalusError(cause, 'MANIFEST_NETWORK')) {
      throw new SalusError('FIRMWARE_WRONG_NETWORK', 'Refused: the manifest is for another chain or registry.', {
        cause
      })
    }
    if (isSalusError(cause, 'MANIFEST_MODEL')) throw wrongModel()
    throw new SalusError('FIRMWARE_BAD_MANIFEST', 'Refused: the manifest cannot be read.', { cause })
  }
}

function notActive(): SalusError {
  return new SalusError('FIRMWARE_NOT_ACTIVE', 'Refused: this release is not for devices, not yet or no longer.')
}

function wrongModel(): SalusError {
  return new SalusError('FIRMWARE_WRONG_MODEL', 'Refused: this firmware is for another model of device.')
}

function sameHex(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

/** How a device comes to trust keys that were not there when it was made: its old root keys and the new ones sign them. */
import { TypedDataEncoder } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import { keysetRotationTypes } from '#core/abi/typed-data/firmware.ts'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { isSoundSet, keysetsDigest, manufacturerIdOf, type Keysets, type ModelKeys } from '#core/firmware/keyset.ts'
import { countApprovals, type Approval, type RegistryDomain } from '#core/firmware/release.ts'

/** A call of `proposeRotation`. */
export interface Rotation {
  readonly manufacturer: Hex
  readonly next: Keysets
  readonly nonce: number
  readonly deadline: bigint
  readonly byOld: readonly Approval[]
  readonly byNew: readonly Approval[]
}

/** The EIP-712 digest that old and new root keys sign, 32 bytes. */
export function rotationDigest(
  { chainId, registry }: RegistryDomain,
  { manufacturer, next, nonce, deadline }: Omit<Rotation, 'byOld' | 'byNew'>
): Hex {
  const value = { manufacturer, keysets: keysetsDigest(next), nonce, deadline }
  return TypedDataEncoder.hash(domain('FirmwareRegistry', chainId, registry), keysetRotationTypes, value) as Hex
}

/**
 * The keys of a version, followed step by step from those that the model's id is made of.
 *
 * @param rotations - those that came in force, in order; what comes after `version` is not looked at
 * @throws SalusError `FIRMWARE_BAD_ROTATION` if a step is missing, or too few of the root keys before or after it signed
 */
export function keysOfVersion(
  place: RegistryDomain,
  keys: ModelKeys,
  rotations: readonly Rotation[],
  version: number
): Keysets {
  const manufacturer = manufacturerIdOf(keys, keys.salt)
  let present: Keysets = keys
  for (let step = 1; step < version; step++) {
    const rotation = rotations[step - 1]
    if (rotation == null || !isFollowedBy(place, manufacturer, present, rotation)) {
      throw new SalusError(
        'FIRMWARE_BAD_ROTATION',
        'Refused: the release is signed with keys that the maker’s root keys did not name.'
      )
    }
    present = rotation.next
  }
  return present
}

function isFollowedBy(place: RegistryDomain, manufacturer: Hex, present: Keysets, rotation: Rotation): boolean {
  const { next, byOld, byNew } = rotation
  if (rotation.manufacturer.toLowerCase() !== manufacturer) return false
  if (!isSoundSet(next.root) || !isSoundSet(next.release)) return false
  const digest = rotationDigest(place, rotation)
  return (
    countApprovals(digest, present.root.signers, byOld) >= present.root.threshold &&
    countApprovals(digest, next.root.signers, byNew) >= next.root.threshold
  )
}

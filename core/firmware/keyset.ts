/**
 * Who may release firmware for a model, and how that is bound to the model's id: a device that was given nothing but
 * the id recognises the right keys whoever hands them to it (docs/specs/firmware-release.md).
 */
import { AbiCoder, keccak256 } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'

/** The signers of one manufacturer, each an ERC-7913 signer: 20 bytes of address, or a verifier's address and a key. */
export interface Keyset {
  readonly releaseSigners: readonly Hex[]
  /** How many of `releaseSigners` must approve a release, from 1 to their number. */
  readonly threshold: number
  /** Any one of them may hold or yank. */
  readonly guards: readonly Hex[]
}

/** Everything that a model's id is made of. */
export interface ModelKeys extends Keyset {
  /** 32 bytes the manufacturer chose when it registered. */
  readonly salt: Hex
  /** 32 bytes that name the kind of device, chosen by the manufacturer. */
  readonly modelClass: Hex
}

/** Most signers of one role, as `FirmwareRegistry` counts them. */
export const MAX_SIGNERS = 16

/** The id `FirmwareRegistry` gives a manufacturer: keccak256(abi.encode(digest of the keyset, salt)), 32 bytes. */
export function manufacturerIdOf(keyset: Keyset, salt: Hex): Hex {
  const coder = AbiCoder.defaultAbiCoder()
  const digest = keccak256(
    coder.encode(['bytes[]', 'uint8', 'bytes[]'], [keyset.releaseSigners, keyset.threshold, keyset.guards])
  )
  return keccak256(coder.encode(['bytes32', 'bytes32'], [digest, salt])) as Hex
}

/** The id of a model: keccak256(abi.encode(manufacturer, modelClass)), 32 bytes. */
export function modelIdOf(manufacturer: Hex, modelClass: Hex): Hex {
  return keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32'], [manufacturer, modelClass])) as Hex
}

/**
 * Checks that keys are sound and are those of a model.
 *
 * @throws SalusError `FIRMWARE_BAD_KEYSET` if the threshold cannot be met or is nought, a signer stands there twice,
 * or the keys are not those the model's id was made of
 */
export function checkModelKeys(keys: ModelKeys, model: Hex): void {
  const signers = new Set(keys.releaseSigners.map(signer => signer.toLowerCase()))
  const sound =
    keys.releaseSigners.length <= MAX_SIGNERS &&
    keys.guards.length <= MAX_SIGNERS &&
    signers.size === keys.releaseSigners.length &&
    Number.isInteger(keys.threshold) &&
    keys.threshold >= 1 &&
    keys.threshold <= signers.size
  if (!sound || idOf(keys) !== model.toLowerCase()) {
    throw new SalusError(
      'FIRMWARE_BAD_KEYSET',
      'Refused: these are not the keys this model was registered with. Check the RPC endpoint; it may be lying.'
    )
  }
}

/** The id these keys make, or `undefined` where they cannot even be encoded. */
function idOf(keys: ModelKeys): Hex | undefined {
  try {
    return modelIdOf(manufacturerIdOf(keys, keys.salt), keys.modelClass)
  } catch {
    return undefined
  }
}

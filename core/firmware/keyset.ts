/**
 * The keys of a manufacturer, and how they are bound to the id of its models: a device that was given nothing but the id
 * recognises the right keys whoever hands them to it (docs/specs/firmware-release.md).
 */
import { AbiCoder, keccak256 } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'

/** Signers of one role, each an ERC-7913 signer: 20 bytes of address, or a verifier's address and a key. */
export interface SignerSet {
  /** How many of `signers` it takes, from 1 to their number; 0 for a set that is empty. */
  readonly threshold: number
  readonly signers: readonly Hex[]
}

/** All keys of a manufacturer. */
export interface Keysets {
  /** Replaces keys. */
  readonly root: SignerSet
  /** Publishes. */
  readonly release: SignerSet
  /** Any one of them may hold or yank; the first is on duty. */
  readonly guard: SignerSet
  /** May stop what a manufacturer that is gone left behind; may be empty. */
  readonly steward: SignerSet
  /** Days without a sign of life after which the manufacturer counts as gone. */
  readonly silenceDays: number
}

/** Everything that a model's id is made of. */
export interface ModelKeys extends Keysets {
  /** 32 bytes the manufacturer chose when it registered. */
  readonly salt: Hex
  /** 32 bytes that name the kind of device, chosen by the manufacturer. */
  readonly modelClass: Hex
}

/** The sets, in the order of `FirmwareRegistry`'s roles. */
export const ROLES = ['root', 'release', 'guard', 'steward'] as const

/** Most signers of one set, as `FirmwareRegistry` counts them. */
export const MAX_SIGNERS = 16

const coder = AbiCoder.defaultAbiCoder()

/** The address that stands for a signer: itself for an account, else the end of its keccak-256. */
export function signerIdOf(signer: Hex): Hex {
  return signer.length === 42 ? (signer.toLowerCase() as Hex) : `0x${keccak256(signer).slice(-40)}`
}

/** What the chain keeps of a set: keccak256(abi.encode(threshold, ids)), 32 bytes. */
export function keysetDigest({ threshold, signers }: SignerSet): Hex {
  return keccak256(coder.encode(['uint8', 'address[]'], [threshold, signers.map(signerIdOf)])) as Hex
}

/** What a rotation signs: keccak256(abi.encode(the four digests, silenceDays)), 32 bytes. */
export function keysetsDigest(keysets: Keysets): Hex {
  const digests = ROLES.map(role => keysetDigest(keysets[role]))
  return keccak256(coder.encode(['bytes32[4]', 'uint16'], [digests, keysets.silenceDays])) as Hex
}

/** The id `FirmwareRegistry` gives a manufacturer: keccak256(abi.encode(digest of its first keys, salt)), 32 bytes. */
export function manufacturerIdOf(keysets: Keysets, salt: Hex): Hex {
  return keccak256(coder.encode(['bytes32', 'bytes32'], [keysetsDigest(keysets), salt])) as Hex
}

/** The id of a model: keccak256(abi.encode(manufacturer, modelClass)), 32 bytes. */
export function modelIdOf(manufacturer: Hex, modelClass: Hex): Hex {
  return keccak256(coder.encode(['bytes32', 'bytes32'], [manufacturer, modelClass])) as Hex
}

/** Whether a set is one that the registry would take. */
export function isSoundSet({ threshold, signers }: SignerSet): boolean {
  const ids = new Set(signers.map(signerIdOf))
  const isInRange = Number.isInteger(threshold) && threshold >= 1 && threshold <= ids.size
  return signers.length <= MAX_SIGNERS && ids.size === signers.length && isInRange
}

/**
 * Checks that keys are sound and are those of a model.
 *
 * @throws SalusError `FIRMWARE_BAD_KEYSET` if a threshold cannot be met or is nought, a signer stands in a set twice,
 * or the keys are not those the model's id was made of
 */
export function checkModelKeys(keys: ModelKeys, model: Hex): void {
  if (!isModel(keys, model)) {
    throw new SalusError(
      'FIRMWARE_BAD_KEYSET',
      'Refused: these are not the keys this model was registered with. Check the RPC endpoint; it may be lying.'
    )
  }
}

/** False also for keys that cannot even be encoded. */
function isModel(keys: ModelKeys, model: Hex): boolean {
  try {
    const isSound = isSoundSet(keys.root) && isSoundSet(keys.release) && isSoundSet(keys.guard)
    return isSound && modelIdOf(manufacturerIdOf(keys, keys.salt), keys.modelClass) === model.toLowerCase()
  } catch {
    return false
  }
}

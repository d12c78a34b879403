/** Puts the signatures of a manufacturer's keys in the form that `FirmwareRegistry` takes. */
import { TypedDataEncoder, type Wallet } from 'ethers'
import { domain, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import type { Approval, RegistryDomain } from '#core/firmware/release.ts'

/** A request that keys sign: its EIP-712 type and value. */
export interface SignedStatement {
  readonly types: TypedDataTypes
  readonly value: Record<string, unknown>
}

/**
 * Signs a statement with keys, in the order of the set.
 *
 * @param signers - the set that the keys must be of, as registered
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN` for a key that is not of the set, `FIRMWARE_KEYS_TOO_FEW`
 */
export function approve(
  { chainId, registry }: RegistryDomain,
  { types, value }: SignedStatement,
  signers: readonly Hex[],
  keys: readonly Wallet[],
  threshold: number
): Approval[] {
  const digest = TypedDataEncoder.hash(domain('FirmwareRegistry', chainId, registry), types, value)
  const byIndex = new Map<number, Approval>()
  for (const key of keys) {
    const index = signers.indexOf(key.address.toLowerCase() as Hex)
    if (index < 0) {
      throw new SalusError('FIRMWARE_KEY_UNKNOWN', `The key of ${key.address} is not one this manufacturer registered.`)
    }
    byIndex.set(index, { index, signature: key.signingKey.sign(digest).serialized as Hex })
  }
  if (byIndex.size < threshold) {
    throw new SalusError('FIRMWARE_KEYS_TOO_FEW', `This needs ${String(threshold)} different keys of the manufacturer.`)
  }
  return [...byIndex.values()].sort((a, b) => a.index - b.index)
}

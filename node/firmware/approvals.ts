/** Puts the signatures of a manufacturer's keys in the form that `FirmwareRegistry` takes. */
import { TypedDataEncoder, type Wallet } from 'ethers'
import { domain, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { signerIdOf, type SignerSet } from '#core/firmware/keyset.ts'
import type { RegistryDomain } from '#core/firmware/release.ts'

/** A request that keys sign: its EIP-712 type and value. */
export interface SignedStatement {
  readonly types: TypedDataTypes
  readonly value: Record<string, unknown>
}

/** A value of a request that also JSON can carry. */
export type RequestValue = string | number | RequestValue[]

/**
 * Signs a statement with keys of a set, and gives the set and the signatures in its order: the struct `Quorum`.
 *
 * @param set - in force; keys that are not of it are refused
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN` for a key that is not of the set, `FIRMWARE_KEYS_TOO_FEW`
 */
export function approve(
  { chainId, registry }: RegistryDomain,
  { types, value }: SignedStatement,
  { threshold, signers }: SignerSet,
  keys: readonly Wallet[]
): RequestValue[] {
  const digest = TypedDataEncoder.hash(domain('FirmwareRegistry', chainId, registry), types, value)
  const byIndex = new Map<number, RequestValue[]>()
  for (const key of keys) {
    const index = signers.indexOf(key.address.toLowerCase() as Hex)
    if (index < 0) {
      throw new SalusError(
        'FIRMWARE_KEY_UNKNOWN',
        `The key of ${key.address} is not one this manufacturer has for this.`
      )
    }
    byIndex.set(index, [index, '0x', key.signingKey.sign(digest).serialized])
  }
  if (byIndex.size < threshold) {
    throw new SalusError('FIRMWARE_KEYS_TOO_FEW', `This needs ${String(threshold)} different keys of the manufacturer.`)
  }
  const approvals = [...byIndex.entries()].sort(([a], [b]) => a - b).map(([, approval]) => approval)
  return [threshold, signers.map(signerIdOf), approvals]
}

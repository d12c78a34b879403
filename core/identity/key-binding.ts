/** The EIP-712 statement that ties a key bundle to an address (docs/specs/identity.md). */
import { verifyTypedData, type TypedDataDomain } from 'ethers'
import { domain, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import { SalusError } from '#core/error.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { Evidence } from '#core/identity/evidence.ts'

const EOA_SIGNATURE_BYTES = 65
/** Last byte of an account's signature; others mean the same to some readers, so that one binding would have many forms. */
const PARITIES: readonly (number | undefined)[] = [27, 28]

/** The EIP-712 types of a key binding. */
export const KEY_BINDING_TYPES: TypedDataTypes = {
  KeyBinding: [
    { name: 'keyBundle', type: 'bytes32' },
    { name: 'notAfter', type: 'uint256' }
  ]
}

/** Signs EIP-712 typed data; an ethers `Wallet`'s method of the same name fits. */
export type SignTypedData = (
  domain: TypedDataDomain,
  types: TypedDataTypes,
  value: Record<string, unknown>
) => Promise<string>

/** What a wallet is asked to sign. */
export interface TypedData {
  readonly domain: TypedDataDomain
  readonly types: TypedDataTypes
  readonly value: Record<string, unknown>
}

/** The domain of key bindings: that of `AccessGrants`, where the address is a grantee. */
export function keyBindingDomain(chainId: number, accessGrants: string): TypedDataDomain {
  return domain('AccessGrants', chainId, accessGrants)
}

/**
 * What a grantee signs.
 *
 * @param notAfter - seconds since 1970-01-01
 */
export function keyBindingTypedData(of: TypedDataDomain, bundleDigest: Uint8Array, notAfter: number): TypedData {
  return { domain: of, types: KEY_BINDING_TYPES, value: { keyBundle: toHex(bundleDigest), notAfter } }
}

/**
 * The address, lower-case, that signed the binding. Only wallets that sign with their own key are supported so far; a
 * contract wallet's signature needs the chain to be judged.
 *
 * @throws SalusError `BINDING_ABSENT`, `BINDING_UNSUPPORTED` (not 65 bytes), `BINDING_SIGNATURE` (no key could have made it, or
 * its last byte is neither 27 nor 28)
 */
export function recoverBindingAddress(of: TypedDataDomain, { bundle, binding }: Evidence): `0x${string}` {
  if (binding == null) {
    throw new SalusError('BINDING_ABSENT', 'The author is not the patient and shows no binding of its keys.')
  }
  if (binding.signature.length !== EOA_SIGNATURE_BYTES) {
    throw new SalusError('BINDING_UNSUPPORTED', 'Only bindings signed by a plain wallet are supported so far.')
  }
  if (!PARITIES.includes(binding.signature.at(-1))) {
    throw new SalusError('BINDING_SIGNATURE', 'Refused: the key binding’s signature does not end in 27 or 28.')
  }
  const { types, value } = keyBindingTypedData(of, keyBundleDigest(bundle), binding.notAfter)
  try {
    return verifyTypedData(of, types, value, toHex(binding.signature)).toLowerCase() as `0x${string}`
  } catch (cause) {
    throw new SalusError('BINDING_SIGNATURE', 'Refused: the key binding’s signature is malformed.', { cause })
  }
}

/**
 * Checks that the evidence ties its bundle to an address now.
 *
 * @param expected - `address` with or without checksum; `nowS` in seconds since 1970-01-01
 * @throws SalusError `BINDING_EXPIRED`, `BINDING_ADDRESS` (another address signed it), and as {@link recoverBindingAddress}
 */
export function checkBinding(
  of: TypedDataDomain,
  evidence: Evidence,
  expected: { readonly address: string; readonly nowS: number }
): void {
  const address = recoverBindingAddress(of, evidence)
  if (address !== expected.address.toLowerCase()) {
    throw new SalusError('BINDING_ADDRESS', 'Refused: the key binding was signed by another address.')
  }
  if ((evidence.binding?.notAfter ?? 0) < expected.nowS) {
    throw new SalusError('BINDING_EXPIRED', 'The key binding has expired; its owner must sign a new one.')
  }
}

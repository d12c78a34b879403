/**
 * EIP-712 domains and type tables of every signed request (docs/specs/contracts.md).
 *
 * @see https://eips.ethereum.org/EIPS/eip-712
 */
import type { TypedDataDomain, TypedDataField } from 'ethers'
import type { ContractName } from '#core/chain/deployment.ts'

/** A type table as ethers' `signTypedData` takes it: the struct's name to its fields, in the order that is hashed. */
export type TypedDataTypes = Record<string, TypedDataField[]>

/**
 * Domain of requests to a contract: a signature counts on this chain and for this contract only.
 *
 * @param address - of the contract
 */
export function domain(contract: ContractName, chainId: number, address: string): TypedDataDomain {
  return { name: `Salus ${contract}`, version: '1', chainId, verifyingContract: address }
}

/** `PatientRegistry.register` */
export const registrationTypes: TypedDataTypes = table('Registration', [
  'bytes32 patient',
  'bytes signer',
  'bytes32 keyBundle',
  'uint256 deadline'
])

/** `PatientRegistry.updateKeyBundle` */
export const keyBundleUpdateTypes: TypedDataTypes = table('KeyBundleUpdate', [
  'bytes32 patient',
  'bytes32 keyBundle',
  'uint256 nonce',
  'uint256 deadline'
])

/** `PatientRegistry.rotateSigner`, signed by the present and the new signer */
export const signerRotationTypes: TypedDataTypes = table('SignerRotation', [
  'bytes32 patient',
  'bytes newSigner',
  'uint256 nonce',
  'uint256 deadline'
])

/** `AccessGrants.grant`; the contract takes the terms packed, the wallet shows them unpacked */
export const grantTypes: TypedDataTypes = table('Grant', [
  'bytes32 patient',
  'address grantee',
  'uint40 notBefore',
  'uint40 expiresAt',
  'uint8 rights',
  'uint8 uses',
  'bytes32 scope',
  'bytes32 salt',
  'uint32 epoch',
  'uint256 deadline'
])

/** `AccessGrants.revoke` */
export const revocationTypes: TypedDataTypes = table('Revocation', [
  'bytes32 patient',
  'bytes32 salt',
  'uint256 deadline'
])

/** `AccessGrants.claim`; `usesLeft` after the claim */
export const claimTypes: TypedDataTypes = table('Claim', ['bytes32 grantId', 'uint8 usesLeft', 'uint256 deadline'])

/** `BatchAnchors.register` */
export const gatewayRegistrationTypes: TypedDataTypes = table('GatewayRegistration', [
  'bytes32 gateway',
  'bytes signer',
  'bytes32 certificate',
  'uint256 deadline'
])

/** `BatchAnchors.anchor` */
export const anchorTypes: TypedDataTypes = table('Anchor', [
  'bytes32 gateway',
  'uint64 sequence',
  'uint64 treeSize',
  'bytes32 root',
  'uint256 deadline'
])

/** `FirmwareRegistry.registerModel` */
export const modelRegistrationTypes: TypedDataTypes = table('ModelRegistration', [
  'bytes32 manufacturer',
  'bytes32 modelClass',
  'uint256 deadline'
])

/** `FirmwareRegistry.publish` */
export const releaseTypes: TypedDataTypes = table('Release', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 securityCounter',
  'uint40 sizeBytes',
  'bytes32 imageSha256',
  'bytes32 manifestDigest',
  'uint256 deadline'
])

/** `FirmwareRegistry.hold`; `revision` as `releaseOf` gives it */
export const holdTypes: TypedDataTypes = table('Hold', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint32 revision',
  'uint256 deadline'
])

/** `FirmwareRegistry.unhold`; `revision` as `releaseOf` gives it */
export const unholdTypes: TypedDataTypes = table('Unhold', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint32 revision',
  'uint256 deadline'
])

/** `FirmwareRegistry.yank` */
export const yankTypes: TypedDataTypes = table('Yank', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint256 deadline'
])

/** `FirmwareRegistry.raiseMinimum` */
export const minimumRaiseTypes: TypedDataTypes = table('MinimumRaise', [
  'bytes32 model',
  'uint32 minimumSequence',
  'uint256 deadline'
])

function table(struct: string, fields: readonly string[]): TypedDataTypes {
  return {
    [struct]: fields.map(field => {
      const [type = '', name = ''] = field.split(' ')
      return { name, type }
    })
  }
}

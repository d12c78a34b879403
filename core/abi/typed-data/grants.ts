/** Type tables of the requests to `AccessGrants` (docs/specs/contracts.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `AccessGrants.grant` and `.grantWithAccount`; the contract takes the terms packed, the wallet shows them unpacked */
export const grantTypes: TypedDataTypes = typeTable('Grant', [
  'bytes32 patient',
  'address grantee',
  'uint40 notBefore',
  'uint40 expiresAt',
  'uint8 rights',
  'uint8 uses',
  'bytes32 scope',
  'uint32 epoch',
  'uint256 deadline'
])

/** `AccessGrants.revoke` */
export const revocationTypes: TypedDataTypes = typeTable('Revocation', [
  'bytes32 patient',
  'bytes32 scope',
  'uint256 deadline'
])

/** `AccessGrants.claim`; `usesLeft` after the claim */
export const claimTypes: TypedDataTypes = typeTable('Claim', ['bytes32 grantId', 'uint8 usesLeft', 'uint256 deadline'])

/** `AccessGrants.grantBatch`; the contract takes the terms packed, the wallet shows them unpacked */
export const grantBatchTypes: TypedDataTypes = {
  ...typeTable('GrantBatch', ['bytes32 patient', 'BatchGrant[] grants', 'uint32 epoch', 'uint256 deadline']),
  ...typeTable('BatchGrant', [
    'address grantee',
    'uint40 notBefore',
    'uint40 expiresAt',
    'uint8 rights',
    'uint8 uses',
    'bytes32 scope'
  ])
}

/** `AccessGrants.requestAccess`; `requester` is the id of the signer, for a wallet to show */
export const accessRequestTypes: TypedDataTypes = typeTable('AccessRequest', [
  'address requester',
  'bytes32 request',
  'uint256 deadline'
])

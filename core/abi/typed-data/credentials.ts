/** Type tables of the requests to `CredentialRegistry` (docs/specs/contracts-credentials.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `CredentialRegistry.rotateSigner`, signed by the present and the new signer */
export const organisationRotationTypes: TypedDataTypes = typeTable('OrganisationRotation', [
  'bytes32 organisation',
  'bytes newSigner',
  'uint256 nonce',
  'uint256 deadline'
])

/** `CredentialRegistry.issue`, signed by each holder; the contract takes the terms packed, the wallet shows them unpacked */
export const credentialTypes: TypedDataTypes = typeTable('Credential', [
  'bytes32 organisation',
  'address holder',
  'uint16 role',
  'uint16 specialty',
  'uint32 notBefore',
  'uint32 expiresAt',
  'bytes32 salt',
  'uint256 deadline'
])

/** `CredentialRegistry.issue`, signed by the organisation */
export const credentialBatchTypes: TypedDataTypes = {
  ...typeTable('CredentialBatch', ['Credential[] credentials', 'uint256 deadline']),
  ...credentialTypes
}

/** `CredentialRegistry.revoke`, signed by the organisation or the holder */
export const credentialRevocationTypes: TypedDataTypes = typeTable('CredentialRevocation', [
  'bytes32 credential',
  'uint256 deadline'
])

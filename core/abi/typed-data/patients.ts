/** Type tables of the requests about a patient to `AccessGrants` (docs/specs/contracts.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `AccessGrants.register` */
export const registrationTypes: TypedDataTypes = typeTable('Registration', [
  'bytes32 patient',
  'bytes signer',
  'bytes32 keyBundle',
  'uint256 deadline'
])

/** `AccessGrants.updateKeyBundle` */
export const keyBundleUpdateTypes: TypedDataTypes = typeTable('KeyBundleUpdate', [
  'bytes32 patient',
  'bytes32 keyBundle',
  'uint256 nonce',
  'uint256 deadline'
])

/** `AccessGrants.rotateSigner`, signed by the present and the new signer */
export const signerRotationTypes: TypedDataTypes = typeTable('SignerRotation', [
  'bytes32 patient',
  'bytes newSigner',
  'uint256 nonce',
  'uint256 deadline'
])

/** Type tables of the requests to `AccessGrants` about guardians and recovery (docs/specs/contracts-patients.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `AccessGrants.setGuardians` */
export const guardianSetTypes: TypedDataTypes = typeTable('GuardianSet', [
  'bytes32 patient',
  'bytes32 root',
  'uint8 threshold',
  'uint32 delay',
  'uint256 nonce',
  'uint256 deadline'
])

/** `AccessGrants.openRecovery`, signed by the new signer and by guardians */
export const recoveryTypes: TypedDataTypes = typeTable('Recovery', [
  'bytes32 patient',
  'bytes newSigner',
  'uint256 nonce',
  'uint256 deadline'
])

/** `AccessGrants.vetoRecovery` */
export const recoveryVetoTypes: TypedDataTypes = typeTable('RecoveryVeto', [
  'bytes32 patient',
  'uint256 nonce',
  'uint256 deadline'
])

/**
 * Which role may call which governed function. Every function marked `restricted` in contracts/ has a row, and every row such a
 * function: test/scripts/deploy/functions.test.ts compares them. What has no row is for administrators alone.
 */
import type { ContractName } from '#core/chain/contract-names.ts'
import type { Role } from '#core/chain/roles.ts'

/** Signature of a function, as its selector is made from, and who may call it. */
export type FunctionRoles = Readonly<Record<string, Role>>

/** Of every contract that can be paused. */
const PAUSING: FunctionRoles = { 'pause()': 'PAUSER', 'unpause()': 'GOVERNOR' }

/**
 * The manager's own rules say who may call these (administrators, whatever stands here). The row names the role whose guardian
 * may cancel them while they wait. `revokeRole` is left out: a guardian must not be able to stay by cancelling its removal.
 */
const ADMINISTRATION: FunctionRoles = {
  'grantRole(uint64,address,uint32)': 'GOVERNOR',
  'labelRole(uint64,string)': 'GOVERNOR',
  'setRoleAdmin(uint64,uint64)': 'GOVERNOR',
  'setRoleGuardian(uint64,uint64)': 'GOVERNOR',
  'setGrantDelay(uint64,uint32)': 'GOVERNOR',
  'setTargetAdminDelay(address,uint32)': 'GOVERNOR',
  'setTargetClosed(address,bool)': 'GOVERNOR',
  'setTargetFunctionRole(address,bytes4[],uint64)': 'GOVERNOR',
  'updateAuthority(address,address)': 'GOVERNOR'
}

/** By contract. */
export const FUNCTION_ROLES: Partial<Record<ContractName, FunctionRoles>> = {
  AccessManager: ADMINISTRATION,
  AccessGrants: PAUSING
}

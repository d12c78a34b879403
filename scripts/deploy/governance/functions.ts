/**
 * Which role may call which governed function. Every function marked `restricted` in contracts/ has a row, and every row such a
 * function: test/scripts/deploy/functions.test.ts compares them. What has no row is for administrators alone.
 */
import { CONTRACT_NAMES, type ContractName } from '#core/chain/contract-names.ts'
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

/** By contract. What stops something is the PAUSER's, at once; what loosens or raises something has a delay. */
const TABLE: Readonly<Partial<Record<ContractName, FunctionRoles>>> = {
  AccessManager: ADMINISTRATION,
  AccessGrants: PAUSING,
  CredentialRegistry: {
    ...PAUSING,
    'accredit(bytes,bytes32,bytes32)': 'ACCREDITOR',
    'exclude(bytes32)': 'ACCREDITOR',
    'reinstate(bytes32)': 'ACCREDITOR',
    'suspend(bytes32)': 'PAUSER'
  },
  EmergencyAccess: {
    ...PAUSING,
    'review((bytes32,bytes32,bytes32,bytes32),uint8,bytes32)': 'REVIEWER',
    'liftBlock(address,bytes32)': 'REVIEWER',
    'setLimits((uint16,uint16,uint32,uint32,uint8,uint32))': 'GOVERNOR'
  },
  BatchAnchors: PAUSING,
  FirmwareRegistry: PAUSING,
  NodeRegistry: PAUSING,
  ConsentRegistry: PAUSING,
  ReleaseRegistry: {
    ...PAUSING,
    'addScheme((bytes32,bytes32,bytes32,uint8,uint16))': 'GOVERNOR',
    'retireScheme(bytes32)': 'PAUSER',
    'setStewards(bytes[],uint8)': 'GOVERNOR'
  },
  PrivacyLedger: {
    ...PAUSING,
    'setCap(bytes32,uint48,uint48)': 'GOVERNOR',
    'setRegulator(address,bool)': 'GOVERNOR',
    'spend(bytes32,address,bytes32,uint48,uint32)': 'LEDGER_KEEPER'
  },
  EscrowWarrant: { ...PAUSING, 'setAuditors(bytes[],bytes32[],uint8,uint8)': 'GOVERNOR' }
}

/** The rows of the contracts that this version deploys. */
export const FUNCTION_ROLES: Partial<Record<ContractName, FunctionRoles>> = Object.fromEntries(
  CONTRACT_NAMES.flatMap(name => (TABLE[name] == null ? [] : [[name, TABLE[name]]]))
)

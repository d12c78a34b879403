/** What the other contracts stand on: who governs, and the verifiers of P-256 and passkey signatures. */
const FOUNDATIONS = ['AccessManager', 'ERC7913P256Verifier', 'ERC7913WebAuthnVerifier'] as const

/** The contracts that take signed requests and whose events make up the network's state. */
export const REQUEST_CONTRACTS = [
  'AccessGrants',
  'CredentialRegistry',
  'EmergencyAccess',
  'BatchAnchors',
  'NodeRegistry',
  'FirmwareRegistry',
  'ConsentRegistry',
  'ReleaseRegistry',
  'PrivacyLedger',
  'EscrowWarrant'
] as const

/** Name of a contract that takes signed requests. */
export type RequestContract = (typeof REQUEST_CONTRACTS)[number]

/** Name of a contract. */
export type ContractName = (typeof FOUNDATIONS)[number] | RequestContract

/** The contracts of a network, each after those that its constructor names. */
export const CONTRACT_NAMES: readonly ContractName[] = [...FOUNDATIONS, ...REQUEST_CONTRACTS]

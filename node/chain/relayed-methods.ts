/** Which requests a relayer sends, and their calls. */
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { SalusError } from '#core/error.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import type { OutboxCall } from '#node/chain/outbox.ts'

/** A signed request for a contract; tuples in `args` are lists in the order of their fields. */
export interface RelayedRequest {
  readonly contract: RequestContract
  readonly method: string
  readonly args: readonly unknown[]
}

/**
 * Methods that anyone may send: they carry the signature of whom they speak for. Those that carry none do what others signed
 * before: a manufacturer's id is the digest of its keys, a release starts and keys come in force when they are due, a recovery is
 * complete and a warrant executed when the chain already shows it, and a yank spreads to every number of its image.
 */
const ALLOWED: Readonly<Record<RequestContract, readonly string[]>> = {
  AccessGrants: [
    ...['register', 'updateKeyBundle', 'rotateSigner'],
    ...['setGuardians', 'openRecovery', 'vetoRecovery', 'completeRecovery'],
    ...['requestAccess', 'grant', 'grantWithAccount', 'grantBatch', 'openFromBatch', 'revoke', 'claim']
  ],
  CredentialRegistry: ['rotateSigner', 'issue', 'revoke'],
  EmergencyAccess: ['setPolicy', 'breakGlass', 'end', 'dispute', 'reviewByCredential'],
  BatchAnchors: ['register', 'rotate', 'retire', 'anchor', 'anchorGateways'],
  NodeRegistry: ['list', 'changePledge', 'retire'],
  FirmwareRegistry: [
    'registerManufacturer',
    'proposeRotation',
    'cancelRotation',
    'completeRotation',
    'heartbeat',
    'registerModel',
    'publish',
    'activate',
    'raiseRollout',
    'cutRollout',
    'raiseMinimum',
    'proposeSunset',
    'cancelSunset',
    'completeSunset',
    'hold',
    'confirmHold',
    'unhold',
    'yank',
    'spreadYank',
    'setDeviceKeys',
    'tripBreaker',
    'addAttestor',
    'removeAttestor',
    'anchorReport',
    'addAdvisory',
    'addRebuild'
  ],
  ConsentRegistry: ['give', 'withdraw'],
  ReleaseRegistry: [
    'publishRelease',
    'challenge',
    'holdRelease',
    'letGoRelease',
    'withdrawRelease',
    'grantAccess',
    'revokeAccess'
  ],
  PrivacyLedger: ['spendSigned'],
  EscrowWarrant: ['openWarrant', 'objectTo', 'cancelByCourt', 'postNotice', 'postShare', 'execute', 'review']
}

const MAX_CALLDATA_CHARACTERS = 2 * 32_768

/**
 * The call of a request.
 *
 * @throws SalusError `RELAY_NOT_ALLOWED`, `RELAY_ARGUMENTS`
 */
export function encodeCall(
  deployment: Deployment,
  { contract, method, args }: RelayedRequest
): Omit<OutboxCall, 'maxGas'> {
  if (!ALLOWED[contract].includes(method)) {
    throw new SalusError('RELAY_NOT_ALLOWED', 'This method is not relayed; docs/specs/http-api.md says which are.')
  }
  let data: string
  try {
    data = CONTRACT_INTERFACES[contract].encodeFunctionData(method, args)
  } catch (cause) {
    throw new SalusError('RELAY_ARGUMENTS', 'The arguments are not those of the method; see its interface.', { cause })
  }
  if (data.length > MAX_CALLDATA_CHARACTERS) throw new SalusError('RELAY_ARGUMENTS', 'The arguments are too large.')
  return { contract, method, to: deployment.contracts[contract].address, data }
}

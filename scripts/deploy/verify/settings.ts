/** What governance has set in the contracts, and whom with which delay: no table says what is right, people must look at it. */
import { Interface, type InterfaceAbi, type LogDescription, type Provider } from 'ethers'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import { escrowWarrantAbi } from '#core/abi/EscrowWarrant.ts'
import { privacyLedgerAbi } from '#core/abi/PrivacyLedger.ts'
import { releaseRegistryAbi } from '#core/abi/ReleaseRegistry.ts'
import type { ContractName } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { ROLES, roleId } from '#core/chain/roles.ts'
import { allLogs } from '#scripts/deploy/governance/all-logs.ts'
import { nameOf } from '#scripts/deploy/governance/difference.ts'
import { roleOf, type ManagerState } from '#scripts/deploy/governance/state.ts'

/** Contracts whose settings are shown. */
const SET_IN = {
  CredentialRegistry: credentialRegistryAbi,
  EmergencyAccess: emergencyAccessAbi,
  ReleaseRegistry: releaseRegistryAbi,
  PrivacyLedger: privacyLedgerAbi,
  EscrowWarrant: escrowWarrantAbi
} as const satisfies Partial<Record<ContractName, InterfaceAbi>>

/** Who may act, after which delay: one sentence for each member of a role. */
export function delayLines(state: ManagerState): string[] {
  return ROLES.flatMap(role => {
    const members = [...roleOf(state, roleId(role)).members]
    if (members.length === 0) return [`${role}: nobody`]
    return members.map(([account, { executionDelay }]) => {
      const { seconds } = executionDelay
      return `${nameOf(roleId(role))} ${account}: ${seconds === 0 ? 'at once' : `after ${String(seconds)} s`}`
    })
  })
}

/**
 * What the contracts were told: organisations, limits, schemes, stewards, caps, regulators, auditors.
 *
 * @param isKnown - whether a contract's code is this tree's, so that its events mean what they say
 */
export async function settingLines(
  provider: Provider,
  { contracts, blockNumber }: Deployment,
  isKnown: (name: ContractName) => boolean
): Promise<string[]> {
  const lines: string[] = []
  for (const [name, abi] of Object.entries(SET_IN) as [keyof typeof SET_IN, InterfaceAbi][]) {
    if (!isKnown(name)) continue
    const parser = new Interface(abi)
    const logs = await allLogs(provider, contracts[name].address, blockNumber)
    const newest = new Map<string, string>()
    for (const event of logs.map(log => parser.parseLog(log))) {
      const said = event == null ? undefined : settingOf(event)
      if (said != null) newest.set(...said)
    }
    if (name === 'ReleaseRegistry' && !newest.has('stewards')) newest.set('stewards', 'nobody')
    if (name === 'EscrowWarrant' && !newest.has('auditors')) newest.set('auditors', 'nobody')
    lines.push(...[...newest].map(([what, value]) => `${name}, ${what}: ${value}`))
  }
  return lines
}

/** What an event sets, and to what; later ones replace earlier ones of the same thing. */
function settingOf({ name, args }: LogDescription): [what: string, value: string] | undefined {
  const say = (field: string): string => String(args[field] as unknown)
  const standing = (value: string): [string, string] => [`organisation ${say('organisation')}`, value]
  switch (name) {
    case 'OrganisationAccredited':
    case 'OrganisationReinstated':
      return standing('accredited')
    case 'OrganisationSuspended':
      return standing('suspended')
    case 'OrganisationExcluded':
      return standing('excluded')
    case 'LimitsChanged':
      return ['limits', saying(args['limits'] as LogDescription['args'])]
    case 'SchemeAdded':
      return [`scheme ${say('scheme')}`, 'live']
    case 'SchemeRetired':
      return [`scheme ${say('scheme')}`, 'retired']
    case 'StewardsSet':
      return ['stewards', `${say('threshold')} of ${say('signers')}`]
    case 'CapSet':
      return [`data set ${say('dataset')}`, `cap ${say('cap')}, of one researcher ${say('researcherCap')}`]
    case 'RegulatorSet':
      return [`regulator ${say('researcher')}`, args['isRegulator'] === true ? 'yes' : 'no longer']
    case 'AuditorsSet':
      return [
        'auditors',
        `${say('threshold')} of ${say('signers')}, ${say('objectors')} stop; of ${say('organisations')}`
      ]
    default:
      return undefined
  }
}

function saying(values: LogDescription['args']): string {
  return Object.entries(values.toObject())
    .map(([field, value]) => `${field} ${String(value)}`)
    .join(', ')
}

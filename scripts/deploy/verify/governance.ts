/** Compares who may do what, and after which delay, with the table of the profile. */
import { id, Interface, Contract, type Provider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { CONTRACT_NAMES, type ContractName } from '#core/chain/contract-names.ts'
import { roleId } from '#core/chain/roles.ts'
import { handOverDifferences, nameOf, setupDifferences } from '#scripts/deploy/governance/difference.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'
import { EXPIRATION_S, MANAGER } from '#scripts/deploy/governance/manager.ts'
import { PROFILE_TERMS } from '#scripts/deploy/governance/profiles.ts'
import { stateOf } from '#scripts/deploy/governance/set-up.ts'
import { roleOf, type Delay, type ManagerState, type Operation } from '#scripts/deploy/governance/state.ts'
import { isGoverned } from '#scripts/deploy/verify/code.ts'
import type { Finding } from '#scripts/deploy/verify/finding.ts'
import { delayLines, settingLines } from '#scripts/deploy/verify/settings.ts'

const PAUSED = new Interface(['function paused() view returns (bool)'])

/** What is wrong, and what is as it may be but good to know. */
export interface GovernanceReport {
  readonly findings: readonly Finding[]
  /** Announced calls, delays not yet in force, paused contracts: one sentence each. */
  readonly notices: readonly string[]
  /** Who may act after which delay, and what governance has set: one sentence each, right or wrong by nobody's table. */
  readonly settings: readonly string[]
}

/** All that is wrong or noteworthy about the roles of a deployment. */
export async function governanceReport(
  provider: Provider,
  deployment: Deployment,
  isKnown: (name: ContractName) => boolean
): Promise<GovernanceReport> {
  const { table, manager, state } = await stateOf(provider, deployment)
  const now = (await provider.getBlock('latest'))?.timestamp ?? 0
  const findings: Finding[] = [...setupDifferences(table, state), ...handOverDifferences(table, state)]
  for (const role of PROFILE_TERMS[table.governance.profile].mustHaveMembers) {
    if (roleOf(state, roleId(role)).members.size > 0) continue
    findings.push({ code: 'VERIFY_ROLE_EMPTY', subject: `role ${role}`, expected: 'a member', found: 'nobody' })
  }
  const notices = comingDelays(state, now)
  for (const operation of state.operations.values()) {
    if (operation.readyAt + EXPIRATION_S <= now) continue
    const name = CONTRACT_NAMES.find(contract => table.addressOf(contract) === operation.target) ?? operation.target
    const says = `${name}.${callOf(operation)} by ${operation.caller}, from ${timeOf(operation.readyAt)}`
    // A call to a contract is everyday work; one to the manager changes what this page has just compared.
    if (operation.target !== manager) notices.push(`announced: ${says}`)
    else findings.push({ code: 'VERIFY_PENDING', subject: name, expected: 'no announced change', found: says })
  }
  for (const name of CONTRACT_NAMES.filter(contract => isGoverned(contract) && isKnown(contract))) {
    const contract = new Contract(table.addressOf(name), PAUSED, provider)
    if ((await contract.getFunction('paused').staticCall()) === true) notices.push(`${name} is paused`)
  }
  const settings = [...delayLines(state), ...(await settingLines(provider, deployment, isKnown))]
  return { findings, notices, settings }
}

function comingDelays(state: ManagerState, now: number): string[] {
  const notices: string[] = []
  const look = (what: string, { seconds, since }: Delay): void => {
    if (since > now) notices.push(`${what}: ${String(seconds)} s, in force from ${timeOf(since)}`)
  }
  for (const [role, { grantDelay, members }] of state.roles) {
    look(`grant delay of ${nameOf(role)}`, grantDelay)
    for (const [account, { since, executionDelay }] of members) {
      look(`execution delay of ${nameOf(role)} ${account}`, executionDelay)
      if (since > now) notices.push(`${account} becomes ${nameOf(role)} at ${timeOf(since)}`)
    }
  }
  for (const [target, { adminDelay }] of state.targets) look(`delay of changes to ${target}`, adminDelay)
  return notices
}

function callOf({ data }: Operation): string {
  const selector = data.slice(0, 10)
  const signatures = Object.values(FUNCTION_ROLES).flatMap(functions => Object.keys(functions))
  const signature = signatures.find(candidate => id(candidate).startsWith(selector))
  return signature ?? MANAGER.getFunction(selector)?.format() ?? selector
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString()
}

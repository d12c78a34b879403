import type { Provider, Signer } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import type { DeploymentOrigin } from '#core/chain/deployment-governance.ts'
import { roleId } from '#core/chain/roles.ts'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'
import { handOverDifferences, setupDifferences, type Table } from '#scripts/deploy/governance/difference.ts'
import { checkGovernor } from '#scripts/deploy/governance/governor.ts'
import { readManagerState } from '#scripts/deploy/governance/read-state.ts'
import { endDifferences } from '#scripts/deploy/governance/send.ts'
import { roleOf, type ManagerState } from '#scripts/deploy/governance/state.ts'

/** What setting up needs. */
export interface SetUpComponents {
  readonly provider: Provider
  readonly signer: Signer
  readonly log: Log
}

/** The table of a deployment, with the addresses filled in. */
export function tableOf({ contracts, origin }: Deployment): Table & DeploymentOrigin {
  if (origin == null) {
    throw new SalusError('DEPLOY_ORIGIN', 'The deployment does not say who governs it; deploy again, which adds that.')
  }
  return { ...origin, addressOf: name => contracts[name].address }
}

/**
 * Sends what is missing of names, guardians, functions and members, if the signer may still do so at once. Afterwards that is the
 * governor's: the differences are then left as they are, for `--verify` to show.
 *
 * @throws SalusError `DEPLOY_GOVERNANCE`, `DEPLOY_LOGS`
 */
export async function setUp({ provider, signer, log }: SetUpComponents, deployment: Deployment): Promise<void> {
  const { table, manager, state } = await stateOf(provider, deployment)
  const differences = setupDifferences(table, state)
  if (differences.length === 0) return
  if (!isAdmin(state, await signer.getAddress())) {
    log.warn({ differences: differences.length }, 'roles differ from the table, and only the governor can change them')
    return
  }
  log.info({ calls: differences.length }, 'setting roles')
  await endDifferences(signer, manager, differences)
}

/**
 * Gives the administration to the governor, with its delays, and takes it from the signer, in one transaction.
 *
 * @returns false if it had been done before
 * @throws SalusError `DEPLOY_NOT_ADMIN` if the signer is not the administrator and the governor is not either; `DEPLOY_GOVERNOR`,
 * `DEPLOY_GOVERNANCE`, `DEPLOY_LOGS`
 */
export async function handOver({ provider, signer, log }: SetUpComponents, deployment: Deployment): Promise<boolean> {
  const { table, manager, state } = await stateOf(provider, deployment)
  const differences = [...setupDifferences(table, state), ...handOverDifferences(table, state)]
  if (!isAdmin(state, await signer.getAddress())) {
    if (isAdmin(state, table.governance.governor)) return false
    throw new SalusError(
      'DEPLOY_NOT_ADMIN',
      'This account does not administer the AccessManager; hand over from the account that set the network up.'
    )
  }
  if (differences.length === 0) return false
  // The governor may have lost its code, or the members may have been edited, since the roles were set.
  await checkGovernor(provider, table)
  log.info({ calls: differences.length, governor: table.governance.governor }, 'handing over')
  await endDifferences(signer, manager, differences)
  return true
}

/** What the manager of a deployment holds, beside what it should. */
export async function stateOf(
  provider: Provider,
  deployment: Deployment
): Promise<{ readonly table: Table & DeploymentOrigin; readonly manager: string; readonly state: ManagerState }> {
  const manager = deployment.contracts.AccessManager.address
  const table = tableOf(deployment)
  const { firstAdmin } = table
  const state = await readManagerState(provider, manager, { firstAdmin, fromBlock: deployment.blockNumber })
  return { table, manager, state }
}

function isAdmin(state: ManagerState, account: string): boolean {
  return roleOf(state, roleId('ADMIN')).members.has(account)
}

import type { Provider } from 'ethers'
import { roleId } from '#core/chain/roles.ts'
import { SalusError } from '#core/error.ts'
import { allLogs } from '#scripts/deploy/governance/all-logs.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { applyEvent, emptyState, type ManagerState } from '#scripts/deploy/governance/state.ts'

/**
 * Reads all that an `AccessManager` ever said and adds it up.
 *
 * @param firstAdmin - whom its constructor made administrator
 * @param fromBlock - not later than its creation
 * @throws SalusError `DEPLOY_LOGS` if the endpoint does not have its first event; `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`
 */
export async function readManagerState(
  provider: Provider,
  manager: string,
  { firstAdmin, fromBlock }: { readonly firstAdmin: string; readonly fromBlock: number }
): Promise<ManagerState> {
  const events = (await allLogs(provider, manager, fromBlock)).map(log => MANAGER.parseLog(log))
  // The constructor makes the first administrator: without that event others may be missing too.
  const [first] = events
  const isFirst = first?.name === 'RoleGranted' && first.args['roleId'] === roleId('ADMIN')
  if (!isFirst || first.args['account'] !== firstAdmin) {
    throw new SalusError(
      'DEPLOY_LOGS',
      'The endpoint does not give the AccessManager’s first events, so nobody can say who holds which role. Use one with all logs since the deployment.'
    )
  }
  const state = emptyState()
  for (const event of events) if (event != null) applyEvent(state, event)
  return state
}

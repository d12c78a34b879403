import type { Provider } from 'ethers'
import { GRANTED_ROLES } from '#core/chain/roles.ts'
import type { DeploymentOrigin, Governance } from '#core/chain/deployment-governance.ts'
import { SalusError } from '#core/error.ts'
import { planContracts } from '#scripts/deploy/plan.ts'
import { PROFILE_TERMS } from '#scripts/deploy/governance/profiles.ts'

/** Begins the code of an account that lends itself to a contract (EIP-7702) and is still ruled by one key. */
const DELEGATION = '0xef0100'

/** Governance by one account without delays: for development. */
export function governedBy(account: string): Governance {
  const members = Object.fromEntries(GRANTED_ROLES.map(role => [role, [account]])) as unknown as Governance['members']
  return { profile: 'dev', governor: account, members }
}

/**
 * Whether people who cannot be who the profile says are refused before anything is sent.
 *
 * @throws SalusError `DEPLOY_GOVERNOR` if the account that sets up would govern after the hand-over, the governor is not a contract
 * where the profile wants one, a role has nobody that must have somebody, or a role is for one of the network's own contracts
 */
export async function checkGovernor(
  provider: Provider,
  { network, firstAdmin, governance }: Pick<DeploymentOrigin, 'network' | 'firstAdmin' | 'governance'>
): Promise<void> {
  const { profile, governor, members } = governance
  if (profile === 'dev') return
  const empty = PROFILE_TERMS[profile].mustHaveMembers.find(role => members[role].length === 0)
  if (empty != null) throw refused(`nobody is a ${empty}, whom the profile cannot do without`)
  if (governor === firstAdmin || GRANTED_ROLES.some(role => members[role].includes(firstAdmin))) {
    throw refused('the account that sets up would keep a role; deploy from an account of its own')
  }
  const accounts = [governor, ...GRANTED_ROLES.flatMap(role => members[role])]
  const own = planContracts({ network, firstAdmin }).find(({ address }) => accounts.includes(address))
  if (own != null) throw refused(`a role is for the network’s own ${own.name}, for which nobody speaks`)
  if (!PROFILE_TERMS[profile].governorIsContract) return
  const code = await provider.getCode(governor)
  if (code === '0x' || code.startsWith(DELEGATION)) {
    throw refused('the governor of a public network must be a contract, such as a multisig or a timelock')
  }
}

function refused(why: string): SalusError {
  return new SalusError('DEPLOY_GOVERNOR', `The members do not fit the profile: ${why}.`)
}

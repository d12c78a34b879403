/** Making a clinician's account, and keeping its proof of keys fresh. */
import type { ClinicianAccount, WalletReference } from '#core/agent/agent-state.ts'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import { createGrantee } from '#core/agent/grantee-state.ts'
import { SalusError } from '#core/error.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import type { Accounts } from '#agent/accounts.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { openWallet } from '#agent/vault/wallet.ts'

const BINDING_VALID_S = 365 * 86_400
const RENEW_BEFORE_S = 30 * 86_400

/**
 * Makes a clinician: keys, and the wallet's word that they belong to its address. Nothing goes to the chain.
 *
 * @param wallet - one elsewhere; a new key in the vault if not given
 * @throws SalusError `AGENT_HAS_CLINICIAN`, `WALLET_*`
 */
export async function createClinicianAccount(
  { p, random, clock, keeper, deployment }: AgentComponents,
  wallet: WalletReference = { kind: 'key', key: random(32) }
): Promise<void> {
  if (keeper.state().clinician != null) throw hasOne()
  const seed = random(32)
  const { address, signTypedData } = openWallet(wallet)
  const keys = await deriveAgentKeys(p, seed)
  const notAfterS = secondsOf(clock) + BINDING_VALID_S
  const evidence = await granteeEvidence(keys, { target: deployment, notAfterS, signTypedData })
  await keeper.update(state => {
    if (state.clinician != null) throw hasOne()
    const clinician = { state: createGrantee(state.network, address), seed, wallet, evidence, requests: [] }
    return { ...state, clinician }
  })
}

function hasOne(): SalusError {
  return new SalusError('AGENT_HAS_CLINICIAN', 'This agent keeps a clinician already.')
}

/** Changes the clinician's account; on the disk when it resolves. */
export async function changeClinician(
  { keeper }: Pick<AgentComponents, 'keeper'>,
  change: (account: ClinicianAccount) => ClinicianAccount | Promise<ClinicianAccount>
): Promise<void> {
  await keeper.update(async state => {
    if (state.clinician == null) throw new SalusError('AGENT_NO_CLINICIAN', 'This agent keeps no clinician.')
    const clinician = await change(state.clinician)
    return clinician === state.clinician ? state : { ...state, clinician }
  })
}

/** Signs the binding of the keys anew when it has less than a month to go. */
export async function renewEvidence(components: AgentComponents & { readonly accounts: Accounts }): Promise<void> {
  const { clock, deployment, accounts } = components
  const { account, keys, wallet } = await accounts.clinician()
  const notAfter = decodeEvidence(account.evidence).binding?.notAfter ?? 0
  if (notAfter > secondsOf(clock) + RENEW_BEFORE_S) return
  const { signTypedData } = wallet
  const notAfterS = secondsOf(clock) + BINDING_VALID_S
  const evidence = await granteeEvidence(keys, { target: deployment, notAfterS, signTypedData })
  await changeClinician(components, now => ({ ...now, evidence }))
}

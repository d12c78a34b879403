import type { PatientAccount } from '#core/agent/agent-state.ts'
import type { ChainCall } from '#core/agent/chain-call.ts'
import { guardianSetCall } from '#core/custody/guardian-calls.ts'
import { SalusError } from '#core/error.ts'
import type { SignTypedData } from '#core/identity/key-binding.ts'
import type { AgentComponents } from '#agent/components.ts'

/**
 * The request that names the patient's guardians to the chain, signed for its next number.
 *
 * @throws SalusError `GUARDIANS_NONE`, `CHAIN_*`
 */
export async function guardianCall(
  { chain, deployment: target }: AgentComponents,
  { state }: PatientAccount,
  by: { readonly deadlineS: number; readonly signTypedData: SignTypedData }
): Promise<ChainCall> {
  const { patient, signer, guardians } = state
  if (guardians == null) throw new SalusError('GUARDIANS_NONE', 'There are no guardians; name at least two.')
  return guardianSetCall({ ...by, target, patient, nonce: await chain.nonceOf(patient) }, signer, guardians)
}

import type { AgentState, PatientAccount } from '#core/agent/agent-state.ts'
import { SalusError } from '#core/error.ts'
import type { Keeper } from '#agent/vault/keeper.ts'

/** Changes the patient's account; on the disk when it resolves. */
export async function changePatient(
  keeper: Keeper,
  change: (account: PatientAccount, state: AgentState) => PatientAccount | Promise<PatientAccount>
): Promise<void> {
  await keeper.update(async state => {
    if (state.patient == null) throw new SalusError('AGENT_NO_PATIENT', 'This agent keeps no patient.')
    const patient = await change(state.patient, state)
    return patient === state.patient ? state : { ...state, patient }
  })
}

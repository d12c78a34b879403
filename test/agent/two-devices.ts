import type { Agent } from '#agent/agent.ts'
import { createPatientAccount, recoverPatientAccount } from '#agent/patient/account.ts'
import { openPaperAgent, PaperNetwork } from '#test/agent/paper-agent.ts'

/** Two devices of one patient. */
export interface TwoDevices {
  readonly network: PaperNetwork
  readonly first: Agent
  readonly second: Agent
  close(): Promise<void>
}

/** Makes a patient on the first, and takes it up on the second. */
export async function openTwoDevices(nowMs: number): Promise<TwoDevices> {
  const network = new PaperNetwork(nowMs)
  const devices = [await openPaperAgent(network, () => nowMs), await openPaperAgent(network, () => nowMs)] as const
  const [{ agent: first }, { agent: second }] = devices
  await createPatientAccount(first)
  const { state, wallet } = first.keeper.state().patient!
  await recoverPatientAccount(second, state.seed.slice(), structuredClone(wallet))
  return {
    network,
    first,
    second,
    async close() {
      for (const each of devices) await each.close()
    }
  }
}

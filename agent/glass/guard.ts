/** Standing guard: with a standing instruction, an agent hears of what is new in its record at once, not at the next look. */
import type { AsOf } from '#core/agent/freshness.ts'
import { askHead } from '#agent/access/head.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'

/** A guard over the patient's record. */
export interface Guard {
  /**
   * Waits for something new. Called outside of `keeper.hold`.
   *
   * @returns `news`, `none` after the time, `off` at once where there is no instruction
   * @throws SalusError `AGENT_LOCKED`, and what the node refuses the question with
   */
  wait(waitMs: number): Promise<'news' | 'none' | 'off'>
}

/** Makes the guard. */
export function createGuard(components: GlassComponents): Guard {
  const { keeper, accounts, shelf } = components
  let heard = -1
  keeper.onChange(() => (heard = -1))

  async function isOn(): Promise<boolean> {
    const { patient } = keeper.state()
    if (patient == null || patient.operations.some(({ kind }) => kind === 'register')) return false
    return (await shelf.standing.read()).instruction != null
  }

  return {
    async wait(waitMs) {
      if (!(await keeper.hold(isOn))) return 'off'
      const asker = async () => {
        const { account, keys, evidence } = await accounts.patient()
        const { state } = account
        return { reader: { state, keys, evidence }, patient: state.patient, grant: null }
      }
      const head: AsOf | null = await askHead(components, asker, heard < 0 ? {} : { after: heard, waitMs })
      const position = head?.position ?? 0
      const isNew = position !== heard
      heard = position
      return isNew ? 'news' : 'none'
    }
  }
}

/** What becomes of an operation that is refused: what the chain has taken stands, anything else never was (docs/specs/agent-state.md). */
import type { Operation } from '#core/agent/agent-state.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { isTransient } from '#agent/patient/refusals.ts'

/** Tells refused operations apart, and forgets those that never were. */
export interface Undo {
  /** Notes that the chain has taken the operation's request. */
  took(operation: Operation): void
  /**
   * Whether the chain has what the operation asks for, or may have: then it goes on, whatever the rest of its way refuses. A grant that is
   * forgotten could not be ended, and a registration that is forgotten takes the root seed with it.
   */
  stands(operation: Operation): Promise<boolean>
  /** Forgets it. A revocation stays: that somebody keeps access must not go unnoticed. */
  undo(operation: Operation): Promise<void>
}

/** Makes the service. */
export function createUndo({ keeper, accounts, chain }: AgentComponents & { readonly accounts: Accounts }): Undo {
  const taken = new Set<string>()
  keeper.onChange(() => taken.clear())

  async function isOnChain({ kind, grantId }: Operation): Promise<boolean> {
    const { patient } = (await accounts.patient()).account.state
    const { keyBundles, grants } = await chain.recordOf(patient)
    if (kind === 'register') return keyBundles.length > 0
    return grants.some(each => grantId != null && equalBytes(each.grantId, grantId))
  }

  return {
    took: ({ id }) => void taken.add(toHex(id)),
    async stands(operation) {
      const { id, kind } = operation
      if (kind !== 'register' && kind !== 'grant') return false
      if (taken.has(toHex(id))) return true
      try {
        return await isOnChain(operation)
      } catch (error) {
        // While the chain cannot be asked nothing is given up.
        if (isTransient(error)) return true
        throw error
      }
    },
    async undo(operation) {
      const { id, kind, grantId } = operation
      if (kind === 'revoke' || kind === 'replace') return
      await keeper.update(state => {
        if (state.patient == null || kind === 'register') return { ...state, patient: null }
        const { patient } = state
        const operations = patient.operations.filter(each => !equalBytes(each.id, id))
        if (kind !== 'grant') return { ...state, patient: { ...patient, operations } }
        const grants = patient.state.grants.filter(each => grantId == null || !equalBytes(each.grantId, grantId))
        // The backup that went out before the chain was asked still names it.
        const backup = { ...patient.backup, isDue: true }
        return { ...state, patient: { ...patient, operations, backup, state: { ...patient.state, grants } } }
      })
    }
  }
}

import type { Operation, PatientAccount } from '#core/agent/agent-state.ts'
import type { PlannedReplacement } from '#core/agent/patient-revocation.ts'
import { encodeMessage } from '#core/network/envelope.ts'

/** The account with a replacement of keys under way: the state that it leads to, and what is to be handed in. */
export function withReplacement(
  account: PatientAccount,
  { state, rotationBytes, capsules }: PlannedReplacement,
  operation: Pick<Operation, 'id' | 'kind' | 'grantId'>
): PatientAccount {
  const { network } = state
  const messages = [
    encodeMessage({ kind: 'rotation', network, rotation: rotationBytes }),
    ...capsules.map(({ capsuleBytes: capsule }) => encodeMessage({ kind: 'capsule', network, capsule }))
  ]
  return {
    ...account,
    state,
    operations: [...account.operations, { ...operation, messages }],
    backup: { ...account.backup, isDue: true }
  }
}

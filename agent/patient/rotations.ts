import type { Operation } from '#core/agent/agent-state.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeRotation, signRotation } from '#core/grant/rotation.ts'
import { decodeMessage, encodeMessage } from '#core/network/envelope.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { publishPacked } from '#agent/network/record.ts'
import { changePatient } from '#agent/patient/change.ts'

/** Devices that rotate at once and have not heard of each other; a backup of theirs ends the guessing sooner. */
const MAX_TRIES = 32

/**
 * Hands in a message of an operation. A rotation whose revision another device of the patient has used is signed again under the next one,
 * kept first: ignored, it would leave its tags open to who still has their keys.
 *
 * @throws SalusError what the node refuses it with
 */
export async function handInMessage(
  components: AgentComponents & { readonly accounts: Accounts },
  operation: Operation,
  message: Uint8Array
): Promise<void> {
  let next = message
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    try {
      await publishPacked(components.node, { message: next, blob: null })
      return
    } catch (error) {
      if (!isSalusError(error, 'ROTATION_STALE')) throw error
      next = await renewed(components, operation, next)
    }
  }
  throw new SalusError('ROTATION_STALE', 'Other devices of the patient have used every revision that was tried.')
}

async function renewed(
  { p, keeper, accounts }: AgentComponents & { readonly accounts: Accounts },
  { id }: Operation,
  message: Uint8Array
): Promise<Uint8Array> {
  const { keys } = await accounts.patient()
  let renewal = message
  await changePatient(keeper, account => {
    const { state, operations, backup } = account
    const old = decodeMessage(message, state.network)
    if (old.kind !== 'rotation') return account
    const { network, patient, day, retired } = decodeRotation(old.rotation, state)
    const revision = state.rotationRevision + 1
    const rotation = signRotation(p, { network, patient, revision, day, retired }, keys)
    renewal = encodeMessage({ kind: 'rotation', network, rotation })
    const inPlace = (each: Uint8Array): Uint8Array => (equalBytes(each, message) ? renewal : each)
    return {
      ...account,
      state: { ...state, rotationRevision: revision },
      operations: operations.map(each =>
        equalBytes(each.id, id) ? { ...each, messages: each.messages.map(inPlace) } : each
      ),
      backup: { ...backup, isDue: true }
    }
  })
  return renewal
}

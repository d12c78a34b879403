/** Reading what an emergency opened, for as long as it lasts. */
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import type { GranteeState } from '#core/agent/grantee-state.ts'
import { granteeLogFacts } from '#core/agent/log-facts.ts'
import { decodeSharedKeys } from '#core/custody/shared-keys.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { CapsuleKey } from '#core/grant/capsule-keys.ts'
import { RIGHT_READ } from '#core/grant/terms.ts'
import { secondsOf } from '#agent/components.ts'
import { heldOf, refuseOver } from '#agent/glass/declare.ts'
import { foldEmergencies } from '#agent/glass/emergencies.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { changeHeld } from '#agent/glass/held-emergencies.ts'
import type { Journal } from '#agent/record/journal.ts'
import { packageOf } from '#agent/glass/offline.ts'
import { createPackagedRecord } from '#agent/glass/packaged-record.ts'
import { createRecordIndex, type RecordIndex } from '#agent/record-index.ts'
import { createNodeSource } from '#agent/record/source.ts'

/** Records that emergencies opened. */
export interface EmergencyRecords {
  /** @throws SalusError `EMERGENCY_UNKNOWN`, `EMERGENCY_OVER`, `EMERGENCY_SHARES` if no keys were released yet */
  of(id: Uint8Array): Promise<Pick<RecordIndex, 'list' | 'open'>>
}

/** What an emergency opens is never written to the disk. */
const UNKEPT: Journal = {
  load: async () => Promise.resolve(new Map()),
  write: async () => Promise.resolve()
}

/** Makes the records; what was read is forgotten when the vault is locked. */
export function createEmergencyRecords(components: GlassComponents): EmergencyRecords {
  const { p, keeper, accounts } = components
  const indexes = new Map<string, { readonly index: Pick<RecordIndex, 'list' | 'open'>; readonly keys: Uint8Array }>()
  keeper.onChange(() => indexes.clear())

  /** An emergency reads like a grant of its keys. */
  function granteeOf(id: Uint8Array, patient: Uint8Array, keys: readonly CapsuleKey[]): GranteeState {
    const { clinician } = keeper.state()
    if (clinician == null) throw new SalusError('AGENT_NO_CLINICIAN', 'This agent keeps no clinician.')
    const { network, address } = clinician.state
    const grant = { grantId: id, patient, rights: RIGHT_READ, revision: 1, document: new Uint8Array(), keys }
    return { network, address, grants: [grant] }
  }

  function indexOf(id: Uint8Array, patient: Uint8Array, keys: readonly CapsuleKey[]): RecordIndex {
    return createRecordIndex(components, {
      patient: async () => Promise.resolve(patient),
      source: createNodeSource(components, async () => {
        const { account, keys: own, evidence } = await accounts.clinician()
        return { reader: { state: account.state, keys: own, evidence }, patient, grant: id }
      }),
      open: (entry, record) => openAsGrantee(p, granteeOf(id, patient, keys), entry, record),
      facts: known => granteeLogFacts(p, granteeOf(id, patient, keys), known),
      keyMark: () => '',
      isOther: () => false,
      journal: () => UNKEPT
    })
  }

  return {
    async of(id) {
      const name = toHex(id)
      try {
        await refuseEnded(components, id)
      } catch (error) {
        if (isSalusError(error, 'EMERGENCY_OVER')) indexes.delete(name)
        throw error
      }
      const { patient, keys, isOffline } = await heldOf(components, id)
      if (keys.length === 0) throw new SalusError('EMERGENCY_SHARES', 'No keys were released yet; collect them first.')
      const before = indexes.get(name)
      // Custodians that were asked again may have given newer keys.
      if (before != null && equalBytes(before.keys, keys)) return before.index
      const { keys: shared } = decodeSharedKeys(keys)
      const index = isOffline
        ? createPackagedRecord(components, granteeOf(id, patient, shared), await packageOf(components, patient))
        : indexOf(id, patient, shared)
      indexes.set(name, { index, keys })
      return index
    }
  }
}

/** Hard expiry: by the clock, or as soon as the chain says so; the keys are deleted. */
async function refuseEnded(components: GlassComponents, id: Uint8Array): Promise<void> {
  const { clock, chain, shelf } = components
  const held = await heldOf(components, id)
  const onChain = held.isOffline ? undefined : foldEmergencies(await chain.events()).find(each => each.id === toHex(id))
  const untilS = Math.min(held.untilS, onChain?.untilS ?? held.untilS)
  const nowS = secondsOf(clock)
  if (nowS >= untilS) await changeHeld(shelf.emergencies, id, now => ({ ...now, untilS, keys: new Uint8Array() }))
  refuseOver(untilS, nowS)
}

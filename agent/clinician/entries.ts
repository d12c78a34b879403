/** Reading and writing a patient's record under a grant. */
import { openAsGrantee, sealAsGrantee } from '#core/agent/grantee-entries.ts'
import type { HeldGrant } from '#core/agent/grantee-state.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { dayOf } from '#core/record/day.ts'
import type { Accounts } from '#agent/accounts.ts'
import { fetchGrant } from '#agent/clinician/grants.ts'
import { createClaimedRecord } from '#agent/clinician/claimed.ts'
import { invitationTo } from '#agent/clinician/invitations.ts'
import type { AgentComponents } from '#agent/components.ts'
import { packEntry, publishPacked } from '#agent/network/record.ts'
import { createRecordIndex, type RecordIndex } from '#agent/record-index.ts'

type Components = AgentComponents & { readonly accounts: Accounts }

/** The records that a clinician reads, each under its grant. */
export interface GrantedRecords {
  /** @throws SalusError `GRANT_UNKNOWN` if its keys are not here */
  of(grantId: Uint8Array): Promise<RecordIndex>
}

/** Makes the records; what was read is forgotten when the vault is locked. */
export function createGrantedRecords(components: Components): GrantedRecords {
  const { p, keeper, accounts } = components
  const indexes = new Map<string, RecordIndex>()
  keeper.onChange(() => indexes.clear())
  return {
    async of(grantId) {
      await heldGrant(components, grantId)
      if ((await invitationTo(components, grantId)) != null) return createClaimedRecord(components, grantId)
      const id = toHex(grantId)
      const index =
        indexes.get(id) ??
        createRecordIndex(components, {
          async reader() {
            const { account, keys, evidence } = await accounts.clinician()
            const { patient } = await heldGrant(components, grantId)
            return { reader: { state: account.state, keys, evidence }, patient, grant: grantId }
          },
          open: (entry, record) => {
            const { clinician } = keeper.state()
            if (clinician == null) throw new SalusError('AGENT_NO_CLINICIAN', 'This agent keeps no clinician.')
            return openAsGrantee(p, clinician.state, entry, record)
          },
          isOther: () => false
        })
      indexes.set(id, index)
      return index
    }
  }
}

/** A grant whose keys are here. */
async function heldGrant({ accounts }: Components, grantId: Uint8Array): Promise<HeldGrant> {
  const { account } = await accounts.clinician()
  const held = account.state.grants.find(each => equalBytes(each.grantId, grantId))
  if (held == null) throw new SalusError('GRANT_UNKNOWN', 'This clinician holds no such grant; take its answer first.')
  return held
}

/**
 * Writes an entry under a grant; where the patient has replaced the keys since, once more under the new ones.
 *
 * @returns id of the entry
 * @throws SalusError `GRANT_UNKNOWN`, `GRANT_NO_WRITE`, `DAY_NOT_COVERED`, and what the node refuses it with
 */
export async function writeEntry(
  components: Components,
  grantId: Uint8Array,
  entry: { readonly compartment: Compartment; readonly type: string; readonly body: Uint8Array }
): Promise<Uint8Array> {
  const { random } = components
  const id = random(16)
  try {
    await seal(components, grantId, id, entry)
  } catch (error) {
    if (!isSalusError(error, 'ENTRY_RETIRED') && !isSalusError(error, 'GRANT_NO_WRITE')) throw error
    await fetchGrant(components, grantId, 0)
    await seal(components, grantId, id, entry)
  }
  return id
}

async function seal(
  components: Components,
  grantId: Uint8Array,
  id: Uint8Array,
  { compartment, type, body }: { readonly compartment: Compartment; readonly type: string; readonly body: Uint8Array }
): Promise<void> {
  const { p, random, clock, node, accounts } = components
  const { account, keys, evidence } = await accounts.clinician()
  const held = await heldGrant(components, grantId)
  // Only this grant's keys: another grant of the same patient may allow more, and is not meant.
  const state = { ...account.state, grants: [held] }
  const nowMs = clock()
  const content = { type, recordedAtMs: nowMs, body }
  const by = { state, keys, patient: held.patient }
  const sealed = sealAsGrantee(p, random, by, { compartment, day: dayOf(nowMs), content, entry: id })
  await publishPacked(node, packEntry(state.network, sealed, evidence))
}

/** Reading and writing a patient's record under a grant. */
import type { ReceivedEntry } from '#core/agent/author.ts'
import { openAsGrantee, openAttributesAsGrantee, sealAsGrantee } from '#core/agent/grantee-entries.ts'
import type { GranteeState, HeldGrant } from '#core/agent/grantee-state.ts'
import { granteeLogFacts } from '#core/agent/log-facts.ts'
import type { NewEntry } from '#core/agent/patient-entries.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { dayOf } from '#core/record/day.ts'
import type { Accounts } from '#agent/accounts.ts'
import { fetchGrant } from '#agent/clinician/grants.ts'
import { createClaimedSource } from '#agent/clinician/claimed.ts'
import { invitationTo } from '#agent/clinician/invitations.ts'
import type { AgentComponents } from '#agent/components.ts'
import { packEntry, publishPacked } from '#agent/network/record.ts'
import { createRecordIndex, type RecordIndex } from '#agent/record-index.ts'
import type { RecordCopy } from '#agent/record/record-copy.ts'
import type { OpenedByReader } from '#agent/record/record-reader.ts'
import { createNodeSource, type RecordSource } from '#agent/record/source.ts'

type Components = AgentComponents & { readonly accounts: Accounts }

const DAY_MS = 86_400_000

/** The records that a clinician reads, each under its grant. */
export interface GrantedRecords {
  /** @throws SalusError `GRANT_UNKNOWN` if its keys are not here */
  of(grantId: Uint8Array): Promise<RecordIndex>
  /** @throws SalusError `GRANT_UNKNOWN`; `GRANT_ONE_TIME` where the claim opened all that the grant ever will */
  copyOf(grantId: Uint8Array): Promise<RecordCopy>
}

/** Makes the records; what was read is forgotten when the vault is locked. */
export function createGrantedRecords(components: Components): GrantedRecords {
  const { p, keeper, accounts } = components
  const indexes = new Map<string, RecordIndex & RecordCopy>()
  keeper.onChange(() => indexes.clear())
  const stateOf = (): GranteeState => {
    const { clinician } = keeper.state()
    if (clinician == null) throw new SalusError('AGENT_NO_CLINICIAN', 'This agent keeps no clinician.')
    return clinician.state
  }
  const granted = (patient: Uint8Array, grant: Uint8Array): RecordSource =>
    createNodeSource(components, async () => {
      const { account, keys, evidence } = await accounts.clinician()
      return { reader: { state: account.state, keys, evidence }, patient, grant }
    })

  function indexOf({ grantId, patient }: HeldGrant, isClaimed: boolean): RecordIndex & RecordCopy {
    const id = toHex(grantId)
    const index =
      indexes.get(id) ??
      createRecordIndex(components, {
        patient: async () => Promise.resolve(patient),
        source: isClaimed ? createClaimedSource(components, patient) : granted(patient, grantId),
        facts: known => granteeLogFacts(p, stateOf(), known),
        keyMark: () => {
          const { grants } = stateOf()
          const revision = grants.find(each => equalBytes(each.grantId, grantId))?.revision
          return `${String(grants.length)}/${String(revision)}`
        },
        open: (entry, record) => openGranted(p, stateOf(), entry, record),
        isOther: () => false,
        journal: () => components.journals.of(keeper.state().deviceSeed, `grant/${id}`)
      })
    indexes.set(id, index)
    return index
  }

  const isClaimed = async (grantId: Uint8Array): Promise<boolean> => (await invitationTo(components, grantId)) != null
  return {
    of: async grantId => indexOf(await heldGrant(components, grantId), await isClaimed(grantId)),
    async copyOf(grantId) {
      const held = await heldGrant(components, grantId)
      if (!(await isClaimed(grantId))) return indexOf(held, false)
      throw new SalusError('GRANT_ONE_TIME', 'What a one-time claim opened does not change; list its entries.')
    }
  }
}

/** Media type of what single attributes of an entry say: a JSON object, by path. */
export const ATTRIBUTES_TYPE = 'application/vnd.salus.attributes+json'

/** Opens an entry, or those attributes of it that were granted. */
function openGranted(p: Primitives, state: GranteeState, entry: ReceivedEntry, record: RecordOnChain): OpenedByReader {
  try {
    return openAsGrantee(p, state, entry, record)
  } catch (error) {
    if (!isSalusError(error, 'GRANT_NO_KEY')) throw error
    const { attributes, compartment, author } = openAttributesAsGrantee(p, state, entry, record)
    const said = attributes.map(({ path, value }) => `${JSON.stringify(path)}:${new TextDecoder().decode(value)}`)
    // When it was recorded was not granted; the day is in the header.
    const recordedAtMs = (attributes[0]?.header.day ?? 0) * DAY_MS
    return { compartment, author, content: { type: ATTRIBUTES_TYPE, recordedAtMs, body: utf8(`{${said.join(',')}}`) } }
  }
}

/** A grant whose keys are here. */
async function heldGrant({ accounts }: Components, grantId: Uint8Array): Promise<HeldGrant> {
  const { account } = await accounts.clinician()
  const held = account.state.grants.find(each => equalBytes(each.grantId, grantId))
  if (held == null) throw new SalusError('GRANT_UNKNOWN', 'This clinician holds no such grant; take its answer first.')
  return held
}

/** An entry to write, or a revision of one. */
export interface EntryToWrite extends Pick<NewEntry, 'entry' | 'revision' | 'parents'> {
  readonly compartment: Compartment
  readonly type: string
  readonly body: Uint8Array
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
  entry: EntryToWrite
): Promise<Uint8Array> {
  const { random } = components
  const id = entry.entry ?? random(16)
  try {
    await seal(components, grantId, { ...entry, entry: id })
  } catch (error) {
    if (!isSalusError(error, 'ENTRY_RETIRED') && !isSalusError(error, 'GRANT_NO_WRITE')) throw error
    await fetchGrant(components, grantId, 0)
    await seal(components, grantId, { ...entry, entry: id })
  }
  return id
}

async function seal(
  components: Components,
  grantId: Uint8Array,
  { type, body, ...entry }: EntryToWrite
): Promise<void> {
  const { p, random, clock, node, accounts } = components
  const { account, keys, evidence } = await accounts.clinician()
  const held = await heldGrant(components, grantId)
  // Only this grant's keys: another grant of the same patient may allow more, and is not meant.
  const state = { ...account.state, grants: [held] }
  const nowMs = clock()
  const content = { type, recordedAtMs: nowMs, body }
  const by = { state, keys, patient: held.patient }
  const sealed = sealAsGrantee(p, random, by, { ...entry, day: dayOf(nowMs), content })
  await publishPacked(node, packEntry(state.network, sealed, evidence))
}

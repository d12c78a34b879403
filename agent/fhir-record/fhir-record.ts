/** The patient's record as FHIR: follows what nodes have, as far as the patient's keys open it (docs/specs/fhir.md#endpoint). */
import { openAsPatient } from '#core/agent/patient-entries.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { MANIFEST_TYPE } from '#core/fhir/import/manifest.ts'
import { createRecordView, type RecordView } from '#core/fhir/server/record-view.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { createBodies } from '#agent/fhir-record/bodies.ts'
import { createVersions, type EntryVersion, type Versions } from '#agent/fhir-record/versions.ts'
import { readPage, withBlob } from '#agent/network/record.ts'
import type { StoredEntry } from '#node/http/client.ts'

/** The record as it was at one moment, which follows it when it is asked for anew. */
export interface FhirSnapshot {
  readonly view: RecordView
  readonly versions: Versions
  /** The section of each resource, by its `Type/id`. */
  readonly places: () => ReadonlyMap<string, Compartment>
  /** The body of a header that was judged. */
  readonly open: (version: EntryVersion) => Promise<Uint8Array>
  /** Manifests of imports, oldest first. */
  readonly manifests: () => readonly EntryVersion[]
}

/** The record as FHIR. */
export interface FhirRecord {
  /** Brings it up to date. Within `hold`. @throws SalusError what the node refuses the question with */
  fresh(): Promise<FhirSnapshot>
}

/** The address that a view is made with; each answer has the one that it was asked at. */
const BASE = 'http://127.0.0.1/fhir'
/** When the endpoint was last changed. */
const DATE = '2026-11-21'
/** Why an entry may open later: its blob is still on its way, or a block. */
const LATER = /^(?:GRANT_NO_KEY|ENTRY_AUTHOR_UNPROVEN|ENTRY_TAG|BLOB_|FETCH_)/
const MAX_RETRIED = 200

/** Makes the service; everything is forgotten when the vault is locked. */
export function createFhirRecord(components: AgentComponents & { readonly accounts: Accounts }): FhirRecord {
  const { p, chain, node, keeper, accounts } = components
  const bodies = createBodies(components)
  let followed = follow()
  let reading: Promise<unknown> = Promise.resolve()
  keeper.onChange(() => {
    bodies.clear()
    followed = follow()
  })

  function follow() {
    const versions = createVersions()
    // Bodies are opened while an answer is sent: the vault is not shut in between.
    const open = async (version: EntryVersion): Promise<Uint8Array> => keeper.hold(async () => bodies.open(version))
    const view = createRecordView({
      base: BASE,
      date: DATE,
      open: async entry => open(versions.current(entry)),
      openPart: async (part, of) => open(versions.part(part, versions.current(of)))
    })
    const manifests = (): EntryVersion[] =>
      [...versions.all()].filter(({ type }) => type === MANIFEST_TYPE).sort((a, b) => a.position - b.position)
    const places = (): Map<string, Compartment> =>
      new Map(
        view.resources.map(({ type, id, entry }) => [`${type}/${id}`, versions.current(entry).compartment] as const)
      )
    const snapshot: FhirSnapshot = { view, versions, places, open, manifests }
    return { snapshot, after: 0, later: new Map<number, number>() }
  }

  async function take({ snapshot, later }: ReturnType<typeof follow>, stored: StoredEntry, record: RecordOnChain) {
    const { state } = (await accounts.patient()).account
    try {
      const { header, cid, content, compartment, author } = openAsPatient(
        p,
        state,
        await withBlob(node, stored),
        record
      )
      const { entry, revision } = header
      const { type, recordedAtMs, body } = content
      const version = {
        ...{ position: stored.position, cid: cid.toString(), entry: toHex(entry), revision },
        ...{ author, compartment, type, recordedAtMs }
      }
      later.delete(stored.position)
      if (!snapshot.versions.add(version)) return
      snapshot.view.remove(entry)
      snapshot.view.put({ entry, revision, recordedAtMs, type, body })
    } catch (error) {
      if (!isSalusError(error)) throw error
      if (LATER.test(error.code)) later.set(stored.position, (later.get(stored.position) ?? 0) + 1)
      else later.delete(stored.position)
    }
  }

  async function readOn(): Promise<FhirSnapshot> {
    const now = followed
    const { account, ...reader } = await accounts.patient()
    const { state } = account
    const asker = { ...reader, state }
    const record = await chain.recordOf(state.patient)
    for (const [position, tries] of [...now.later].slice(0, MAX_RETRIED)) {
      if (tries > MAX_RETRIED) now.later.delete(position)
      const query = { patient: state.patient, grant: null, after: position - 1, limit: 1 }
      const [stored] = (await readPage(components, node, asker, query)).entries
      if (stored?.position === position) await take(now, stored, record)
    }
    for (let from: number | null = now.after; from != null;) {
      const page = await readPage(components, node, asker, { patient: state.patient, grant: null, after: from })
      for (const stored of page.entries) {
        await take(now, stored, record)
        now.after = stored.position
      }
      from = page.next
    }
    return now.snapshot
  }

  return {
    async fresh() {
      const turn = reading.then(readOn)
      reading = turn.catch(() => undefined)
      return turn
    }
  }
}

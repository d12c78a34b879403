/** The patient's record as FHIR: what stands in it, kept up to date from the record's index (docs/specs/fhir.md#endpoint). */
import { fromHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { MANIFEST_TYPE } from '#core/fhir/import/manifest.ts'
import { FHIR_JSON, FHIR_NDJSON } from '#core/fhir/import/planned-entry.ts'
import { createRecordView, type RecordView } from '#core/fhir/server/record-view.ts'
import type { Log } from '#core/log/log.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'
import { createVersions, versionsAmong, type EntryVersion, type Versions } from '#agent/fhir-record/versions.ts'
import type { RecordIndex } from '#agent/record-index.ts'
import type { RecordMark } from '#agent/record/changes.ts'
import type { Keeper } from '#agent/vault/keeper.ts'

/** The record as it was at one moment, which follows it when it is asked for anew. */
export interface FhirSnapshot {
  readonly view: RecordView
  readonly versions: Versions
  /** The log that it was read from. */
  readonly log: Log
  /** The section of each resource, by its `Type/id`. */
  readonly places: () => ReadonlyMap<string, Compartment>
  /** The body of a version. */
  readonly open: (version: EntryVersion) => Promise<Uint8Array>
  /** Manifests of imports, oldest first. */
  readonly manifests: () => readonly EntryVersion[]
}

/** The record as FHIR. */
export interface FhirRecord {
  /** Brings it up to date. Within `hold`. @throws SalusError what the node refuses the question with */
  fresh(): Promise<FhirSnapshot>
}

/** What it is made from. */
export interface FhirRecordComponents {
  readonly keeper: Keeper
  readonly record: RecordIndex
}

/** The address that a view is made with; each answer has the one that it was asked at. */
const BASE = 'http://127.0.0.1/fhir'
/** When the endpoint was last changed. */
const DATE = '2026-11-21'
/** What says nothing of an entry, but of the question. */
const UNASKED = /^(?:NODE_|CHAIN_|READ_|HTTP_|AGENT_)/

/** What is kept from one question to the next. */
interface Followed {
  readonly view: RecordView
  versions: Versions
  /** By entry: the header whose body is in the view. */
  readonly placed: Map<string, string>
  mark?: RecordMark
}

/** Makes the service; everything is forgotten when the vault is locked. */
export function createFhirRecord({ keeper, record }: FhirRecordComponents): FhirRecord {
  // Bodies are opened while an answer is sent: the vault is not shut in between.
  const open = async ({ cid }: EntryVersion): Promise<Uint8Array> =>
    keeper.hold(async () => (await record.content(cid)).body)
  let followed = follow()
  let reading: Promise<unknown> = Promise.resolve()
  keeper.onChange(() => (followed = follow()))

  function follow(): Followed {
    const now: Followed = {
      view: createRecordView({
        base: BASE,
        date: DATE,
        open: async entry => open(now.versions.current(entry)),
        openPart: async (part, of) => open(now.versions.part(part, now.versions.current(of)))
      }),
      versions: createVersions(),
      placed: new Map()
    }
    return now
  }

  async function show({ view, placed }: Followed, id: string, shown: EntryVersion | undefined): Promise<void> {
    const isFhir = shown?.type === FHIR_JSON || shown?.type === FHIR_NDJSON
    if (placed.get(id) === (isFhir ? shown.cid : undefined)) return
    const entry = fromHex(id, ENTRY_ID_BYTES)
    view.remove(entry)
    placed.delete(id)
    if (!isFhir) return
    const { cid, revision, recordedAtMs, type } = shown
    try {
      view.put({ entry, revision, recordedAtMs, type, body: await open(shown) })
      placed.set(id, cid)
    } catch (error) {
      if (!isSalusError(error) || UNASKED.test(error.code)) throw error
    }
  }

  async function readOn(): Promise<FhirSnapshot> {
    const now = followed
    const { view } = now
    const { mark, isWhole, entries, log } = await record.changes(now.mark)
    if (isWhole) now.versions = createVersions()
    const { versions } = now
    const gone = isWhole ? [...now.placed.keys()].filter(id => !entries.has(id)) : []
    for (const id of gone) await show(now, id, undefined)
    for (const [id, headers] of entries) await show(now, id, versions.set(id, versionsAmong(headers)))
    // Not before all of it is taken in: what broke off is taken in once more.
    now.mark = mark
    return {
      ...{ view, versions, log, open },
      manifests: () =>
        [...versions.shown()].filter(({ type }) => type === MANIFEST_TYPE).sort((a, b) => a.position - b.position),
      places: () =>
        new Map(
          view.resources.map(({ type, id, entry }) => [`${type}/${id}`, versions.current(entry).compartment] as const)
        )
    }
  }

  return {
    async fresh() {
      const turn = reading.then(readOn)
      reading = turn.catch(() => undefined)
      return turn
    }
  }
}

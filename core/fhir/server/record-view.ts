/**
 * A record as FHIR: fed with entries as they are opened, it answers what the endpoint asks (docs/specs/fhir.md#endpoint). What was
 * decrypted is checked before it is shown: an entry that is no sound JSON is named by its issues and not served.
 */
import { toHex } from '#core/encoding/bytes.ts'
import { lineOf } from '#core/fhir/import/manifest.ts'
import { indexedAs, type BodyPlace, type IndexedResource } from '#core/fhir/search/index-resource.ts'
import type { FhirView } from '#core/fhir/server/handle.ts'
import { indexBody, isFhirType, type IndexedLine } from '#core/fhir/server/indexed-body.ts'
import type { ServedContent } from '#core/fhir/server/served.ts'
import type { FhirIssue, FhirValidator } from '#core/fhir/validate.ts'

/** An entry of the record. */
export interface ShownEntry {
  /** Its id, 16 bytes. */
  readonly entry: Uint8Array
  readonly revision: number
  readonly recordedAtMs: number
}

/** An entry of the record, opened. */
export interface OpenedBody extends ShownEntry {
  /** Media type of the body. */
  readonly type: string
  readonly body: Uint8Array
}

/** What a view is made of. */
export interface RecordViewInit {
  /** Address of the endpoint, without a slash at its end. */
  readonly base: string
  /** When the software was made, as a FHIR date. */
  readonly date: string
  /** The body of an entry, by its id, newest revision. */
  readonly open: (entry: Uint8Array) => Promise<Uint8Array>
  /** The body of a part, and the id of the entry that names it: only if both are of one author and section. */
  readonly openPart: (part: Uint8Array, of: Uint8Array) => Promise<Uint8Array>
  /** Reports what is unsound; such resources are served all the same, as hospitals' data often are. */
  readonly validator?: FhirValidator
}

/** A view that follows the record. */
export interface RecordView extends FhirView {
  /** Takes an entry in, or its newer revision in place of the older; returns what is wrong with it. */
  put(entry: OpenedBody): readonly FhirIssue[]
  /** The same of what was indexed before. */
  place(entry: ShownEntry, lines: readonly IndexedLine[]): void
  /** Forgets an entry: it was erased, or may no longer be seen. */
  remove(entry: Uint8Array): void
}

/** What one entry has put into the view. */
interface Held {
  readonly revision: number
  readonly resources: readonly IndexedResource[]
  readonly contents: readonly ServedContent[]
}

/** Makes an empty view. Entries that hold no FHIR resource are let pass. */
export function createRecordView({ base, date, open, openPart, validator }: RecordViewInit): RecordView {
  const entries = new Map<string, Held>()
  /** Which entry has a name on the endpoint: the first that claimed it. */
  const owners = new Map<string, string>()
  const contents = new Map<string, ServedContent>()
  let all: readonly IndexedResource[] | null = null

  const named = (indexed: IndexedLine, { entry, revision, recordedAtMs }: ShownEntry): IndexedResource => {
    const { type, ownId, line } = indexed
    const key = toHex(entry).slice(2)
    const fallback = line == null ? key : `${key}.${line}`
    // Two hospitals may both have an Observation/1: the second is found under its entry's name.
    const owner = owners.get(`${type}/${ownId ?? ''}`)
    const id = ownId != null && (owner == null || owner === fallback) ? ownId : fallback
    owners.set(`${type}/${id}`, fallback)
    return indexedAs(indexed, { entry, line, id, version: revision, lastUpdatedMs: recordedAtMs })
  }
  const remove = (entry: Uint8Array): void => {
    const key = toHex(entry)
    for (const { type, id } of entries.get(key)?.resources ?? []) owners.delete(`${type}/${id}`)
    for (const { id } of entries.get(key)?.contents ?? []) contents.delete(id)
    entries.delete(key)
    all = null
  }
  const place = (shown: ShownEntry, lines: readonly IndexedLine[]): void => {
    const { entry, revision } = shown
    if ((entries.get(toHex(entry))?.revision ?? 0) > revision) return
    remove(entry)
    const held = {
      revision,
      resources: lines.map(line => named(line, shown)),
      contents: lines.flatMap(line => line.contents.map(content => ({ ...content, of: entry })))
    }
    for (const content of held.contents) contents.set(content.id, content)
    entries.set(toHex(entry), held)
  }
  return {
    base,
    date,
    get resources() {
      all ??= [...entries.values()].flatMap(each => each.resources)
      return all
    },
    content: id => contents.get(id),
    body: async ({ entry, line }: BodyPlace) => {
      const body = await open(entry)
      return line == null ? body : lineOf(body, line)
    },
    part: openPart,
    put(opened) {
      if (!isFhirType(opened.type)) return []
      const { lines, issues } = indexBody(opened.type, opened.body, validator)
      place(opened, lines)
      return issues
    },
    place,
    remove
  }
}

/**
 * A record as FHIR: fed with entries as they are opened, it answers what the endpoint asks (docs/specs/fhir.md#endpoint). What was
 * decrypted is checked before it is shown: an entry that is no sound JSON is named by its issues and not served.
 */
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { lineOf } from '#core/fhir/import/manifest.ts'
import { FHIR_JSON, FHIR_NDJSON } from '#core/fhir/import/planned-entry.ts'
import { isJsonObject, parseJson, type JsonObject } from '#core/fhir/json/parse.ts'
import { indexResource, type BodyPlace, type IndexedResource } from '#core/fhir/search/index-resource.ts'
import type { FhirView } from '#core/fhir/server/handle.ts'
import { contentsOf, type ServedContent } from '#core/fhir/server/served.ts'
import type { FhirIssue, FhirValidator } from '#core/fhir/validate.ts'

const LINE_END = 0x0a
const ID = /^[A-Za-z0-9\-.]{1,64}$/

/** An entry of the record, opened. */
export interface OpenedBody {
  /** Id of the entry, 16 bytes. */
  readonly entry: Uint8Array
  readonly revision: number
  readonly recordedAtMs: number
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

  const nameOf = (resource: JsonObject, type: string, key: string, line: number | null): string => {
    const own = resource['id']
    const fallback = line == null ? key : `${key}.${line}`
    if (typeof own !== 'string' || !ID.test(own)) return fallback
    // Two hospitals may both have an Observation/1: the second is found under its entry's name.
    const owner = owners.get(`${type}/${own}`)
    return owner == null || owner === fallback ? own : fallback
  }
  const take = (
    bytes: Uint8Array,
    opened: OpenedBody,
    line: number | null
  ): Omit<Held, 'revision'> & { issues: readonly FhirIssue[] } => {
    const { entry, revision, recordedAtMs } = opened
    const resource = resourceIn(bytes)
    if (typeof resource === 'string') return { resources: [], contents: [], issues: [unsound(resource)] }
    const key = toHex(entry).slice(2)
    const type = String(resource['resourceType'])
    const id = nameOf(resource, type, key, line)
    owners.set(`${type}/${id}`, line == null ? key : `${key}.${line}`)
    const indexed = indexResource(resource, { entry, line, id, version: revision, lastUpdatedMs: recordedAtMs })
    return { resources: [indexed], contents: contentsOf(bytes, entry), issues: validator?.checkValue(resource) ?? [] }
  }
  const remove = (entry: Uint8Array): void => {
    const key = toHex(entry)
    for (const { type, id } of entries.get(key)?.resources ?? []) owners.delete(`${type}/${id}`)
    for (const { id } of entries.get(key)?.contents ?? []) contents.delete(id)
    entries.delete(key)
    all = null
  }
  const put = (opened: OpenedBody): readonly FhirIssue[] => {
    const { entry, revision, type, body } = opened
    if (type !== FHIR_JSON && type !== FHIR_NDJSON) return []
    if ((entries.get(toHex(entry))?.revision ?? 0) > revision) return []
    remove(entry)
    const taken = linesOf(type, body).map(({ bytes, line }) => take(bytes, opened, line))
    const held = {
      revision,
      resources: taken.flatMap(each => each.resources),
      contents: taken.flatMap(each => each.contents)
    }
    for (const content of held.contents) contents.set(content.id, content)
    entries.set(toHex(entry), held)
    return taken.flatMap(({ issues }) => issues)
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
    put,
    remove
  }
}

/** The resource, or the code of what is wrong with its bytes. */
function resourceIn(bytes: Uint8Array): JsonObject | string {
  try {
    const value = parseJson(bytes)
    return isJsonObject(value) && typeof value['resourceType'] === 'string' ? value : 'structure'
  } catch (error) {
    if (isSalusError(error)) return error.code
    throw error
  }
}

function unsound(code: string): FhirIssue {
  return { severity: 'error', code, text: 'The entry holds no sound FHIR resource.' }
}

function linesOf(type: string, body: Uint8Array): { readonly bytes: Uint8Array; readonly line: number | null }[] {
  if (type === FHIR_JSON) return [{ bytes: body, line: null }]
  const lines: { bytes: Uint8Array; line: number }[] = []
  for (let from = 0; from <= body.length;) {
    const end = body.indexOf(LINE_END, from)
    const to = end < 0 ? body.length : end
    lines.push({ bytes: body.subarray(from, to), line: lines.length })
    from = to + 1
  }
  return lines
}

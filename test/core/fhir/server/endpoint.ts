import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { planImport } from '#core/fhir/import/plan.ts'
import type { PlannedEntry } from '#core/fhir/import/planned-entry.ts'
import { parseJson, type JsonObject } from '#core/fhir/json/parse.ts'
import { indexResource, type IndexedResource } from '#core/fhir/search/index-resource.ts'
import { handleFhir, type FhirRequest, type FhirView } from '#core/fhir/server/handle.ts'
import { contentsOf, type ServedContent } from '#core/fhir/server/served.ts'
import { collected } from '#test/collected.ts'
import { seededRandom } from '#test/seeded-random.ts'

/** The address of the endpoint in tests. */
export const BASE = 'http://127.0.0.1:1/fhir'

/** A view of what importing a text would put into a record. */
export async function viewOf(text: string | Uint8Array): Promise<FhirView> {
  const bytes = typeof text === 'string' ? utf8(text) : text
  const init = { primitives: portablePrimitives, random: seededRandom('view'), today: 20_000 }
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes)
  }
  const entries: PlannedEntry[] = await collected(planImport(source, init))
  const bodies = new Map(entries.map(({ entry, body }) => [toHex(entry), body]))
  const resources: IndexedResource[] = []
  const contents: ServedContent[] = []
  for (const { kind, entry, body } of entries) {
    if (kind !== 'resource') continue
    const value = parseJson(body) as JsonObject
    const own = value['id']
    const id = typeof own === 'string' ? own : toHex(entry).slice(2)
    const lastUpdatedMs = 1_700_000_000_000 + resources.length
    resources.push(indexResource(value, { entry, line: null, id, version: 1, lastUpdatedMs }))
    contents.push(...contentsOf(body))
  }
  const body = (entry: Uint8Array): Promise<Uint8Array> => Promise.resolve(bodies.get(toHex(entry)) ?? new Uint8Array())
  return {
    base: BASE,
    date: '2026-11-21',
    resources,
    content: id => contents.find(each => each.id === id),
    body: place => body(place.entry),
    part: body
  }
}

/** Asks an endpoint; a JSON answer is parsed. */
export async function ask(
  view: FhirView,
  path: string,
  more: Partial<FhirRequest> = {}
): Promise<{ status: number; headers: Readonly<Record<string, string>>; text: string; json: JsonObject }> {
  const [plain = '', query = ''] = path.split('?')
  const { status, headers, body } = await handleFhir({ method: 'GET', path: plain, query, ...more }, view)
  const pieces = body instanceof Uint8Array ? [body] : await collected(body)
  const text = Buffer.concat(pieces).toString()
  const isJson = headers['content-type']?.includes('json') === true
  return { status, headers, text, json: (isJson ? JSON.parse(text) : {}) as JsonObject }
}

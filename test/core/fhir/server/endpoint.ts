import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { planImport } from '#core/fhir/import/plan.ts'
import type { JsonObject } from '#core/fhir/json/parse.ts'
import { handleFhir, type FhirRequest, type FhirView } from '#core/fhir/server/handle.ts'
import { createRecordView, type RecordView } from '#core/fhir/server/record-view.ts'
import { collected } from '#test/collected.ts'
import { seededRandom } from '#test/seeded-random.ts'

/** The address of the endpoint in tests. */
export const BASE = 'http://127.0.0.1:1/fhir'

/** A view of what importing a text would put into a record. */
export async function viewOf(text: string | Uint8Array, batch = false): Promise<RecordView> {
  const bytes = typeof text === 'string' ? utf8(text) : text
  const init = { primitives: portablePrimitives, random: seededRandom('view'), today: 20_000, batch }
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes)
  }
  const entries = await collected(planImport(source, init))
  const bodies = new Map(entries.map(({ entry, body }) => [toHex(entry), body]))
  const open = (entry: Uint8Array): Promise<Uint8Array> => Promise.resolve(bodies.get(toHex(entry)) ?? new Uint8Array())
  const view = createRecordView({ base: BASE, date: '2026-11-21', open, openPart: open })
  entries.forEach(({ entry, type, body }, i) => {
    view.put({ entry, revision: 1, recordedAtMs: 1_700_000_000_000 + i, type, body })
  })
  return view
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

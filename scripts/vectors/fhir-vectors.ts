/** Vectors of docs/specs/fhir.md. */
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { planImport } from '#core/fhir/import/plan.ts'
import { invalidForms, type VectorFile } from '#scripts/vectors/vector-file.ts'

const TODAY = 20_777
const DATA = 'QUJD'.repeat(1100)
const SOURCE = `{ "resourceType": "Bundle", "type": "collection", "entry": [
  { "fullUrl": "urn:uuid:1", "resource": {"resourceType":"Patient","id":"p"} },
  { "resource": {"resourceType":"Observation","status":"final","code":{"text":"x"},"effectiveDateTime":"2024-02-29","valueQuantity":{"value":1.00}} },
  { "resource": {"resourceType":"Condition","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"F11.2"}]}} },
  { "resource": {"resourceType":"Binary","contentType":"text/plain","data":"${DATA}"} } ] }
{"resourceType":"Organization"}
`

/** What one source becomes when ids count up from 1. */
export async function fhirVectors(primitives: Primitives): Promise<Record<string, VectorFile>> {
  let drawn = 0
  const random: Random = length => new Uint8Array(length).fill(++drawn)
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(utf8(SOURCE))
  }
  const valid: Record<string, unknown>[] = [{ source: SOURCE, today: TODAY }]
  let manifest: Uint8Array = new Uint8Array()
  for await (const { body, entry, ...rest } of planImport(source, { primitives, random, today: TODAY })) {
    valid.push({ ...rest, entry: toHex(entry), body: toHex(body) })
    manifest = body
  }
  const description =
    'What a source becomes, docs/specs/fhir.md; the last body is the manifest, of which the invalid ones are forms'
  return { 'fhir-import': { description, valid, invalid: invalidForms('IMPORT', manifest) } }
}

/** Vectors of the formats around the log: docs/specs/{attributes,statement,blind-index}.md. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { contentOfStatement, type Statement } from '#core/log/statement.ts'
import { attributeKey, attributesOf, placesOf } from '#core/record/attributes.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { leafOf } from '#core/record/day-tree.ts'
import { encodeDisclosure } from '#core/record/disclosure.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { openAttribute, openContentKey, sealEntry } from '#core/record/seal-entry.ts'
import { blindIndexKey, blindTag, sealBlindList } from '#core/search/blind-list.ts'
import type { BlindTerm } from '#core/search/blind-terms.ts'
import { NETWORK, PATIENT, invalidForms, readable, type VectorFile } from '#scripts/vectors/vector-file.ts'

const GENERATION_KEY = new Uint8Array(32).fill(2)
const DAY = 20_777
const RECORDED_MS = 1_795_000_000_000
const PULSE = '{"resourceType":"Observation","code":{"text":"pulse"},"valueQuantity":{"value":72.0,"unit":"/min"}}'
/** Random bytes of the vectors: how many, over and over. */
const fixed = (length: number): Uint8Array => new Uint8Array(length).fill(length)

async function attributeVectors(p: Primitives): Promise<VectorFile> {
  const author = await deriveAgentKeys(p, new Uint8Array(32).fill(1), [2])
  const leafKey = leafOf(p, GENERATION_KEY, DAY)
  const content = { type: 'application/fhir+json', recordedAtMs: RECORDED_MS, body: utf8(PULSE) }
  const sealed = sealEntry(p, fixed, {
    network: NETWORK,
    patient: PATIENT,
    tag: compartmentTag(p, GENERATION_KEY, 'vitals'),
    generation: 1,
    day: DAY,
    leafKey,
    author,
    grant: null,
    content,
    attributes: true
  })
  const contentKey = openContentKey(p, { ...sealed, leafKey })
  const places = placesOf(p, contentKey, attributesOf(content))
  const path = '/valueQuantity'
  const index = places.findIndex(({ attribute }) => attribute?.path === path)
  const key = attributeKey(p, contentKey, path)
  const disclosure = encodeDisclosure(sealed.headerBytes, openAttribute(p, { ...sealed, index, key }))
  return {
    description: 'Attributes (docs/specs/attributes.md); random bytes are their number, over and over',
    valid: [
      {
        name: 'an entry sealed by attributes',
        body: PULSE,
        contentKey: toHex(contentKey),
        header: toHex(sealed.headerBytes),
        blob: toHex(sealed.blob),
        places: places.map(({ attribute, ...rest }) => ({
          path: attribute?.path ?? null,
          value: attribute == null ? null : new TextDecoder().decode(attribute.value),
          ...(readable(rest) as Record<string, unknown>)
        }))
      },
      { name: 'a disclosure', path, bytes: toHex(disclosure) }
    ],
    invalid: invalidForms('DISCLOSURE', disclosure)
  }
}

function statementVectors(): VectorFile {
  const content = { type: 'text/plain', body: utf8('heart rate 72') }
  const statements: Statement[] = [
    { act: 'correct', reason: 'typing error', about: null, content },
    { act: 'retract', reason: 'wrong patient', about: null, content: null },
    { act: 'comment', reason: '', about: new Uint8Array(16).fill(5), content }
  ]
  const encoded = statements.map(statement => contentOfStatement(statement, RECORDED_MS).body)
  return {
    description: 'Statements (docs/specs/statement.md)',
    valid: statements.map((each, i) => ({ statement: readable(each), bytes: toHex(encoded[i] ?? new Uint8Array()) })),
    invalid: invalidForms('STATEMENT', encoded[0] ?? new Uint8Array())
  }
}

async function blindVectors(p: Primitives): Promise<VectorFile> {
  const { signSeed, bundle } = await deriveAgentKeys(p, new Uint8Array(32).fill(1), [2])
  const term: BlindTerm = { field: 'code', value: '8867-4', quarter: '2026Q4' }
  const indexKey = blindIndexKey(p, GENERATION_KEY, 'vitals')
  const tag = compartmentTag(p, GENERATION_KEY, 'vitals')
  const place = { network: NETWORK, patient: PATIENT, tag, generation: 1 }
  const names = [cidOfDigest(DAG_CBOR_CODEC, new Uint8Array(32).fill(7))]
  const input = { place, indexKey, term, part: 0, names, revision: 1, author: bundle.sign, signSeed }
  const bytes = sealBlindList(p, fixed, input)
  return {
    description: 'The blind index (docs/specs/blind-index.md); the nonce is the byte 0c twelve times',
    valid: [
      {
        generationKey: toHex(GENERATION_KEY),
        ...(readable(input) as Record<string, unknown>),
        blindTag: toHex(blindTag(p, indexKey, term)),
        bytes: toHex(bytes)
      }
    ],
    invalid: invalidForms('BLIND_LIST', bytes)
  }
}

/** The files by name, without `.json`. */
export async function logVectors(p: Primitives): Promise<Record<string, VectorFile>> {
  return {
    attributes: await attributeVectors(p),
    statement: statementVectors(),
    'blind-index': await blindVectors(p)
  }
}

/** Vectors of the formats around the log: docs/specs/{attributes,log,statement,blind-index}.md. */
import { Wallet } from 'ethers'
import type { CID } from 'multiformats/cid'
import { granteeEvidence, patientEvidence } from '#core/agent/grantee-requests.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { NO_EXPIRY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES, packTerms } from '#core/grant/terms.ts'
import type { SignTypedData } from '#core/identity/key-binding.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { LogFacts } from '#core/log/facts.ts'
import type { LogInput } from '#core/log/log.ts'
import { verifyLog } from '#core/log/verify.ts'
import { decodeEntry, signEntry } from '#core/record/entry.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { contentOfStatement, type Statement } from '#core/log/statement.ts'
import { attributeKey, attributesOf, placesOf } from '#core/record/attributes.ts'
import { DAG_CBOR_CODEC, RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
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

/** A log by a patient and a doctor, with a liar among the headers; any order of them gives the same report. */
async function mergeVectors(p: Primitives): Promise<VectorFile> {
  const wallet = new Wallet(toHex(new Uint8Array(32).fill(0x22)))
  const target = {
    chainId: 31_337,
    contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
  }
  const [patient, doctor] = await Promise.all(
    [1, 2].map(seed => deriveAgentKeys(p, new Uint8Array(32).fill(seed), [2]))
  )
  if (patient == null || doctor == null) throw new Error('no keys')
  const grant = new Uint8Array(32).fill(6)
  const grantee = fromHex(wallet.address, 20)
  const terms = { grantee, notBefore: 0, expiresAt: NO_EXPIRY, rights: RIGHT_READ | RIGHT_WRITE, uses: UNLIMITED_USES }
  const facts: LogFacts = {
    record: {
      target,
      patient: PATIENT,
      keyBundles: [{ digest: keyBundleDigest(patient.bundleBytes), replacedAtS: null }],
      grants: [{ grantId: grant, terms: packTerms(terms) }]
    },
    blockTimeS: DAY * 86_400
  }
  const signTypedData: SignTypedData = (...data) => wallet.signTypedData(...data)
  const evidences = {
    patient: patientEvidence(patient),
    doctor: await granteeEvidence(doctor, { target, notAfterS: (DAY + 365) * 86_400, signTypedData })
  }
  const network = networkIdOf(target.chainId, target.contracts.AccessGrants.address)
  const named = new Map<string, CID>()
  const write = (
    name: string,
    by: 'patient' | 'doctor',
    entry: number,
    revision: number,
    follows: readonly string[]
  ): LogInput => {
    const keys = by === 'patient' ? patient : doctor
    const header = {
      network,
      patient: PATIENT,
      tag: new Uint8Array(16).fill(9),
      entry: new Uint8Array(16).fill(entry),
      revision,
      parents: follows.flatMap(each => named.get(each) ?? []),
      generation: 1,
      day: DAY,
      author: keys.bundle.sign,
      grant: by === 'patient' ? null : grant,
      blob: cidOfDigest(RAW_CODEC, p.sha256(utf8(name))),
      sizeBytes: 2120
    }
    const headerBytes = signEntry(p, header, keys.signSeed)
    named.set(name, decodeEntry(headerBytes).cid)
    return { headerBytes, evidenceBytes: evidences[by] }
  }
  const inputs = [
    write('original', 'doctor', 1, 1, []),
    write('correction', 'doctor', 1, 2, ['original']),
    write('patient’s version', 'patient', 1, 2, ['original']),
    write('own', 'patient', 2, 1, ['original']),
    write('proposal', 'doctor', 2, 2, ['own']),
    write('too high', 'doctor', 1, 7, ['correction']),
    { ...write('another’s evidence', 'doctor', 3, 1, []), evidenceBytes: evidences.patient }
  ]
  return {
    description: 'Verification of a log (docs/specs/log.md); any order and any duplicates give the same report',
    valid: [
      {
        facts: readable(facts),
        names: Object.fromEntries([...named].map(([name, cid]) => [name, cid.toString()])),
        inputs: readable(inputs),
        report: verifyLog(p, inputs, facts)
      }
    ],
    invalid: []
  }
}

/** The files by name, without `.json`. */
export async function logVectors(p: Primitives): Promise<Record<string, VectorFile>> {
  return {
    attributes: await attributeVectors(p),
    log: await mergeVectors(p),
    statement: statementVectors(),
    'blind-index': await blindVectors(p)
  }
}

/** Vectors of the formats of sharing: docs/specs/{grant,capsule,rotation,read-request}.md. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { preferredKemKey, sealCapsule } from '#core/grant/capsule.ts'
import { encodeCapsuleContent } from '#core/grant/capsule-keys.ts'
import { encodeGrantDocument, grantIdOf, grantScope, type GrantDocument } from '#core/grant/document.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { signRotation } from '#core/grant/rotation.ts'
import { NO_EXPIRY, RIGHT_HISTORY, RIGHT_READ, UNLIMITED_USES, packTerms, termsBytes } from '#core/grant/terms.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { coverOf } from '#core/record/day-tree.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { NETWORK, PATIENT, invalidForms, readable, type VectorFile } from '#scripts/vectors/vector-file.ts'

const GENERATION_KEY = new Uint8Array(32).fill(2)
const GRANTEE = new Uint8Array(20).fill(0xd0)
const DOCUMENT: GrantDocument = {
  network: NETWORK,
  patient: PATIENT,
  grantee: GRANTEE,
  compartments: ['vitals'],
  purpose: 'TREAT',
  salt: new Uint8Array(32).fill(10)
}
/** The same for single entries on some days. */
const LIMITED: GrantDocument = {
  ...DOCUMENT,
  days: { fromDay: 20_000, toDay: 20_777 },
  items: [
    { name: cidOfDigest(DAG_CBOR_CODEC, new Uint8Array(32).fill(7)), paths: ['/valueQuantity'] },
    { name: cidOfDigest(DAG_CBOR_CODEC, new Uint8Array(32).fill(8)), paths: [] }
  ]
}
const GRANT_ID = grantIdOf(PATIENT, grantScope(encodeGrantDocument(DOCUMENT)))
const TERMS = {
  grantee: GRANTEE,
  notBefore: 1_794_900_000,
  expiresAt: NO_EXPIRY,
  rights: RIGHT_READ | RIGHT_HISTORY,
  uses: UNLIMITED_USES
}

async function capsuleVectors(p: Primitives): Promise<VectorFile> {
  const patientKeys = await deriveAgentKeys(p, new Uint8Array(32).fill(1), [2])
  const granteeSeed = new Uint8Array(32).fill(11)
  const grantee = await deriveAgentKeys(p, granteeSeed, [2, 3])
  const document = encodeGrantDocument(DOCUMENT)
  const cover = coverOf(p, GENERATION_KEY, 20_777, 20_783)
  const tag = compartmentTag(p, GENERATION_KEY, 'vitals')
  const content = { document, keys: [{ compartment: 'vitals' as const, tag, generation: 1, cover }] }
  const header = {
    network: NETWORK,
    contract: new Uint8Array(20).fill(12),
    grantId: GRANT_ID,
    patient: PATIENT,
    grantee: GRANTEE,
    terms: termsBytes(packTerms(TERMS)),
    scope: grantScope(document),
    revision: 1
  }
  const sealed: Uint8Array[] = []
  for (const suite of [2, 3] as const) {
    const to = preferredKemKey(grantee.bundle, [suite])
    sealed.push(await sealCapsule(p, length => new Uint8Array(length).fill(13), { header, to, content, patientKeys }))
  }
  const name = cidOfDigest(DAG_CBOR_CODEC, new Uint8Array(32).fill(7))
  const key = new Uint8Array(32).fill(9)
  const entries = [{ compartment: 'vitals' as const, name, key }]
  const attributes = [{ compartment: 'vitals' as const, name, key, path: '/valueQuantity', index: 3 }]
  const single = { document: encodeGrantDocument(LIMITED), keys: [], entries, attributes }
  return {
    description: 'Capsules (docs/specs/capsule.md); the randomness of the encapsulation is the byte 0d throughout',
    valid: [
      ...sealed.map((bytes, i) => ({
        suite: i + 2,
        granteeSeed: toHex(granteeSeed),
        header: readable(header),
        content: readable(content),
        bytes: toHex(bytes)
      })),
      { name: 'keys of single entries', content: readable(single), contentBytes: toHex(encodeCapsuleContent(single)) }
    ],
    invalid: invalidForms('CAPSULE', sealed[0] ?? new Uint8Array())
  }
}

/** The files by name, without `.json`. */
export async function grantVectors(p: Primitives): Promise<Record<string, VectorFile>> {
  const keys = await deriveAgentKeys(p, new Uint8Array(32).fill(1), [2])
  const document = encodeGrantDocument(DOCUMENT)
  const rotation = {
    network: NETWORK,
    patient: PATIENT,
    revision: 1,
    day: 20_000,
    retired: [new Uint8Array(16).fill(14)]
  }
  const rotationBytes = signRotation(p, rotation, keys)
  const request = {
    network: NETWORK,
    patient: PATIENT,
    grant: GRANT_ID,
    audience: new Uint8Array(38).fill(15),
    issuedAtMs: 1_795_000_000_000,
    nonce: new Uint8Array(16).fill(16),
    author: keys.bundle.sign,
    evidence: encodeEvidence({ bundle: keys.bundleBytes })
  }
  const requestBytes = signReadRequest(p, request, keys.signSeed)
  return {
    grant: {
      description: 'Grant documents and terms (docs/specs/grant.md)',
      valid: [
        { document: readable(DOCUMENT), bytes: toHex(document), scope: toHex(grantScope(document)) },
        { document: readable(LIMITED), bytes: toHex(encodeGrantDocument(LIMITED)) },
        { terms: readable(TERMS), packed: toHex(termsBytes(packTerms(TERMS))) }
      ],
      invalid: invalidForms('GRANT', document)
    },
    capsule: await capsuleVectors(p),
    rotation: {
      description: 'Rotations (docs/specs/rotation.md)',
      valid: [{ signSeed: toHex(keys.signSeed), rotation: readable(rotation), bytes: toHex(rotationBytes) }],
      invalid: invalidForms('ROTATION', rotationBytes)
    },
    'read-request': {
      description: 'Read requests (docs/specs/read-request.md)',
      valid: [{ signSeed: toHex(keys.signSeed), request: readable(request), bytes: toHex(requestBytes) }],
      invalid: invalidForms('READ_REQUEST', requestBytes)
    }
  }
}

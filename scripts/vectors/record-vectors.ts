/** Vectors of the formats of records: docs/specs/{canonical,identity,day-tree,sealing,entry,slot}.md. */
import { Wallet } from 'ethers'
import { deriveKemKeyPair } from '#core/crypto/hpke.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { keyBindingDomain, keyBindingTypedData } from '#core/identity/key-binding.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { C2SP_CHUNK_BYTES, CHUNK_BYTES, sealChunked } from '#core/record/chunked.ts'
import { RAW_CODEC, cidOfCanonical, cidOfDigest } from '#core/record/cid.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { signContent } from '#core/record/content.ts'
import { coverOf, leafOf } from '#core/record/day-tree.ts'
import { decodeEntry, signEntry } from '#core/record/entry.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { paddedLength } from '#core/record/padding.ts'
import { encodeSlot, sealSlot } from '#core/record/slot.ts'
import { NETWORK, PATIENT, invalidForms, readable, type VectorFile } from '#scripts/vectors/vector-file.ts'

const SEED = new Uint8Array(32).fill(1)
const GENERATION_KEY = new Uint8Array(32).fill(2)
const DAY = 20_777

function canonicalVectors(): VectorFile {
  const values: [string, unknown][] = [
    ['map, keys by length and then by bytes', { b: 1, a: 2, aa: 3 }],
    ['numbers', [0, 23, 24, 255, 256, 65_536, 4_294_967_296, -1, -25]],
    ['others', [true, false, null, 'é', new Uint8Array([1, 2, 3])]],
    ['link', cidOfDigest(RAW_CODEC, new Uint8Array(32))]
  ]
  const invalid: [string, string, string][] = [
    ['nothing', '0x', 'TRUNCATED'],
    ['list without its item', '0x81', 'TRUNCATED'],
    ['two values', '0x0101', 'TRAILING'],
    ['key twice', '0xa2616101616102', 'DUPLICATE_KEY'],
    ['keys out of order', '0xa2616201616102', 'NOT_CANONICAL'],
    ['short float', '0xfa3f800000', 'NOT_CANONICAL'],
    ['number longer than needed', '0x1801', 'MALFORMED'],
    ['indefinite length', '0x9fff', 'MALFORMED'],
    ['key that is no text', '0xa10101', 'MALFORMED'],
    ['not a number', '0xfb7ff8000000000000', 'MALFORMED']
  ]
  return {
    description: 'Canonical dag-cbor (docs/specs/canonical.md); codes are of the area TEST',
    valid: values.map(([name, value]) => ({ name, value: readable(value), bytes: toHex(encodeCanonical(value)) })),
    invalid: invalid.map(([name, bytes, problem]) => ({ name, bytes, code: `TEST_${problem}` }))
  }
}

async function identityVectors(p: Primitives): Promise<VectorFile> {
  const keys = await deriveAgentKeys(p, SEED, [2, 3])
  const wallet = new Wallet(toHex(new Uint8Array(32).fill(0x22)))
  const domain = keyBindingDomain(31_337, '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512')
  const notAfter = 1_800_000_000
  const typed = keyBindingTypedData(domain, keyBundleDigest(keys.bundleBytes), notAfter)
  const signature = fromHex(await wallet.signTypedData(typed.domain, typed.types, typed.value))
  const xWing = await deriveKemKeyPair(1, p.hkdfSha256(SEED, utf8('salus/agent-keys/1'), fromHex('6b656d01'), 32))
  const binding = { notAfter, signature }
  return {
    description: 'Key bundles and evidence (docs/specs/identity.md); the keys in it are published and worthless',
    valid: [
      {
        name: 'keys of a seed',
        seed: toHex(SEED),
        signSeed: toHex(keys.signSeed),
        sign: toHex(keys.bundle.sign),
        xWingPublicKeySha256: toHex(p.sha256(xWing.publicKey)),
        kem: readable(keys.bundle.kem),
        bytes: toHex(keys.bundleBytes),
        digest: toHex(keyBundleDigest(keys.bundleBytes))
      },
      { name: 'evidence of a patient', evidence: toHex(encodeEvidence({ bundle: keys.bundleBytes })) },
      {
        name: 'evidence of a grantee',
        chainId: 31_337,
        accessGrants: domain.verifyingContract,
        address: wallet.address.toLowerCase(),
        binding: readable(binding),
        evidence: toHex(encodeEvidence({ bundle: keys.bundleBytes, binding }))
      }
    ],
    invalid: [
      ...invalidForms('KEY_BUNDLE', keys.bundleBytes),
      ...invalidForms('EVIDENCE', encodeEvidence({ bundle: keys.bundleBytes }))
    ]
  }
}

function dayTreeVectors(p: Primitives): VectorFile {
  const leaves = [0, 1, DAY, 65_535].map(day => ({ day, key: toHex(leafOf(p, GENERATION_KEY, day)) }))
  const spans: [number, number][] = [
    [DAY, DAY],
    [20_819, 21_183],
    [0, 65_535],
    [1, 65_534]
  ]
  const covers = spans.map(([fromDay, toDay]) => {
    const nodes = coverOf(p, GENERATION_KEY, fromDay, toDay).map(({ depth, prefix, key }) => [
      depth,
      prefix,
      toHex(key)
    ])
    return { fromDay, toDay, nodes }
  })
  const tags = COMPARTMENTS.map(each => [each, toHex(compartmentTag(p, GENERATION_KEY, each))])
  return {
    description: 'Day tree and compartment tags (docs/specs/day-tree.md)',
    valid: [{ generationKey: toHex(GENERATION_KEY), leaves, covers, tags: Object.fromEntries(tags) as unknown }],
    invalid: []
  }
}

async function sealingVectors(p: Primitives): Promise<VectorFile> {
  const { signSeed, bundle } = await deriveAgentKeys(p, SEED, [2])
  const key = new Uint8Array(32).fill(3)
  const salt = new Uint8Array(24).fill(4)
  const context = utf8('context')
  const plaintext = utf8('sixteen bytes it')
  const chunked = [C2SP_CHUNK_BYTES, CHUNK_BYTES, 8].map(chunkBytes => ({
    name: `chunks of ${String(chunkBytes)} bytes`,
    ...(readable({ key, salt, context, plaintext, chunkBytes }) as Record<string, unknown>),
    sealed: toHex(sealChunked(p, { key, salt, context, plaintext, chunkBytes }))
  }))
  const place = {
    network: NETWORK,
    patient: PATIENT,
    entry: new Uint8Array(16).fill(5),
    revision: 1,
    author: bundle.sign
  }
  const content = { type: 'text/plain', recordedAtMs: 1_795_000_000_000, body: utf8('heart rate 72') }
  const bytes = signContent(p, place, content, signSeed)
  const lengths = [0, 2048, 2049, 5000, 100_000, 16_777_217, 5_000_000_000]
  return {
    description: 'Sealing (docs/specs/sealing.md)',
    valid: [
      ...chunked,
      { name: 'padded lengths', lengths: lengths.map(length => [length, paddedLength(length)]) },
      { name: 'content', place: readable(place), content: readable(content), bytes: toHex(bytes) }
    ],
    invalid: invalidForms('CONTENT', bytes)
  }
}

async function entryVectors(p: Primitives): Promise<{ entry: VectorFile; slot: VectorFile }> {
  const { signSeed, bundle } = await deriveAgentKeys(p, SEED, [2])
  const header = {
    network: NETWORK,
    patient: PATIENT,
    tag: compartmentTag(p, GENERATION_KEY, 'vitals'),
    entry: new Uint8Array(16).fill(5),
    revision: 2,
    parents: [cidOfCanonical(Uint8Array.of(0xa0))],
    generation: 1,
    day: DAY,
    author: bundle.sign,
    grant: null,
    blob: cidOfDigest(RAW_CODEC, new Uint8Array(32).fill(6)),
    sizeBytes: 2120
  }
  const bytes = signEntry(p, header, signSeed)
  const { cid } = decodeEntry(bytes)
  const leafKey = leafOf(p, GENERATION_KEY, DAY)
  const contentKey = new Uint8Array(32).fill(7)
  const input = {
    network: NETWORK,
    patient: PATIENT,
    entryCid: cid,
    leafKey,
    contentKey,
    author: bundle.sign,
    signSeed
  }
  const slot = encodeSlot(sealSlot(p, length => new Uint8Array(length).fill(8), input))
  return {
    entry: {
      description: 'Entry headers (docs/specs/entry.md)',
      valid: [{ signSeed: toHex(signSeed), header: readable(header), bytes: toHex(bytes), cid: String(cid) }],
      invalid: invalidForms('ENTRY', bytes)
    },
    slot: {
      description: 'Slots (docs/specs/slot.md); the nonce is the byte 08 twelve times',
      valid: [{ ...(readable(input) as Record<string, unknown>), bytes: toHex(slot) }],
      invalid: invalidForms('SLOT', slot)
    }
  }
}

/** The files by name, without `.json`. */
export async function recordVectors(p: Primitives): Promise<Record<string, VectorFile>> {
  return {
    canonical: canonicalVectors(),
    identity: await identityVectors(p),
    'day-tree': dayTreeVectors(p),
    sealing: await sealingVectors(p),
    ...(await entryVectors(p))
  }
}

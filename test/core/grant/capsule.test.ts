import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import {
  decodeCapsule,
  MAX_CAPSULE_BYTES,
  openCapsule,
  preferredKemKey,
  sealCapsule,
  verifyCapsule
} from '#core/grant/capsule.ts'
import {
  MAX_CAPSULE_KEYS_BYTES,
  decodeCapsuleContent,
  encodeCapsuleContent,
  type CapsuleKey
} from '#core/grant/capsule-keys.ts'
import { encodeGrantDocument, grantIdOf, grantScope, type GrantDocument } from '#core/grant/document.ts'
import type { SuiteId } from '#core/crypto/hpke.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { coverOf } from '#core/record/day-tree.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { survivesMutations } from '#test/mutations.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const random = seededRandom('capsule')
const DOCUMENT: GrantDocument = {
  network: NETWORK,
  patient: PATIENT,
  grantee: new Uint8Array(20).fill(2),
  compartments: ['vitals'],
  purpose: 'TREAT',
  salt: new Uint8Array(32).fill(3)
}
const document = encodeGrantDocument(DOCUMENT)
const KEY: CapsuleKey = {
  compartment: 'vitals',
  tag: new Uint8Array(16).fill(4),
  generation: 1,
  cover: coverOf(p, new Uint8Array(32), 20_000, 20_100)
}
const HEADER = {
  network: NETWORK,
  contract: new Uint8Array(20).fill(5),
  grantId: grantIdOf(PATIENT, grantScope(document)),
  patient: PATIENT,
  grantee: DOCUMENT.grantee,
  terms: new Uint8Array(32).fill(6),
  scope: grantScope(document),
  revision: 1
}

describe('a capsule', () => {
  let patientKeys: AgentKeys
  let grantee: AgentKeys
  let bytes: Uint8Array

  const seal = async (
    change: { header?: Partial<typeof HEADER>; keys?: CapsuleKey[]; document?: Uint8Array; suite?: SuiteId } = {}
  ): Promise<Uint8Array> =>
    await sealCapsule(p, random, {
      header: { ...HEADER, ...change.header },
      to: preferredKemKey(grantee.bundle, [change.suite ?? 2]),
      content: { document: change.document ?? document, keys: change.keys ?? [KEY] },
      patientKeys
    })

  before(async () => {
    patientKeys = await keysOf(1)
    grantee = await keysOf(2, [1, 2, 3])
    bytes = await seal()
  })

  it('hands its keys to the grantee, in every suite', async () => {
    for (const suite of [1, 2, 3] as const) {
      const capsule = decodeCapsule(await seal({ suite }), { network: NETWORK, patient: PATIENT })
      expect(capsule.suite).to.equal(suite)
      expect(verifyCapsule(p, capsule)).to.equal(true)
      expect(await openCapsule(capsule, grantee)).to.deep.equal({ document, keys: [KEY], grant: DOCUMENT })
    }
  })

  it('prefers the hybrid suite, and refuses a grantee without an allowed one', async () => {
    expect(preferredKemKey(grantee.bundle).suite).to.equal(1)
    await expectCode('CAPSULE_SUITE', () => preferredKemKey(patientKeys.bundle, [1]))
  })

  it('stays shut to everyone else, and when any open field was changed', async () => {
    const capsule = decodeCapsule(bytes)
    await expectCode('CAPSULE_RECIPIENT', async () => openCapsule(capsule, await keysOf(3, [2])))
    for (const change of [{ revision: 2 }, { terms: new Uint8Array(32) }, { contract: new Uint8Array(20) }]) {
      await expectCode('HPKE_OPEN', () => openCapsule({ ...capsule, ...change }, grantee))
      expect(verifyCapsule(p, { ...capsule, ...change })).to.equal(false)
    }
  })

  it('is refused where what it holds is not what its grant says', async () => {
    const other = (change: Partial<GrantDocument>): Uint8Array => encodeGrantDocument({ ...DOCUMENT, ...change })
    for (const change of [
      { header: { scope: new Uint8Array(32), grantId: grantIdOf(PATIENT, new Uint8Array(32)) } },
      { header: { grantId: new Uint8Array(32) } },
      { document: other({ purpose: 'RESEARCH' }), header: { scope: grantScope(other({ purpose: 'RESEARCH' })) } },
      {
        document: other({ grantee: new Uint8Array(20) }),
        header: {
          scope: grantScope(other({ grantee: new Uint8Array(20) })),
          grantId: grantIdOf(PATIENT, grantScope(other({ grantee: new Uint8Array(20) })))
        }
      },
      { keys: [{ ...KEY, compartment: 'mental' as const }] }
    ]) {
      const capsule = decodeCapsule(await seal(change))
      await expectCode('CAPSULE_SCOPE', () => openCapsule(capsule, grantee))
    }
  })

  it('is refused before sealing where it would be too large', async () => {
    const keys = Array.from({ length: 380 }, (_, i) => ({ ...KEY, generation: i }))
    await expectCode('CAPSULE_OVERSIZE', () => seal({ keys }))
  })

  it('does not verify under a bundle that is none', async () => {
    const capsule = decodeCapsule(bytes)
    await expectCode('KEY_BUNDLE_MALFORMED', () =>
      verifyCapsule(p, { ...capsule, bundle: utf8('\u0000'.repeat(9)).fill(0xff) })
    )
  })

  itRefusesBadInput({
    area: 'CAPSULE',
    maxBytes: MAX_CAPSULE_BYTES,
    valid: () => bytes,
    decode: decodeCapsule,
    elsewhere: decodeCapsule,
    mutations: 15_000
  })
})

describe('what a capsule holds', () => {
  const bytes = encodeCapsuleContent({ document, keys: [KEY] })

  it('is refused with covers that overlap, lie outside the tree or have other parts', async () => {
    const [node] = KEY.cover
    const first = node ?? { depth: 0, prefix: 0, key: new Uint8Array(32) }
    for (const cover of [
      [first, first],
      [{ ...first, depth: 17 }],
      [{ ...first, depth: 1, prefix: 2 }],
      [{ ...first, key: new Uint8Array(31) }]
    ]) {
      const bad = encodeCapsuleContent({ document, keys: [{ ...KEY, cover }] })
      await expectCode('CAPSULE_KEYS_SHAPE', () => decodeCapsuleContent(bad))
    }
  })

  it('reads back with the keys of single entries and attributes', async () => {
    const name = cidOfDigest(DAG_CBOR_CODEC, new Uint8Array(32).fill(7))
    const entry = { compartment: 'vitals' as const, name, key: new Uint8Array(32).fill(9) }
    const attribute = { ...entry, path: '/valueQuantity', index: 3 }
    const content = { document, keys: [], entries: [entry], attributes: [attribute] }
    const single = encodeCapsuleContent(content)
    expect(decodeCapsuleContent(single)).to.deep.equal(content)
    await survivesMutations(single, { seed: 'single keys', count: 3000 }, decodeCapsuleContent)
    const raw = { v: 1, document, keys: [] }
    for (const bad of [
      { entries: [] },
      { attributes: [] },
      { entries: [1] },
      { entries: [['vitals', name, entry.key, 1]] },
      { entries: Array.from({ length: 17 }, () => ['vitals', name, entry.key]) },
      { attributes: [['vitals', name, entry.key, '/a', 256]] },
      { attributes: [['vitals', name, entry.key, '/a', 1, 1]] },
      { attributes: [['vitals', name, new Uint8Array(31), '/a', 1]] }
    ]) {
      await expectCode('CAPSULE_KEYS_SHAPE', () => decodeCapsuleContent(encodeCanonical({ ...raw, ...bad })))
    }
  })

  itRefusesBadInput({
    area: 'CAPSULE_KEYS',
    maxBytes: MAX_CAPSULE_KEYS_BYTES,
    valid: () => bytes,
    decode: decodeCapsuleContent,
    mutations: 10_000
  })
})

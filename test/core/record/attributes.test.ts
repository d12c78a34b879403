import { expect } from 'chai'
import fc from 'fast-check'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { attributeKey, attributesOf, placesOf } from '#core/record/attributes.ts'
import { parseAttributeBlob } from '#core/record/attribute-blob.ts'
import { MAX_DISCLOSURE_BYTES, encodeDisclosure, openDisclosure } from '#core/record/disclosure.ts'
import { leafOf } from '#core/record/day-tree.ts'
import { decodeEntry, signEntry } from '#core/record/entry.ts'
import { blobCid } from '#core/record/blob-cid.ts'
import { compartmentTag, nextGeneration } from '#core/record/generation.ts'
import {
  openAttribute,
  openContentKey,
  openEntry,
  openEntryWithKey,
  sealEntry,
  type EntryInput,
  type SealedEntry
} from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const DAY = 20_777
const JSON_TYPE = 'application/fhir+json'
const BODY = `{
  "resourceType" : "Observation",
  "text": {"div": "<div>Blood pressure 120 over 80</div>"},
  "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
  "effectiveDateTime": "2026-11-21",
  "component": [
    {"code": {"text": "systolic"}, "valueQuantity": {"value": 120.0, "unit": "mm[Hg]"}},
    {"code": {"text": "diastolic"}, "valueQuantity": {"value": 80.10, "unit": "mm[Hg]"}}
  ],
  "note": ["a \\"quoted\\" ] } note"]
}`
const contentOf = (body: string, type = JSON_TYPE) => ({ type, recordedAtMs: 1_795_000_000_000, body: utf8(body) })
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('the attributes of a content', () => {
  const listed = (body: string, type?: string): Record<string, string> =>
    Object.fromEntries(attributesOf(contentOf(body, type)).map(({ path, value }) => [path, textOf(value)]))

  it('are its members and the items of its lists of objects, as they were written', () => {
    const all = listed(BODY)
    expect(Object.keys(all)).to.deep.equal([
      '/resourceType',
      '/code',
      '/effectiveDateTime',
      '/component/0',
      '/component/1',
      '/note'
    ])
    expect(all['/component/1']).to.contain('80.10')
    expect(all['/note']).to.equal('["a \\"quoted\\" ] } note"]')
  })

  it('are the lines of NDJSON', () => {
    const lines = ['{"a":1}', '{"b":[{"c":2}]}']
    expect(listed(`${lines.join('\n')}\n`, 'application/fhir+ndjson')).to.deep.equal({ '/0': lines[0], '/1': lines[1] })
  })

  it('escape their paths, and leave out what is too long', () => {
    expect(listed(`{"a/b~c": 1, "long": "${'x'.repeat(4000)}"}`)).to.deep.equal({ '/a~1b~0c': '1' })
    expect(Object.keys(listed('{"__proto__": 1}'))).to.deep.equal(['/__proto__'])
  })

  it('are refused of what is no JSON object, has a key twice, or has too many', async () => {
    for (const bad of [
      '',
      '[1]',
      '1',
      'null',
      '{"a":1',
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      `{"a":${'['.repeat(9)}}`
    ]) {
      await expectCode('ATTRIBUTES_JSON', () => attributesOf(contentOf(bad)))
    }
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${String(i)}`, i])))
    await expectCode('ATTRIBUTES_OVERSIZE', () => attributesOf(contentOf(many)))
    await expectCode('ATTRIBUTES_TYPE', () => attributesOf(contentOf('{}', 'text/plain')))
    const notUtf8 = { ...contentOf('{}'), body: Uint8Array.of(0x7b, 0xff, 0x7d) }
    await expectCode('ATTRIBUTES_JSON', () => attributesOf(notUtf8))
  })

  it('hold, for any JSON object, exactly its values', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 9 }),
        fc.integer({ min: 0, max: 3 }),
        (object, indent) => {
          const expected: Record<string, unknown> = {}
          for (const [key, value] of Object.entries(object)) {
            if (key === 'text') continue
            const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
            const isList = Array.isArray(value) && value.length > 0
            const objects =
              isList && value.every(item => typeof item === 'object' && item !== null && !Array.isArray(item))
            if (objects) value.forEach((item, i) => (expected[`${path}/${String(i)}`] = item))
            else expected[path] = value
          }
          const all = attributesOf(contentOf(JSON.stringify(object, null, indent)))
          const read = Object.fromEntries(all.map(({ path, value }) => [path, JSON.parse(textOf(value)) as unknown]))
          expect(JSON.stringify(read)).to.equal(JSON.stringify(expected))
        }
      ),
      { numRuns: 300 }
    )
  })
})

describe('an entry sealed by attributes', () => {
  const random = seededRandom('attributes')
  const generation = nextGeneration(random)
  const tag = compartmentTag(p, generation.key, 'vitals')
  const leafKey = leafOf(p, generation.key, DAY)
  let input: EntryInput
  let sealed: SealedEntry
  let contentKey: Uint8Array

  const indexOf = (path: string, of: SealedEntry = sealed): number => {
    const key = openContentKey(p, { ...of, leafKey })
    return placesOf(p, key, attributesOf(input.content)).findIndex(({ attribute }) => attribute?.path === path)
  }
  const open = (path: string) =>
    openAttribute(p, { ...sealed, index: indexOf(path), key: attributeKey(p, contentKey, path) })
  /** The entry with another blob, as its author could have signed it. */
  const resign = (change: (blob: Uint8Array) => void): SealedEntry => {
    const blob = sealed.blob.slice()
    change(blob)
    const { header } = decodeEntry(sealed.headerBytes)
    const headerBytes = signEntry(
      p,
      { ...header, blob: blobCid(p, blob), sizeBytes: blob.length },
      input.author.signSeed
    )
    return { ...sealed, headerBytes, blob }
  }

  before(async () => {
    const author = await keysOf(1)
    const place = { network: NETWORK, patient: PATIENT, tag, generation: 1, day: DAY, leafKey, author, grant: null }
    input = { ...place, content: contentOf(BODY), attributes: true }
    sealed = sealEntry(p, random, input)
    contentKey = openContentKey(p, { ...sealed, leafKey })
  })

  it('opens whole to exactly what was sealed, by the day’s key or by its own', () => {
    expect(openEntry(p, { ...sealed, leafKey, tag }).content).to.deep.equal(input.content)
    expect(openEntryWithKey(p, { ...sealed, contentKey }).content).to.deep.equal(input.content)
  })

  it('opens one attribute by its key alone', () => {
    const { path, value } = open('/component/0')
    expect(path).to.equal('/component/0')
    expect(JSON.parse(textOf(value))).to.have.nested.property('valueQuantity.value', 120)
  })

  it('opens nothing else by that key', async () => {
    const key = attributeKey(p, contentKey, '/component/0')
    const own = indexOf('/component/0')
    for (let index = 0; index < 8; index++) {
      if (index !== own) await expectCode('SEALED_KEY', () => openAttribute(p, { ...sealed, index, key }))
    }
    await expectCode('ATTRIBUTE_INDEX', () => openAttribute(p, { ...sealed, index: 8, key }))
    await expectCode('SEALED_KEY', () => openEntryWithKey(p, { ...sealed, contentKey: key }))
  })

  it('hides how many attributes there are, how long, and what they are called', () => {
    const other = contentOf('{"a": 1, "b": {"c": "a longer value of this attribute"}}')
    const fewer = sealEntry(p, random, { ...input, content: other })
    expect(fewer.blob.length).to.equal(sealed.blob.length)
    const [a, b] = [sealed, fewer].map(({ blob }) => parseAttributeBlob(blob)!)
    expect(a!.cells.map(({ length }) => length)).to.deep.equal(b!.cells.map(({ length }) => length))
    const blobText = Buffer.from(sealed.blob).toString('latin1')
    for (const word of ['component', 'resourceType', '120', 'loinc']) expect(blobText).not.to.contain(word)
  })

  it('says nothing of an attribute in its hash: the same value twice has different hashes', () => {
    const again = sealEntry(p, random, input)
    const [a, b] = [sealed, again].map(({ blob }) => parseAttributeBlob(blob)!.leaves)
    for (const leaf of a!) expect(b!.some(other => equalBytes(leaf, other))).to.equal(false)
  })

  it('proves an attribute to a third party that has neither key nor blob', () => {
    const bytes = encodeDisclosure(sealed.headerBytes, open('/component/1'))
    const { path, value, header } = openDisclosure(p, bytes, { network: NETWORK, patient: PATIENT })
    expect(path).to.equal('/component/1')
    expect(textOf(value)).to.contain('80.10')
    expect(header.author).to.deep.equal(input.author.bundle.sign)
  })

  it('refuses a disclosure of another value, path, place or entry', async () => {
    const opened = open('/component/1')
    const again = sealEntry(p, random, input)
    const bad = [
      encodeDisclosure(sealed.headerBytes, { ...opened, value: utf8('1') }),
      encodeDisclosure(sealed.headerBytes, { ...opened, path: '/component/0' }),
      encodeDisclosure(sealed.headerBytes, { ...opened, index: opened.index ^ 1 }),
      encodeDisclosure(sealed.headerBytes, { ...opened, size: 16 }),
      encodeDisclosure(sealed.headerBytes, { ...opened, proof: opened.proof.slice(1) }),
      encodeDisclosure(again.headerBytes, opened)
    ]
    for (const bytes of bad) await expectCode('DISCLOSURE_PROOF', () => openDisclosure(p, bytes))
  })

  it('is refused where its author sealed other attributes than the content has', async () => {
    const leavesAt = 24 + 2 + 64
    const swapped = resign(blob => {
      const [a, b] = [blob.slice(leavesAt, leavesAt + 32), blob.slice(leavesAt + 32, leavesAt + 64)]
      blob.set(concat(b, a), leavesAt)
    })
    await expectCode('ATTRIBUTE_FORGED', () => openEntryWithKey(p, { ...swapped, contentKey }))
    const unsigned = resign(blob => (blob[24 + 2] = (blob[24 + 2] ?? 0) ^ 1))
    await expectCode('ATTRIBUTE_SIGNATURE', () => openEntryWithKey(p, { ...unsigned, contentKey }))
    const tooMany = resign(blob => (blob[24] = 9))
    await expectCode('ATTRIBUTE_SHAPE', () => openEntryWithKey(p, { ...tooMany, contentKey }))
    const longer = resign(blob => (blob[24] = 8))
    await expectCode('ATTRIBUTE_TRUNCATED', () => openEntryWithKey(p, { ...longer, contentKey }))
  })

  it('has no attributes to open where it was sealed whole', async () => {
    const whole = sealEntry(p, random, { ...input, attributes: false })
    await expectCode('ATTRIBUTE_NONE', () => openAttribute(p, { ...whole, index: 0, key: new Uint8Array(32) }))
    await expectCode('ENTRY_BLOB', () =>
      openAttribute(p, { ...sealed, blob: whole.blob, index: 0, key: new Uint8Array(32) })
    )
  })

  describe('a disclosure', () => {
    itRefusesBadInput({
      area: 'DISCLOSURE',
      maxBytes: MAX_DISCLOSURE_BYTES,
      valid: () => encodeDisclosure(sealed.headerBytes, open('/code')),
      decode: bytes => openDisclosure(p, bytes),
      mutations: 1500
    })
  })
})

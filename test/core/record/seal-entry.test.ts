import { expect } from 'chai'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeEntry, signEntry } from '#core/record/entry.ts'
import { leafOf } from '#core/record/day-tree.ts'
import { compartmentTag, nextGeneration } from '#core/record/generation.ts'
import { openEntry, sealEntry, type EntryInput } from '#core/record/seal-entry.ts'
import { decodeSlot, encodeSlot, openSlot, sealSlot } from '#core/record/slot.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const DAY = 20_777
const CONTENT = {
  type: 'application/fhir+json',
  recordedAtMs: 1_795_000_000_000,
  body: utf8('{"resourceType":"Observation"}')
}

describe('a sealed entry', () => {
  const random = seededRandom('seal-entry')
  const generation = nextGeneration(random)
  const tag = compartmentTag(p, generation.key, 'vitals')
  const leafKey = leafOf(p, generation.key, DAY)
  let input: EntryInput

  before(async () => {
    const author = await keysOf(1)
    input = {
      network: NETWORK,
      patient: PATIENT,
      tag,
      generation: 1,
      day: DAY,
      leafKey,
      author,
      grant: null,
      content: CONTENT
    }
  })

  it('opens to what was sealed, with either implementation of the primitives', () => {
    const sealed = sealEntry(p, random, input)
    for (const primitives of [p, portablePrimitives]) {
      const opened = openEntry(primitives, { ...sealed, leafKey, tag, network: NETWORK, patient: PATIENT })
      expect(opened.content).to.deep.equal(CONTENT)
      expect(opened.cid.equals(sealed.cid)).to.equal(true)
    }
  })

  it('hides the length of small content', () => {
    const short = sealEntry(p, random, { ...input, content: { ...CONTENT, body: utf8('x') } })
    const longer = sealEntry(p, random, { ...input, content: { ...CONTENT, body: random(1000) } })
    expect(short.blob.length).to.equal(longer.blob.length)
  })

  it('carries content of several chunks', () => {
    const body = random(2_200_000)
    const sealed = sealEntry(p, random, { ...input, content: { ...CONTENT, body } })
    expect(equalBytes(openEntry(p, { ...sealed, leafKey, tag }).content.body, body)).to.equal(true)
  })

  it('keeps its id through revisions', () => {
    const first = sealEntry(p, random, input)
    const { header } = decodeEntry(first.headerBytes)
    const second = sealEntry(p, random, { ...input, entry: header.entry, revision: 2, parents: [first.cid] })
    const opened = openEntry(p, { ...second, leafKey, tag })
    expect(opened.header.entry).to.deep.equal(header.entry)
    expect(opened.header.parents.map(String)).to.deep.equal([String(first.cid)])
  })

  it('does not open with another day’s key', async () => {
    const sealed = sealEntry(p, random, input)
    await expectCode('SLOT_KEY', () => openEntry(p, { ...sealed, leafKey: leafOf(p, generation.key, DAY + 1), tag }))
  })

  it('does not open for another compartment, network or patient', async () => {
    const sealed = sealEntry(p, random, input)
    const otherTag = compartmentTag(p, generation.key, 'labs')
    await expectCode('ENTRY_TAG', () => openEntry(p, { ...sealed, leafKey, tag: otherTag }))
    await expectCode('ENTRY_NETWORK', () => openEntry(p, { ...sealed, leafKey, tag, network: new Uint8Array(32) }))
    await expectCode('ENTRY_PATIENT', () => openEntry(p, { ...sealed, leafKey, tag, patient: new Uint8Array(32) }))
  })

  it('does not open with another entry’s blob or slot', async () => {
    const sealed = sealEntry(p, random, input)
    const other = sealEntry(p, random, input)
    await expectCode('ENTRY_BLOB', () => openEntry(p, { ...sealed, blob: other.blob, leafKey, tag }))
    await expectCode('SLOT_ENTRY', () => openEntry(p, { ...sealed, slotBytes: other.slotBytes, leafKey, tag }))
  })

  it('does not open with a slot that someone else made, or that was altered', async () => {
    const sealed = sealEntry(p, random, input)
    const { signSeed, bundle } = await keysOf(2)
    const base = { network: NETWORK, patient: PATIENT, entryCid: sealed.cid, leafKey, contentKey: random(32) }
    const foreign = encodeSlot(sealSlot(p, random, { ...base, author: bundle.sign, signSeed }))
    await expectCode('SLOT_AUTHOR', () => openEntry(p, { ...sealed, slotBytes: foreign, leafKey, tag }))
    const altered = encodeSlot({ ...decodeSlot(sealed.slotBytes), nonce: new Uint8Array(12) })
    await expectCode('SLOT_SIGNATURE', () => openEntry(p, { ...sealed, slotBytes: altered, leafKey, tag }))
  })

  it('does not open where the content key is not the one its bytes commit to', async () => {
    const sealed = sealEntry(p, random, input)
    const { signSeed, bundle } = input.author
    const base = { network: NETWORK, patient: PATIENT, entryCid: sealed.cid, leafKey, contentKey: random(32) }
    const slotBytes = encodeSlot(sealSlot(p, random, { ...base, author: bundle.sign, signSeed }))
    await expectCode('SEALED_KEY', () => openEntry(p, { ...sealed, slotBytes, leafKey, tag }))
  })

  it('does not open with a header that its author did not sign', async () => {
    const sealed = sealEntry(p, random, input)
    const { header } = decodeEntry(sealed.headerBytes)
    const { signSeed } = await keysOf(2)
    const headerBytes = signEntry(p, header, signSeed)
    await expectCode('ENTRY_SIGNATURE', () => openEntry(p, { ...sealed, headerBytes, leafKey, tag }))
  })

  it('does not open when its ciphertext is put into another patient’s record, even by its own author', async () => {
    const sealed = sealEntry(p, random, input)
    const patient = new Uint8Array(32).fill(9)
    const { header } = decodeEntry(sealed.headerBytes)
    const { signSeed, bundle } = input.author
    const headerBytes = signEntry(p, { ...header, patient }, signSeed)
    const { cid } = decodeEntry(headerBytes)
    const contentKey = openSlot(p, decodeSlot(sealed.slotBytes), leafKey)
    const slot = sealSlot(p, random, {
      network: NETWORK,
      patient,
      entryCid: cid,
      leafKey,
      contentKey,
      author: bundle.sign,
      signSeed
    })
    await expectCode('SEALED_KEY', () =>
      openEntry(p, { headerBytes, slotBytes: encodeSlot(slot), blob: sealed.blob, leafKey, tag })
    )
  })

  it('refuses a blob with one more byte', async () => {
    const sealed = sealEntry(p, random, input)
    const blob = concat(sealed.blob, new Uint8Array(1))
    await expectCode('ENTRY_BLOB', () => openEntry(p, { ...sealed, blob, leafKey, tag }))
  })
})

import { expect } from 'chai'
import { cidOfCanonical } from '#core/record/cid.ts'
import { MAX_SLOT_BYTES, decodeSlot, encodeSlot, openSlot, sealSlot, verifySlot, type Slot } from '#core/record/slot.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

describe('a slot', () => {
  const random = seededRandom('slot')
  const entryCid = cidOfCanonical(Uint8Array.of(1))
  const leafKey = random(32)
  const contentKey = random(32)
  let slot: Slot

  before(async () => {
    const { signSeed, bundle } = await keysOf(1)
    const input = { network: NETWORK, patient: PATIENT, entryCid, leafKey, contentKey, author: bundle.sign, signSeed }
    slot = sealSlot(p, random, input)
  })

  it('gives the content key to whoever holds the leaf key', async () => {
    const decoded = decodeSlot(encodeSlot(slot), { network: NETWORK, patient: PATIENT, entryCid })
    expect(verifySlot(p, decoded)).to.equal(true)
    expect(openSlot(p, decoded, leafKey)).to.deep.equal(contentKey)
    await expectCode('SLOT_KEY', () => openSlot(p, decoded, random(32)))
  })

  it('does not open for another entry', async () => {
    const other = cidOfCanonical(Uint8Array.of(2))
    await expectCode('SLOT_KEY', () => openSlot(p, { ...slot, entryCid: other }, leafKey))
    await expectCode('SLOT_ENTRY', () => decodeSlot(encodeSlot(slot), { entryCid: other }))
  })

  it('does not verify when it was changed', () => {
    expect(verifySlot(p, { ...slot, wrapped: new Uint8Array(48) })).to.equal(false)
    expect(verifySlot(p, { ...slot, patient: new Uint8Array(32) })).to.equal(false)
  })

  itRefusesBadInput({
    area: 'SLOT',
    maxBytes: MAX_SLOT_BYTES,
    valid: () => encodeSlot(slot),
    decode: decodeSlot,
    elsewhere: decodeSlot,
    mutations: 15_000
  })
})

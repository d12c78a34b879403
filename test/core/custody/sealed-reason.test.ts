import { decode, encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import fc from 'fast-check'
import { hpkeSeal } from '#core/crypto/hpke.ts'
import {
  MAX_REASON_BYTES,
  MAX_SEALED_REASON_BYTES,
  checkReason,
  commitReason,
  openReason,
  sealReason,
  type SaltedReason
} from '#core/custody/sealed-reason.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { osRandom } from '#scripts/story/people.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

interface Sealed {
  v: number
  sealed: { suite: number; kemKey: Uint8Array; enc: Uint8Array; ct: Uint8Array }[]
}

describe('a sealed reason', () => {
  const salt = new Uint8Array(32).fill(9)
  const reason: SaltedReason = { salt, text: 'found unconscious' }
  const commitment = commitReason(reason)
  let patient: AgentKeys
  let reviewer: AgentKeys
  let stranger: AgentKeys
  let sealed: Uint8Array

  before(async () => {
    patient = await keysOf(1)
    reviewer = await keysOf(2, [1, 2])
    stranger = await keysOf(3)
    sealed = await sealReason(osRandom, reason, [patient.bundleBytes, reviewer.bundleBytes])
  })

  const changed = (change: (map: Sealed) => void): Uint8Array => {
    const map = decode<Sealed>(sealed)
    change(map)
    return encode(map)
  }
  const open = async (bytes: Uint8Array, keys = patient, of = commitment) => openReason(bytes, keys, of)

  it('is opened by the patient and by reviewers, in each suite, and by nobody else', async () => {
    expect(await open(sealed)).to.equal(reason.text)
    expect(await open(sealed, reviewer)).to.equal(reason.text)
    await expectCode('SEALED_REASON_RECIPIENT', async () => open(sealed, stranger))
  })

  it('opens to any text that is one, byte for byte', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }).filter(each => each.trim() !== '')
    await fc.assert(
      fc.asyncProperty(text, fc.uint8Array({ minLength: 32, maxLength: 32 }), async (said, grain) => {
        const own = { salt: grain, text: said.toWellFormed() }
        const bytes = await sealReason(osRandom, own, [patient.bundleBytes])
        expect(await open(bytes, patient, commitReason(own))).to.equal(own.text)
      }),
      { numRuns: 40 }
    )
  })

  it('has the same length whatever it says, and is never twice the same', async () => {
    const texts = ['x', reason.text, 'é'.repeat(512), 'y'.repeat(MAX_REASON_BYTES)]
    const all = await Promise.all(
      texts.map(async text => sealReason(osRandom, { salt, text }, [patient.bundleBytes, reviewer.bundleBytes]))
    )
    expect(new Set(all.map(({ length }) => length)).size).to.equal(1)
    const again = await sealReason(osRandom, reason, [patient.bundleBytes, reviewer.bundleBytes])
    expect(again).to.not.deep.equal(sealed)
  })

  it('is refused if it says nothing, too much, or is for nobody or for too many', async () => {
    for (const text of ['', ' \n', 'z'.repeat(MAX_REASON_BYTES + 1), 'é'.repeat(513)]) {
      await expectCode('REASON_LENGTH', () => checkReason(text))
      await expectCode('REASON_LENGTH', async () => sealReason(osRandom, { salt, text }, [patient.bundleBytes]))
    }
    const many = Array.from({ length: 5 }, () => patient.bundleBytes)
    for (const readers of [[], many]) {
      await expectCode('REASON_READERS', async () => sealReason(osRandom, reason, readers))
    }
  })

  it('is not taken for the reason of another emergency', async () => {
    const other = commitReason({ salt, text: 'curiosity' })
    await expectCode('HPKE_OPEN', async () => open(sealed, patient, other))
    // A responder who commits to one reason on the chain and seals another for the patient.
    const to = preferredKemKey(patient.bundle)
    const plaintext = new Uint8Array(32 + 2 + MAX_REASON_BYTES)
    plaintext.set(concat(salt, Uint8Array.of(0, 5), utf8('other')))
    const info = utf8('salus/sealed-reason/1')
    const { encapsulation, ciphertext } = await hpkeSeal(osRandom, to, { info, aad: commitment, plaintext })
    const [own] = decode<Sealed>(sealed).sealed
    const lie = encode({ v: 1, sealed: [{ ...own, suite: to.suite, enc: encapsulation, ct: ciphertext }] })
    await expectCode('SEALED_REASON_OTHER', async () => open(lie))
    // And one whose length points beyond its end.
    plaintext.set(Uint8Array.of(0xff, 0xff), 32)
    const long = await hpkeSeal(osRandom, to, { info, aad: commitment, plaintext })
    const beyond = encode({
      v: 1,
      sealed: [{ ...own, suite: to.suite, enc: long.encapsulation, ct: long.ciphertext }]
    })
    await expectCode('SEALED_REASON_OTHER', async () => open(beyond))
  })

  it('is refused in another shape', async () => {
    const refusals: [string, Uint8Array][] = [
      ['TRUNCATED', sealed.slice(0, -1)],
      ['OVERSIZE', new Uint8Array(MAX_SEALED_REASON_BYTES + 1)],
      ['TRAILING', concat(sealed, Uint8Array.of(0))],
      ['MALFORMED', Uint8Array.of(0xff)],
      ['VERSION', changed(map => (map.v = 2))],
      ['SHAPE', changed(map => (map.sealed[0]!.suite = 99))],
      ['SHAPE', changed(map => (map.sealed[0]!.kemKey = new Uint8Array(31)))],
      ['SHAPE', changed(map => (map.sealed[0]!.ct = new Uint8Array(40)))],
      ['SHAPE', changed(map => (map.sealed = Array.from({ length: 5 }, () => map.sealed[0]!)))],
      ['SHAPE', changed(map => Object.assign(map, { more: 1 }))]
    ]
    for (const [ending, bytes] of refusals) {
      await expectCode(`SEALED_REASON_${ending}`, async () => open(bytes))
    }
  })

  it('opens to nothing else, whichever bit is flipped', async () => {
    for (let bit = 0; bit < sealed.length * 8; bit += 61) {
      const bytes = sealed.slice()
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      try {
        // The part that is sealed to the reviewer says nothing to the patient.
        expect(await open(bytes)).to.equal(reason.text)
      } catch (error) {
        if (!isSalusError(error)) throw error
      }
    }
  })
})

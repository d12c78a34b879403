import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import {
  SUITE_IDS,
  SUITE_SIZES,
  deriveKemKeyPair,
  hpkeOpen,
  hpkeSeal,
  isSuiteId,
  type SuiteId
} from '#core/crypto/hpke.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'
import { seededRandom } from '#test/seeded-random.ts'

interface Rfc9180Vector {
  readonly mode: number
  readonly kem_id: number
  readonly kdf_id: number
  readonly aead_id: number
  readonly info: string
  readonly ikmR: string
  readonly ikmE: string
  readonly pkRm: string
  readonly skRm: string
  readonly enc: string
  readonly encryptions: readonly { aad: string; pt: string; ct: string }[]
}

interface XWingVector {
  readonly seed: string
  readonly eseed: string
  readonly pk: string
  readonly ct: string
}

const SUITE_OF_KEM: Readonly<Record<number, SuiteId>> = { 0x20: 2, 0x10: 3 }
const MESSAGE = { info: utf8('info'), aad: utf8('aad'), plaintext: utf8('plaintext') }

describe('HPKE', () => {
  for (const suite of SUITE_IDS) {
    it(`opens what it sealed, with sizes as stated, from injected randomness alone (suite ${String(suite)})`, async () => {
      const pair = await deriveKemKeyPair(suite, new Uint8Array(32).fill(suite))
      const sealed = await hpkeSeal(seededRandom('hpke'), pair, MESSAGE)
      expect(await hpkeSeal(seededRandom('hpke'), pair, MESSAGE)).to.deep.equal(sealed)
      expect(pair.publicKey.length).to.equal(SUITE_SIZES[suite].publicKeyBytes)
      expect(sealed.encapsulation.length).to.equal(SUITE_SIZES[suite].encapsulationBytes)
      expect(await hpkeOpen(pair, { ...MESSAGE, ...sealed })).to.deep.equal(MESSAGE.plaintext)
    })

    it(`refuses another key, other data and altered bytes (suite ${String(suite)})`, async () => {
      const pair = await deriveKemKeyPair(suite, new Uint8Array(32).fill(suite))
      const other = await deriveKemKeyPair(suite, new Uint8Array(32).fill(0x77))
      const sealed = { ...MESSAGE, ...(await hpkeSeal(seededRandom('hpke'), pair, MESSAGE)) }
      const flipped = sealed.encapsulation.slice()
      flipped[4] = (flipped[4] ?? 0) ^ 1
      await expectCode('HPKE_OPEN', () => hpkeOpen(other, sealed))
      await expectCode('HPKE_OPEN', () => hpkeOpen(pair, { ...sealed, aad: utf8('other') }))
      await expectCode('HPKE_OPEN', () => hpkeOpen(pair, { ...sealed, info: utf8('other') }))
      await expectCode('HPKE_OPEN', () => hpkeOpen(pair, { ...sealed, encapsulation: flipped }))
      await expectCode('HPKE_OPEN', () => hpkeOpen(pair, { ...sealed, ciphertext: new Uint8Array(3) }))
      await expectCode('HPKE_PUBLIC_KEY', () =>
        hpkeSeal(seededRandom('x'), { suite, publicKey: new Uint8Array(5) }, MESSAGE)
      )
    })
  }

  it('reproduces the RFC 9180 vectors of its suites', async function () {
    const path = referenceData(this, 'records/hpke/vectors_rfc9180_5f503c5.json.gz')
    const all = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Rfc9180Vector[]
    const ours = all.filter(
      each => each.mode === 0 && each.kdf_id === 1 && each.aead_id === 2 && each.kem_id in SUITE_OF_KEM
    )
    expect(ours.length).to.equal(2)
    for (const vector of ours) {
      const suite = SUITE_OF_KEM[vector.kem_id] ?? 2
      const pair = await deriveKemKeyPair(suite, fromHex(vector.ikmR))
      expect(toHex(pair.publicKey)).to.equal(`0x${vector.pkRm}`)
      expect(toHex(pair.secretKey)).to.equal(`0x${vector.skRm}`)
      const [first = { aad: '', pt: '', ct: '' }] = vector.encryptions
      const message = { info: fromHex(vector.info), aad: fromHex(first.aad), plaintext: fromHex(first.pt) }
      const sealed = await hpkeSeal(() => fromHex(vector.ikmE), pair, message)
      expect(toHex(sealed.encapsulation)).to.equal(`0x${vector.enc}`)
      expect(toHex(sealed.ciphertext)).to.equal(`0x${first.ct}`)
    }
  })

  it('encapsulates as the X-Wing draft’s vectors say', async function () {
    const path = referenceData(this, 'records/hpke/xwing-test-vectors.json')
    for (const vector of JSON.parse(readFileSync(path, 'utf8')) as XWingVector[]) {
      const sealed = await hpkeSeal(() => fromHex(vector.eseed), { suite: 1, publicKey: fromHex(vector.pk) }, MESSAGE)
      expect(toHex(sealed.encapsulation)).to.equal(`0x${vector.ct}`)
      const opened = await hpkeOpen({ suite: 1, secretKey: fromHex(vector.seed) }, { ...MESSAGE, ...sealed })
      expect(opened).to.deep.equal(MESSAGE.plaintext)
    }
  })

  it('knows its suites', () => {
    expect([0, 1, 2, 3, 4].map(isSuiteId)).to.deep.equal([false, true, true, true, false])
  })
})

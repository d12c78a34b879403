import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { expect } from 'chai'
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'
import { utf8 } from '#core/encoding/bytes.ts'
import { canonicalJson, parseJson } from '#core/fhir/json/parse.ts'
import { cardInCodes, cardsInFile, issuerOf, openHealthCard } from '#core/fhir/shl/health-card.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'

const NOW_S = 1_800_000_000
const ISSUER = 'https://issuer.example'
/** The key of the examples' issuer, as its page publishes it; its `kid` is its thumbprint. */
const EXAMPLE_KEY: JWK = {
  kty: 'EC',
  kid: '3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s',
  crv: 'P-256',
  x: '11XvRWy1I2S0EyJlyf_bWfw_TQ5CJJNLw78bHXNxcgw',
  y: 'eZXwxvO1hvCY0KucrPfKo7yAyMT6Ajc3N7OkAB6VYy8'
}

describe('SMART Health Cards', () => {
  let key: JWK
  let privateKey: CryptoKey
  const sign = async (
    payload: unknown,
    packed: Uint8Array = deflateRawSync(JSON.stringify(payload))
  ): Promise<string> =>
    new CompactSign(packed).setProtectedHeader({ alg: 'ES256', kid: 'k', zip: 'DEF' }).sign(privateKey)
  const card = (more: object = {}): unknown => ({
    iss: ISSUER,
    nbf: 1000,
    vc: {
      type: ['https://smarthealth.cards#health-card'],
      credentialSubject: { fhirBundle: { resourceType: 'Bundle' } }
    },
    ...more
  })

  before(async () => {
    const pair = await generateKeyPair('ES256')
    privateKey = pair.privateKey
    key = { ...(await exportJWK(pair.publicKey)), kid: 'k' }
  })

  it('opens the examples of the specification, from file and QR codes, to their bundles', async function () {
    const folder = referenceData(this, 'records/smart')
    expect(await calculateJwkThumbprint(EXAMPLE_KEY)).to.equal(EXAMPLE_KEY.kid)
    const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
    for (const example of ['00', '02', '03']) {
      const [jws = ''] = cardsInFile(utf8(await read(`example-${example}-e-file.smart-health-card`)))
      const codes = await Promise.all(
        (example === '02' ? [2, 0, 1] : [0]).map(i => read(`example-${example}-f-qr-code-numeric-value-${i}.txt`))
      )
      expect(cardInCodes(codes)).to.equal(jws)
      expect(issuerOf(jws)).to.equal('https://spec.smarthealth.cards/examples/issuer')
      const { bundle } = await openHealthCard(jws, [EXAMPLE_KEY], NOW_S)
      const payload = JSON.parse(await read(`example-${example}-b-jws-payload-expanded.json`)) as {
        vc: { credentialSubject: { fhirBundle: unknown } }
      }
      expect(canonicalJson(parseJson(bundle))).to.equal(canonicalJson(payload.vc.credentialSubject.fhirBundle))
    }
    // Another of the issuer's keys has signed this one.
    const [other = ''] = cardsInFile(utf8(await read('example-01-e-file.smart-health-card')))
    await expectCode('SHC_SIGNATURE', () => openHealthCard(other, [EXAMPLE_KEY], NOW_S))
  })

  it('opens what it is handed only if the issuer signed it', async () => {
    const jws = await sign(card())
    const opened = await openHealthCard(jws, [key], NOW_S)
    expect(opened).to.include({ issuer: ISSUER, notBeforeS: 1000 })
    expect(issuerOf(jws)).to.equal(ISSUER)
    await expectCode('SHC_SIGNATURE', () => openHealthCard(jws, [], NOW_S))
    await expectCode('SHC_SIGNATURE', () => openHealthCard(jws, [{ ...EXAMPLE_KEY, kid: 'k' }], NOW_S))
    const [head = '', body = '', signature = ''] = jws.split('.')
    const other = (await sign(card({ nbf: 2000 }))).split('.')[1] ?? ''
    await expectCode('SHC_SIGNATURE', () => openHealthCard([head, other, signature].join('.'), [key], NOW_S))
    const none = Buffer.from('{"alg":"none","kid":"k"}').toString('base64url')
    await expectCode('SHC_SIGNATURE', () => openHealthCard([none, body, signature].join('.'), [key], NOW_S))
    await expectCode('SHC_NOT_YET', async () => openHealthCard(await sign(card({ nbf: NOW_S + 1 })), [key], NOW_S))
  })

  it('refuses what is no card, and what unpacks without end', async () => {
    const cases: [string, unknown, Uint8Array?][] = [
      ['SHC_MALFORMED', card({ vc: {} })],
      ['SHC_MALFORMED', card({ nbf: 'now' })],
      ['SHC_MALFORMED', []],
      ['SHC_MALFORMED', null, Buffer.from('not packed')],
      ['SHC_MALFORMED', null, deflateRawSync(Buffer.alloc(50_000_000))],
      ['JSON_TRUNCATED', null, deflateRawSync('{')],
      ['JSON_KEY', null, deflateRawSync('{"__proto__":{}}')]
    ]
    for (const [code, payload, packed] of cases) {
      const jws = await (packed == null ? sign(payload) : sign(payload, packed))
      await expectCode(code, () => openHealthCard(jws, [key], NOW_S))
    }
    await expectCode('SHC_MALFORMED', () => openHealthCard('a.b', [key], NOW_S))
    await expectCode('SHC_MALFORMED', () => issuerOf('a.b.c'))
    await expectCode('SHC_MALFORMED', async () => issuerOf(await sign(card({ iss: 'file:///etc' }))))
    for (const file of ['[]', '{}', '{"verifiableCredential":[3]}', '{"verifiableCredential":["a b"]}']) {
      await expectCode('SHC_MALFORMED', () => cardsInFile(utf8(file)))
    }
    for (const codes of [[], ['shc:/'], ['shc:/123'], ['shc:/2/2/1234'], ['shc:/1/2/12', 'shc:/1/2/12'], ['x']]) {
      await expectCode('SHC_MALFORMED', () => cardInCodes(codes))
    }
  })
})

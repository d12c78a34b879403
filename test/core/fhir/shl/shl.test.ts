import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { CompactEncrypt } from 'jose'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openShlFile, sealShlFile } from '#core/fhir/shl/file.ts'
import { encodeLink, parseLink, type ShlLink } from '#core/fhir/shl/link.ts'
import { decodeShlManifest, encodeShlManifest, requestOf } from '#core/fhir/shl/manifest.ts'
import {
  claimLink,
  createServedLink,
  isLive,
  redeemTicket,
  revokeLink,
  type ServedLink
} from '#core/fhir/shl/served-link.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'
import { seededRandom } from '#test/seeded-random.ts'

const p = portablePrimitives
const random = seededRandom('shl')
const KEY = seededRandom('key')(32)
const URL = `https://agent.example/shl/${'a'.repeat(43)}`
const LINK: ShlLink = { url: URL, key: KEY, isLongTerm: false, needsPasscode: false, isDirect: false }
const payload = (value: unknown): string => `shlink:/${Buffer.from(JSON.stringify(value)).toString('base64url')}`
const GOOD = { url: URL, key: Buffer.from(KEY).toString('base64url') }

describe('SMART Health Links', () => {
  it('reads HL7’s own link and opens its file to the very bytes', async function () {
    const folder = referenceData(this, 'records/smart')
    const link = parseLink(await readFile(join(folder, 'IPS_IG-bundle-01-shl.txt'), 'utf8'))
    expect(link).to.include({
      isLongTerm: true,
      isDirect: true,
      needsPasscode: false,
      label: 'Demo SHL for IPS_IG-bundle-01'
    })
    const file = await openShlFile(link.key, await readFile(join(folder, 'IPS_IG-bundle-01-enc.txt')))
    expect(Buffer.from(file.bytes).equals(await readFile(join(folder, 'IPS_IG-bundle-01.json')))).to.equal(true)
    const again = await sealShlFile(random, link.key, file)
    expect(Buffer.from((await openShlFile(link.key, again)).bytes).equals(file.bytes)).to.equal(true)
    const plain = parseLink(encodeLink(link).slice(0))
    expect(plain).to.deep.equal(link)
  })

  it('reads every link that it writes', () => {
    const links = fc.record<ShlLink, 'key' | 'url' | 'isLongTerm' | 'needsPasscode' | 'isDirect'>(
      {
        url: fc.constant(URL),
        key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        expiresAtS: fc.integer({ min: 1 }),
        label: fc.string({ maxLength: 40, unit: 'grapheme-ascii' }),
        isLongTerm: fc.boolean(),
        needsPasscode: fc.constant(false),
        isDirect: fc.boolean()
      },
      { requiredKeys: ['url', 'key', 'isLongTerm', 'needsPasscode', 'isDirect'] }
    )
    fc.assert(
      fc.property(links, link => {
        expect(parseLink(encodeLink(link))).to.deep.equal(link)
        expect(parseLink(encodeLink(link, 'https://viewer.example/page'))).to.deep.equal(link)
      })
    )
  })

  it('refuses what is no link', async () => {
    const cases: [string, string][] = [
      ['SHL_MALFORMED', ''],
      ['SHL_MALFORMED', 'https://example.org'],
      ['SHL_MALFORMED', 'shlink:/'],
      ['SHL_MALFORMED', 'shlink:/***'],
      ['SHL_MALFORMED', `https://evil.example/?${payload(GOOD)}`],
      ['SHL_MALFORMED', `shlink:/${'A'.repeat(9000)}`],
      ['JSON_TRUNCATED', `shlink:/${Buffer.from('{').toString('base64url')}`],
      ['JSON_DUPLICATE_KEY', `shlink:/${Buffer.from('{"url":"a","url":"b"}').toString('base64url')}`],
      ['JSON_KEY', `shlink:/${Buffer.from('{"__proto__":{}}').toString('base64url')}`],
      ['SHL_SHAPE', payload([])],
      ['SHL_SHAPE', payload({})],
      ['SHL_SHAPE', payload({ ...GOOD, key: 'short' })],
      ['SHL_SHAPE', payload({ ...GOOD, url: 'file:///etc/passwd' })],
      ['SHL_SHAPE', payload({ ...GOOD, url: `https://a/${'x'.repeat(130)}` })],
      ['SHL_SHAPE', payload({ ...GOOD, flag: 'PU' })],
      ['SHL_SHAPE', payload({ ...GOOD, flag: 3 })],
      ['SHL_SHAPE', payload({ ...GOOD, exp: 'never' })],
      ['SHL_SHAPE', payload({ ...GOOD, exp: -1 })],
      ['SHL_SHAPE', payload({ ...GOOD, label: 'x'.repeat(81) })],
      ['SHL_VERSION', payload({ ...GOOD, v: 2 })]
    ]
    for (const [code, text] of cases) await expectCode(code, () => parseLink(text))
    await expectCode('SHL_SHAPE', () => encodeLink({ ...LINK, isDirect: true, needsPasscode: true }))
    expect(parseLink(payload({ ...GOOD, extra: { _grant: 1 } }))).to.deep.equal(LINK)
  })

  it('takes no file but one sealed directly under its key', async () => {
    const file = { contentType: 'application/fhir+json', bytes: utf8('{}') }
    const sealed = await sealShlFile(random, KEY, file)
    expect(await openShlFile(KEY, sealed)).to.deep.equal(file)
    await expectCode('SHL_FILE', () => openShlFile(seededRandom('other')(32), sealed))
    for (const at of [0, 40, sealed.length - 1]) {
      const bad = Uint8Array.from(sealed, (byte, i) => (i === at ? byte ^ 1 : byte))
      await expectCode('SHL_FILE', () => openShlFile(KEY, bad))
    }
    await expectCode('SHL_FILE', () => openShlFile(KEY, sealed.slice(0, -5)))
    await expectCode('SHL_FILE', () => openShlFile(KEY, Uint8Array.of(0xff)))
    const wrapped = await new CompactEncrypt(file.bytes)
      .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM' })
      .encrypt(KEY)
    await expectCode('SHL_FILE', () => openShlFile(KEY, utf8(wrapped)))
    const packed = new CompactEncrypt(new Uint8Array(40_000_000)).setProtectedHeader({
      alg: 'dir',
      enc: 'A256GCM',
      zip: 'DEF'
    })
    await expectCode('SHL_FILE', async () => openShlFile(KEY, utf8(await packed.encrypt(KEY))))
    const small = new CompactEncrypt(file.bytes).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })
    expect((await openShlFile(KEY, utf8(await small.encrypt(KEY)))).bytes).to.deep.equal(file.bytes)
  })

  it('asks for a manifest as the specification says', async () => {
    const asks = { recipient: 'Dr Ana & Co', embeddedLengthMax: 1000 }
    const { method, url, body } = requestOf({ ...LINK, needsPasscode: true }, { ...asks, passcode: '1234' }, 0)
    expect([method, url, JSON.parse(Buffer.from(body!).toString())]).to.deep.equal([
      'POST',
      URL,
      { ...asks, passcode: '1234' }
    ])
    expect(requestOf({ ...LINK, isDirect: true }, asks, 0)).to.deep.equal({
      method: 'GET',
      url: `${URL}?recipient=Dr%20Ana%20%26%20Co`,
      body: undefined
    })
    await expectCode('SHL_PASSCODE_NEEDED', () => requestOf({ ...LINK, needsPasscode: true }, asks, 0))
    await expectCode('SHL_EXPIRED', () => requestOf({ ...LINK, expiresAtS: 100 }, asks, 100))
    const manifest = {
      status: 'finalized' as const,
      files: [
        { contentType: 'application/fhir+json', embedded: 'x' },
        { contentType: 'application/fhir+json', location: 'https://a.example/b' }
      ]
    }
    expect(decodeShlManifest(encodeShlManifest(manifest))).to.deep.equal(manifest)
    for (const bad of ['[]', '{}', '{"files":[{}]}', '{"files":[{"contentType":"a","location":"file:///x"}]}']) {
      await expectCode('SHL_MANIFEST', () => decodeShlManifest(utf8(bad)))
    }
  })
})

describe('a SMART Health Link that is served', () => {
  const make = (more: object = {}): ServedLink =>
    createServedLink(p, random, { expiresAtS: 1000, fileCount: 2, ...more })
  const ask = (link: ServedLink, passcode?: string, nowS = 10): ReturnType<typeof claimLink> =>
    claimLink(p, random, link, { recipient: 'Ana', nowS, ...(passcode == null ? {} : { passcode }) })

  it('opens once, and says to whom', () => {
    const first = ask(make())
    expect(first.outcome.kind).to.equal('opened')
    expect(first.link.claims).to.deep.equal([{ atS: 10, recipient: 'Ana' }])
    expect(ask(first.link).outcome).to.deep.equal({ kind: 'gone' })
    const often = ask(ask(make({ claims: null })).link)
    expect(often.outcome.kind).to.equal('opened')
    expect(often.link.claims).to.have.length(2)
  })

  it('counts wrong passcodes over its whole life', () => {
    let link = make({ passcode: 'sésame', attempts: 3, claims: null })
    expect(JSON.stringify(link)).not.to.contain('same')
    const opened = ask(link, 'se\u0301same')
    expect(opened.outcome.kind).to.equal('opened')
    link = opened.link
    for (const remainingAttempts of [2, 1, 0]) {
      const wrong = ask(link, remainingAttempts === 1 ? undefined : 'wrong')
      expect(wrong.outcome).to.deep.equal({ kind: 'wrong passcode', remainingAttempts })
      link = wrong.link
    }
    expect(ask(link, 'sésame').outcome).to.deep.equal({ kind: 'gone' })
  })

  it('ends, and can be ended', () => {
    expect(ask(make(), undefined, 999).outcome.kind).to.equal('opened')
    expect(ask(make(), undefined, 1000).outcome.kind).to.equal('gone')
    const { link, outcome } = ask(make())
    const [secret = new Uint8Array()] = outcome.kind === 'opened' ? outcome.secrets : []
    expect(redeemTicket(p, revokeLink(link), secret, 11)).to.equal(undefined)
    expect(isLive(revokeLink(make()), 0)).to.equal(false)
  })

  it('gives each file once, within its time, to the one who claimed', () => {
    const { link, outcome } = ask(make({ expiresAtS: 100 }), undefined, 99)
    const secrets = outcome.kind === 'opened' ? outcome.secrets : []
    const redeemed = redeemTicket(p, link, secrets[1]!, 400)
    expect(redeemed?.file).to.equal(1)
    expect(redeemTicket(p, redeemed!.link, secrets[1]!, 400)).to.equal(undefined)
    expect(redeemTicket(p, redeemed!.link, secrets[0]!, 400)?.file).to.equal(0)
    expect(redeemTicket(p, link, secrets[0]!, 99 + 600)).to.equal(undefined)
    expect(redeemTicket(p, link, new Uint8Array(32), 100)).to.equal(undefined)
    expect(JSON.stringify(link)).not.to.contain(Buffer.from(secrets[0]!).toString('hex'))
  })

  it('never opens more often than allowed, in whatever order it is asked', async () => {
    const request = fc.record({
      passcode: fc.constantFrom('1234', '0000', undefined),
      nowS: fc.integer({ min: 0, max: 1200 })
    })
    fc.assert(
      fc.property(fc.array(request, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), (requests, claims) => {
        let link = make({ passcode: '1234', claims, attempts: 5 })
        let opened = 0
        let wrong = 0
        for (const { passcode, nowS } of requests) {
          const answer = ask(link, passcode, nowS)
          link = answer.link
          if (answer.outcome.kind === 'opened') opened++
          if (answer.outcome.kind === 'wrong passcode') wrong++
        }
        expect(opened).to.be.at.most(claims)
        expect(wrong).to.be.at.most(5)
      })
    )
    await expectCode('SHL_PASSCODE_SHAPE', () => make({ passcode: '123' }))
  })
})

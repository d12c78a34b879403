import { expect } from 'chai'
import fc from 'fast-check'
import { Wallet } from 'ethers'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import { checkNumber, expectCheckNumber, readCodeText, toCodeParts, toCodeText } from '#core/agent/code-text.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { MAX_ANSWER_CODE_BYTES, openAnswerCode, signAnswerCode, type AnswerCode } from '#core/grant/answer-code.ts'
import { MAX_REQUEST_CODE_BYTES, openRequestCode, signRequestCode, type RequestCode } from '#core/grant/request-code.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}
const NETWORK = networkIdOf(TARGET.chainId, TARGET.contracts.AccessGrants.address)
const NOW_S = 1_795_000_000
const WALLET = new Wallet(`0x${'22'.repeat(32)}`)

describe('a request code', () => {
  let keys: AgentKeys
  let request: RequestCode
  let bytes: Uint8Array
  const open = (code: Uint8Array, nowS = NOW_S): RequestCode => openRequestCode(p, code, { target: TARGET, nowS })

  before(async () => {
    keys = await keysOf(2)
    const evidence = await granteeEvidence(keys, {
      target: TARGET,
      notAfterS: NOW_S + 86_400,
      signTypedData: (...data) => WALLET.signTypedData(...data)
    })
    request = {
      network: NETWORK,
      address: fromHex(WALLET.address, 20),
      evidence,
      name: 'Dr. Ada Example',
      compartments: ['vitals', 'documents'],
      rights: 5,
      uses: 255,
      durationS: 86_400,
      purpose: 'treatment',
      issuedAtS: NOW_S,
      notAfterS: NOW_S + 600,
      nonce: new Uint8Array(16).fill(9)
    }
    bytes = signRequestCode(p, request, keys.signSeed)
  })

  it('reads back with the bundle that the address has signed', () => {
    expect(open(bytes)).to.deep.equal({ ...request, bundle: keys.bundleBytes })
  })

  it('is void once it has expired, and before it was made', async () => {
    await expectCode('REQUEST_CODE_EXPIRED', () => open(bytes, NOW_S + 600))
    await expectCode('REQUEST_CODE_EARLY', () => open(bytes, NOW_S - 600))
    const long = signRequestCode(p, { ...request, notAfterS: NOW_S + 30 * 86_400 }, keys.signSeed)
    await expectCode('REQUEST_CODE_EXPIRED', () => open(long))
  })

  it('is refused where a part of it was swapped', async () => {
    const stranger = await keysOf(3)
    const address = new Uint8Array(20).fill(1)
    const theirs = await granteeEvidence(stranger, {
      target: TARGET,
      notAfterS: NOW_S + 86_400,
      signTypedData: (...data) => new Wallet(`0x${'33'.repeat(32)}`).signTypedData(...data)
    })
    await expectCode('BINDING_ADDRESS', () => open(signRequestCode(p, { ...request, address }, keys.signSeed)))
    await expectCode('REQUEST_CODE_SIGNATURE', () =>
      open(signRequestCode(p, { ...request, evidence: theirs }, keys.signSeed))
    )
    await expectCode('BINDING_ADDRESS', () =>
      open(signRequestCode(p, { ...request, evidence: theirs }, stranger.signSeed))
    )
    await expectCode('REQUEST_CODE_NETWORK', () =>
      open(signRequestCode(p, { ...request, network: PATIENT }, keys.signSeed))
    )
  })

  it('shows a check number that another code does not have', async () => {
    expect(checkNumber(p, bytes)).to.match(/^\d{4}-\d{4}-\d{4}$/)
    expectCheckNumber(p, bytes, checkNumber(p, bytes).replaceAll('-', ' '))
    const other = signRequestCode(p, { ...request, nonce: new Uint8Array(16) }, keys.signSeed)
    await expectCode('CODE_SWAPPED', () => expectCheckNumber(p, other, checkNumber(p, bytes)))
  })

  itRefusesBadInput({
    area: 'REQUEST_CODE',
    maxBytes: MAX_REQUEST_CODE_BYTES,
    valid: () => bytes,
    decode: code => open(code),
    mutations: 4_000
  })
})

describe('an answer code', () => {
  let keys: AgentKeys
  let answer: AnswerCode
  let bytes: Uint8Array
  const digest = new Uint8Array(32).fill(7)
  const open = (code: Uint8Array, change: Partial<Parameters<typeof openAnswerCode>[2]> = {}): AnswerCode =>
    openAnswerCode(p, code, { network: NETWORK, nowS: NOW_S, open: [digest], answered: [], ...change })

  before(async () => {
    keys = await keysOf(1)
    const author = keys.bundle.sign
    const grantId = new Uint8Array(32).fill(5)
    answer = { network: NETWORK, patient: PATIENT, grantId, request: digest, author, notAfterS: NOW_S + 600 }
    bytes = signAnswerCode(p, answer, keys.signSeed)
  })

  it('reads back where it answers an open request', () => {
    expect(open(bytes)).to.deep.equal(answer)
  })

  it('is refused where it answers somebody else, was taken, has expired or was altered', async () => {
    await expectCode('ANSWER_CODE_SWAPPED', () => open(bytes, { open: [] }))
    await expectCode('ANSWER_CODE_REPLAYED', () => open(bytes, { open: [], answered: [digest] }))
    await expectCode('ANSWER_CODE_EXPIRED', () => open(bytes, { nowS: NOW_S + 600 }))
    const stranger = await keysOf(2)
    await expectCode('ANSWER_CODE_SIGNATURE', () => open(signAnswerCode(p, answer, stranger.signSeed)))
    await expectCode('ANSWER_CODE_NETWORK', () => open(bytes, { network: PATIENT }))
  })

  it('names custodians where they give the keys, by addresses and nothing else', async () => {
    const custodians = ['https://custodian.example:8787', 'http://127.0.0.1:8787']
    const named = signAnswerCode(p, { ...answer, custodians }, keys.signSeed)
    expect(open(named)).to.deep.equal({ ...answer, custodians })
    for (const wrong of ['file:///etc/passwd', 'http://with space', `http://${'a'.repeat(200)}`, '']) {
      const bad = signAnswerCode(p, { ...answer, custodians: [wrong] }, keys.signSeed)
      await expectCode('ANSWER_CODE_SHAPE', () => open(bad))
    }
    const many = signAnswerCode(p, { ...answer, custodians: Array<string>(17).fill('http://a') }, keys.signSeed)
    await expectCode('ANSWER_CODE_SHAPE', () => open(many))
  })

  itRefusesBadInput({
    area: 'ANSWER_CODE',
    maxBytes: MAX_ANSWER_CODE_BYTES,
    valid: () => bytes,
    decode: code => open(code),
    mutations: 4_000
  })
})

describe('the text of a code', () => {
  const bytes = Uint8Array.from({ length: 1_700 }, (_, i) => (i * 31) % 256)

  it('reads back as a line, and from parts in any order and in small letters', () => {
    expect(readCodeText(p, 'REQUEST', toCodeText(p, 'REQUEST', bytes))).to.deep.equal(bytes)
    const parts = toCodeParts(p, 'REQUEST', bytes)
    expect(parts.length).to.be.greaterThan(2)
    expect(parts.every(part => /^[A-Z0-9:/]+$/.test(part))).to.equal(true)
    expect(readCodeText(p, 'REQUEST', parts.toReversed().join('\n').toLowerCase())).to.deep.equal(bytes)
  })

  it('is refused where parts are missing, mixed, damaged or of another kind', async () => {
    const [first = '', ...rest] = toCodeParts(p, 'REQUEST', bytes)
    const other = toCodeParts(p, 'REQUEST', bytes.toReversed())
    await expectCode('CODE_TEXT_PARTS', () => readCodeText(p, 'REQUEST', first))
    await expectCode('CODE_TEXT_PARTS', () => readCodeText(p, 'REQUEST', [...other.slice(0, 1), ...rest].join(' ')))
    await expectCode('CODE_TEXT_KIND', () => readCodeText(p, 'ANSWER', toCodeText(p, 'REQUEST', bytes)))
    const damaged = toCodeText(p, 'REQUEST', bytes).replace(/A(?=[^A]*$)/, 'B')
    for (const text of [damaged, '', 'SALUS:', 'x'.repeat(50_000), 'https://example.org']) {
      await expectCode('CODE_TEXT_MALFORMED', () => readCodeText(p, 'REQUEST', text))
    }
  })

  it('holds any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), some => {
        expect(readCodeText(p, 'ANSWER', toCodeParts(p, 'ANSWER', some).join(' '))).to.deep.equal(some)
      }),
      { numRuns: 50 }
    )
  })
})

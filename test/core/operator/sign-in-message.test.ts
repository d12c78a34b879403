import { expect } from 'chai'
import fc from 'fast-check'
import { readSignIn, writeSignIn, type SignIn } from '#core/operator/sign-in-message.ts'
import { expectCode } from '#test/error-code.ts'

const example: SignIn = {
  domain: 'node.example.org',
  address: '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2',
  statement: 'Operate this Salus node. Signing costs nothing and moves nothing.',
  uri: 'https://node.example.org',
  chainId: 1,
  nonce: '32891756abcdef00',
  issuedAtS: 1_632_999_925,
  expiresAtS: 1_633_000_225,
  resources: ['urn:salus:peer:12D3KooW', 'urn:salus:scope:status:read']
}

const TEXT = `node.example.org wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

Operate this Salus node. Signing costs nothing and moves nothing.

URI: https://node.example.org
Version: 1
Chain ID: 1
Nonce: 32891756abcdef00
Issued At: 2021-09-30T11:05:25Z
Expiration Time: 2021-09-30T11:10:25Z
Resources:
- urn:salus:peer:12D3KooW
- urn:salus:scope:status:read`

describe('the text of a sign-in', () => {
  it('is that of EIP-4361, field by field', () => {
    expect(writeSignIn(example)).to.equal(TEXT)
    expect(readSignIn(TEXT)).to.deep.equal(example)
  })

  it('is read back as it was written', () => {
    const word = fc.stringMatching(/^[!-~]{1,40}$/)
    const arbitrary = fc.record({
      domain: fc.domain(),
      address: fc.stringMatching(/^0x[0-9a-fA-F]{40}$/),
      statement: fc.stringMatching(/^[ -~]{1,60}$/),
      uri: word,
      chainId: fc.integer({ min: 1, max: 2 ** 31 }),
      nonce: fc.stringMatching(/^[a-zA-Z0-9]{8,64}$/),
      issuedAtS: fc.integer({ min: 0, max: 4e9 }),
      expiresAtS: fc.integer({ min: 0, max: 4e9 }),
      resources: fc.array(word, { minLength: 1, maxLength: 8 })
    })
    fc.assert(
      fc.property(arbitrary, signIn => {
        expect(readSignIn(writeSignIn(signIn))).to.deep.equal(signIn)
      })
    )
  })

  it('has one form only', async () => {
    for (const other of [
      TEXT.replace('05:25Z', '05:25.000Z'),
      TEXT.replace('05:25Z', '05:25+00:00'),
      TEXT.replace('Chain ID: 1', 'Chain ID: 01'),
      TEXT.replace('Version: 1', 'Version: 2'),
      TEXT.replace('node.example.org wants', 'user@node.example.org wants'),
      TEXT.replace('\nURI', '\r\nURI'),
      TEXT.replace('Resources:\n', 'Request ID: 1\nResources:\n'),
      `${TEXT}\n`,
      `${TEXT}\nURI: https://elsewhere.example.org`,
      `https://${TEXT}`,
      TEXT.replace('2021-09-30T11:10', '2021-99-30T11:10'),
      'a'.repeat(1 << 20),
      ''
    ]) {
      await expectCode('SIGN_IN_FORM', () => readSignIn(other))
    }
  })
})

import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import {
  decodeMessage,
  encodeMessage,
  MAX_INLINE_BLOB_BYTES,
  MAX_MESSAGE_BYTES,
  messageKey,
  type Message
} from '#core/network/envelope.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

interface Vectors {
  network: string
  valid: { name: string; message: Record<string, string | null>; bytes: string; key: string }[]
  invalid: { code: string; bytes: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/message.json', import.meta.url), 'utf8')
) as unknown as Vectors
const network = fromHex(vectors.network, 32)

function messageOf(fields: Record<string, string | null>): Message {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    value?.startsWith('0x') ? fromHex(value) : value
  ])
  return Object.fromEntries(entries) as Message
}

describe('message envelope', () => {
  for (const { name, message, bytes, key } of vectors.valid) {
    it(`encodes and reads the vector "${name}"`, () => {
      expect(toHex(encodeMessage(messageOf(message)))).to.equal(bytes)
      const read = decodeMessage(fromHex(bytes), network)
      expect(read).to.deep.equal(messageOf(message))
      expect(messageKey(read)).to.equal(key)
    })
  }

  for (const [i, { code, bytes }] of vectors.invalid.entries()) {
    it(`refuses invalid vector ${String(i + 1)} with ${code}`, async () => {
      await expectCode(code, () => decodeMessage(fromHex(bytes), network))
    })
  }

  it('reads what it encoded', () => {
    const part = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: 1, maxLength })
    const blob = fc.option(part(MAX_INLINE_BLOB_BYTES))
    const entry = fc.record({ header: part(2048), slot: part(512), evidence: part(4096), blob })
    fc.assert(
      fc.property(entry, parts => {
        const message: Message = { kind: 'entry', network, ...parts }
        const bytes = encodeMessage(message)
        expect(bytes.length).to.be.at.most(MAX_MESSAGE_BYTES)
        expect(decodeMessage(bytes, network)).to.deep.equal(message)
      }),
      { numRuns: 50 }
    )
  })

  it('refuses more than 60 KiB unseen, and a blob above 32 KiB', async () => {
    await expectCode('MESSAGE_OVERSIZE', () => decodeMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1), network))
    const part = new Uint8Array(1)
    const blob = new Uint8Array(MAX_INLINE_BLOB_BYTES + 1)
    await expectCode('MESSAGE_SHAPE', () =>
      encodeMessage({ kind: 'entry', network, header: part, slot: part, evidence: part, blob })
    )
  })

  it('tells messages apart by what is signed, not by what lies beside it', () => {
    const [withBlob, without, capsule] = vectors.valid.map(({ message }) => messageKey(messageOf(message)))
    expect(withBlob).to.equal(without)
    expect(withBlob).not.to.equal(capsule)
  })

  it('ends with a code whatever 100,000 mutations make of it', async function () {
    this.timeout(60_000)
    const count = 25_000
    const codes = new Set<string>()
    for (const { name, bytes } of vectors.valid) {
      const { refused } = await survivesMutations(fromHex(bytes), { seed: name, count }, mutated =>
        decodeMessage(mutated, network)
      )
      for (const code of Object.keys(refused)) codes.add(code)
    }
    expect([...codes].filter(code => !code.startsWith('MESSAGE_'))).to.deep.equal([])
    expect([...codes]).to.include.members(['MESSAGE_TRUNCATED', 'MESSAGE_TRAILING', 'MESSAGE_SHAPE', 'MESSAGE_NETWORK'])
  })
})

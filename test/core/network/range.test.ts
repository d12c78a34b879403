import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { concat, fromHex, toHex } from '#core/encoding/bytes.ts'
import {
  blockHeader,
  createBlockReader,
  decodeRangeRequest,
  encodeRangeRequest,
  frameRangeRequest,
  MAX_BLOCK_BYTES
} from '#core/network/range.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

interface Vectors {
  requests: { digests: string[]; bytes: string; frame: string }[]
  invalidRequests: { code: string; bytes: string }[]
  answers: { blocks: (string | null)[]; bytes: string }[]
}

const vectors = JSON.parse(readFileSync(new URL('../../vectors/range.json', import.meta.url), 'utf8')) as Vectors

/** An answer as it goes out. */
function answerOf(blocks: readonly (Uint8Array | undefined)[]): Uint8Array {
  return concat(...blocks.flatMap(block => [blockHeader(block?.length), block ?? new Uint8Array()]))
}

describe('range protocol', () => {
  it('encodes and reads the vectors', () => {
    for (const { digests, bytes, frame } of vectors.requests) {
      const read = digests.map(digest => fromHex(digest))
      expect(toHex(encodeRangeRequest(read))).to.equal(bytes)
      expect(toHex(frameRangeRequest(read))).to.equal(frame)
      expect(decodeRangeRequest(fromHex(bytes)).map(toHex)).to.deep.equal(digests)
    }
    for (const { blocks, bytes } of vectors.answers) {
      const there = blocks.map(block => (block == null ? undefined : fromHex(block)))
      expect(toHex(answerOf(there))).to.equal(bytes)
      expect(createBlockReader().push(fromHex(bytes))).to.deep.equal(there)
    }
  })

  it('refuses the invalid vectors with their codes', async () => {
    for (const { code, bytes } of vectors.invalidRequests) {
      await expectCode(code, () => decodeRangeRequest(fromHex(bytes)))
    }
  })

  it('ends with a code whatever mutations make of a request', async () => {
    for (const { bytes } of vectors.requests) {
      await survivesMutations(fromHex(bytes), { seed: 'range request', count: 5000 }, decodeRangeRequest)
    }
  })

  it('reads the same blocks whatever pieces they come in', () => {
    const block = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined })
    fc.assert(
      fc.property(fc.array(block, { maxLength: 10 }), fc.array(fc.integer({ min: 1, max: 30 })), (blocks, cuts) => {
        const bytes = answerOf(blocks)
        const reader = createBlockReader()
        const read: (Uint8Array | undefined)[] = []
        let at = 0
        for (const cut of cuts) {
          read.push(...reader.push(bytes.subarray(at, at + cut)))
          at += cut
        }
        read.push(...reader.push(bytes.subarray(at)))
        expect(read).to.deep.equal(blocks)
        expect(reader.pendingBytes()).to.equal(0)
      })
    )
  })

  it('refuses a block above 2 MiB before any of it came', async () => {
    expect(createBlockReader().push(blockHeader(MAX_BLOCK_BYTES))).to.deep.equal([])
    await expectCode('RANGE_OVERSIZE', () => createBlockReader().push(blockHeader(MAX_BLOCK_BYTES + 1)))
  })
})

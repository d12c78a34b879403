import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeHaveAnswer, decodeHaveRequest, encodeHaveAnswer, encodeHaveRequest } from '#core/network/have.ts'
import { decodeSubmitAnswer, encodeSubmitAnswer } from '#core/network/submit.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

interface Invalid {
  code: string
  bytes: string
}
interface SubmitVectors {
  answers: { code: string | null; bytes: string }[]
  invalidAnswers: Invalid[]
}
interface HaveVectors {
  requests: { cids: string[]; bytes: string }[]
  answers: { have: boolean[]; bytes: string }[]
  invalidRequests: Invalid[]
  invalidAnswers: (Invalid & { count: number })[]
}

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'))
}

const MUTATIONS = 5000

describe('submit protocol', () => {
  const vectors = load('submit') as SubmitVectors

  it('encodes and reads the vectors, and refuses the invalid ones with their codes', async () => {
    for (const { code, bytes } of vectors.answers) {
      expect(toHex(encodeSubmitAnswer({ code }))).to.equal(bytes)
      expect(decodeSubmitAnswer(fromHex(bytes))).to.deep.equal({ code })
    }
    for (const { code, bytes } of vectors.invalidAnswers) {
      await expectCode(code, () => decodeSubmitAnswer(fromHex(bytes)))
    }
  })

  it('ends with a code whatever mutations make of it', async () => {
    for (const { bytes } of vectors.answers) {
      await survivesMutations(fromHex(bytes), { seed: 'submit', count: MUTATIONS }, decodeSubmitAnswer)
    }
  })
})

describe('have protocol', () => {
  const vectors = load('have') as HaveVectors

  it('encodes and reads the vectors, and refuses the invalid ones with their codes', async () => {
    for (const { cids, bytes } of vectors.requests) {
      expect(toHex(encodeHaveRequest(cids.map(cid => CID.parse(cid))))).to.equal(bytes)
      expect(decodeHaveRequest(fromHex(bytes)).map(cid => cid.toString())).to.deep.equal(cids)
    }
    for (const { have, bytes } of vectors.answers) {
      expect(toHex(encodeHaveAnswer(have))).to.equal(bytes)
      expect(decodeHaveAnswer(fromHex(bytes), have.length)).to.deep.equal(have)
    }
    for (const { code, bytes } of vectors.invalidRequests) {
      await expectCode(code, () => decodeHaveRequest(fromHex(bytes)))
    }
    for (const { code, count, bytes } of vectors.invalidAnswers) {
      await expectCode(code, () => decodeHaveAnswer(fromHex(bytes), count))
    }
  })

  it('ends with a code whatever mutations make of it', async () => {
    for (const { bytes } of vectors.requests) {
      await survivesMutations(fromHex(bytes), { seed: 'have', count: MUTATIONS }, decodeHaveRequest)
    }
    for (const { have, bytes } of vectors.answers) {
      const read = (mutated: Uint8Array): unknown => decodeHaveAnswer(mutated, have.length)
      await survivesMutations(fromHex(bytes), { seed: 'have answer', count: MUTATIONS }, read)
    }
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { decode, encode } from '@ipld/dag-cbor'
import {
  MAX_BLIND_CALL_BYTES,
  decodeBlindAnswer,
  decodeBlindQuery,
  decodeBlindUpload,
  encodeBlindAnswer,
  encodeBlindQuery,
  encodeBlindUpload
} from '#core/search/blind-call.ts'
import { BLIND_TAG_BYTES } from '#core/search/blind-list.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { expectCode } from '#test/error-code.ts'

const authorization = new Uint8Array(200).fill(1)
const list = new Uint8Array(300).fill(2)
const tag = new Uint8Array(16).fill(3)
const blindTag = new Uint8Array(BLIND_TAG_BYTES).fill(4)
const bytes = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max })
const changed = (valid: Uint8Array, fields: Record<string, unknown>): Uint8Array =>
  encode({ ...decode<Record<string, unknown>>(valid), ...fields })

describe('calls of the blind index', () => {
  describe('an upload', () => {
    const valid = (): Uint8Array => encodeBlindUpload({ authorization, lists: [list] })

    it('is read as it was written', () => {
      const upload = fc.record({
        authorization: bytes(1, 64),
        lists: fc.array(bytes(1, 64), { minLength: 1, maxLength: 64 })
      })
      fc.assert(
        fc.property(upload, written => {
          expect(decodeBlindUpload(encodeBlindUpload(written))).to.deep.equal(written)
        })
      )
    })

    it('holds at least one list, and at most 64', async () => {
      for (const lists of [[], Array.from({ length: 65 }, () => list), [new Uint8Array()]]) {
        await expectCode('BLIND_CALL_SHAPE', () => decodeBlindUpload(changed(valid(), { lists })))
      }
    })

    itRefusesBadInput({ area: 'BLIND_CALL', maxBytes: MAX_BLIND_CALL_BYTES, valid, decode: decodeBlindUpload })
  })

  describe('a search', () => {
    const valid = (): Uint8Array => encodeBlindQuery({ authorization, tag, generation: 3, blindTags: [blindTag] })

    it('is read as it was written', () => {
      const query = fc.record({
        ...{ authorization: bytes(1, 64), tag: bytes(16), generation: fc.integer({ min: 0, max: 0xffff_ffff }) },
        blindTags: fc.array(bytes(BLIND_TAG_BYTES), { minLength: 1, maxLength: 64 })
      })
      fc.assert(
        fc.property(query, written => {
          expect(decodeBlindQuery(encodeBlindQuery(written))).to.deep.equal(written)
        })
      )
    })

    it('names one to 64 lists by whole tags', async () => {
      for (const blindTags of [[], Array.from({ length: 65 }, () => blindTag), [blindTag.slice(1)]]) {
        await expectCode('BLIND_CALL_SHAPE', () => decodeBlindQuery(changed(valid(), { blindTags })))
      }
      for (const fields of [{ tag: tag.slice(1) }, { generation: 2 ** 32 }, { authorization: new Uint8Array() }]) {
        await expectCode('BLIND_CALL_SHAPE', () => decodeBlindQuery(changed(valid(), fields)))
      }
    })

    itRefusesBadInput({ area: 'BLIND_CALL', maxBytes: MAX_BLIND_CALL_BYTES, valid, decode: decodeBlindQuery })
  })

  describe('an answer', () => {
    const valid = (): Uint8Array => encodeBlindAnswer([list, null])

    it('is read as it was written, with gaps', () => {
      fc.assert(
        fc.property(fc.array(fc.option(bytes(1, 64)), { maxLength: 64 }), written => {
          expect(decodeBlindAnswer(encodeBlindAnswer(written))).to.deep.equal(written)
        })
      )
    })

    it('holds at most 64 lists', async () => {
      const lists = Array.from({ length: 65 }, () => null)
      await expectCode('BLIND_CALL_SHAPE', () => decodeBlindAnswer(changed(valid(), { lists })))
    })

    itRefusesBadInput({ area: 'BLIND_CALL', maxBytes: MAX_BLIND_CALL_BYTES, valid, decode: decodeBlindAnswer })
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { concat } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { isSalusError } from '#core/error.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

const LIMITS = { area: 'X', maxBytes: 1_000_000 }
const read = (...bytes: number[]): unknown => decodeCanonical(Uint8Array.from(bytes), LIMITS)

describe('canonical dag-cbor', () => {
  it('gives back any value of the data model', () => {
    const { tree } = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.string(),
        fc.uint8Array(),
        tie('list'),
        tie('map')
      ),
      list: fc.array(tie('tree'), { maxLength: 5 }),
      map: fc.dictionary(fc.string(), tie('tree'), { maxKeys: 5, noNullPrototype: true })
    }))
    fc.assert(
      fc.property(tree, value => {
        expect(decodeCanonical(encodeCanonical(value), LIMITS)).to.deep.equal(value)
      })
    )
  })

  it('gives a map the same bytes whatever the order of its keys', () => {
    expect(encodeCanonical({ b: 1, aa: 2, a: 3 })).to.deep.equal(encodeCanonical({ a: 3, aa: 2, b: 1 }))
  })

  it('keeps content identifiers', () => {
    const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
    const back = decodeCanonical(encodeCanonical({ cid }), LIMITS) as { cid: unknown }
    expect(String(back.cid)).to.equal(String(cid))
  })

  it('tells truncated input from trailing bytes and from duplicate keys', async () => {
    const bytes = encodeCanonical({ a: [1, 2], b: new Uint8Array(300) })
    for (let length = 0; length < bytes.length; length++) {
      await expectCode('X_TRUNCATED', () => decodeCanonical(bytes.slice(0, length), LIMITS))
    }
    await expectCode('X_TRAILING', () => decodeCanonical(concat(bytes, bytes), LIMITS))
    await expectCode('X_DUPLICATE_KEY', () => read(0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02))
  })

  it('refuses every second spelling of a value', async () => {
    await expectCode('X_NOT_CANONICAL', () => read(0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x02))
    await expectCode('X_MALFORMED', () => read(0x18, 0x01))
    await expectCode('X_MALFORMED', () => read(0x5f, 0x41, 0x00, 0xff))
    await expectCode('X_MALFORMED', () => read(0x9f, 0xff))
    await expectCode('X_NOT_CANONICAL', () => read(0xfa, 0x3f, 0x80, 0x00, 0x00))
  })

  it('refuses what the data model lacks: undefined, not-a-number, foreign tags, keys that are no text', async () => {
    await expectCode('X_NOT_CANONICAL', () => read(0xf7))
    await expectCode('X_MALFORMED', () => read(0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0))
    await expectCode('X_MALFORMED', () => read(0xc1, 0x00))
    await expectCode('X_MALFORMED', () => read(0xa1, 0x01, 0x01))
  })

  it('refuses too much input without reading it', async () => {
    await expectCode('X_OVERSIZE', () => decodeCanonical(new Uint8Array(3), { area: 'X', maxBytes: 2 }))
  })

  it('refuses claims of more than there is, without making room for it', async () => {
    await expectCode('X_TRUNCATED', () => read(0x5a, 0x7f, 0xff, 0xff, 0xff))
    await expectCode('X_TRUNCATED', () => read(0x9a, 0x7f, 0xff, 0xff, 0xff))
    await expectCode('X_TRUNCATED', () => read(0xba, 0x7f, 0xff, 0xff, 0xff))
  })

  it('refuses nesting deeper than the stack, by a code', () => {
    const maps = (depth: number): Uint8Array => {
      const levels = new Uint8Array(3 * depth + 1)
      for (let i = 0; i < depth; i++) levels.set([0xa1, 0x61, 0x61], 3 * i)
      levels[3 * depth] = 0xa0
      return levels
    }
    const outcomes = new Set<string>()
    for (const depth of [1000, ...Array.from({ length: 100 }, (_, i) => 2000 + 50 * i), 100_000]) {
      try {
        decodeCanonical(maps(depth), LIMITS)
        outcomes.add('read')
      } catch (error) {
        outcomes.add(isSalusError(error) ? error.code : String(error))
      }
    }
    expect([...outcomes]).to.deep.equal(['read', 'X_MALFORMED'])
  })

  it('fails on no mutation but with a code', async () => {
    const bytes = encodeCanonical({ a: [1, 'text', null, true], b: new Uint8Array(40), c: { d: -70_000 } })
    await survivesMutations(bytes, { seed: 'canonical', count: 10_000 }, mutated => decodeCanonical(mutated, LIMITS))
  })
})

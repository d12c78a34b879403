import { expect } from 'chai'
import fc from 'fast-check'
import { toHex } from '#core/encoding/bytes.ts'
import { LAST_DAY, dayOf } from '#core/record/day.ts'
import { advanceCover, coverOf, isOrderedCover, isWithin, leafFromCover, leafOf } from '#core/record/day-tree.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'

const KEY = new Uint8Array(32).fill(1)
const day = fc.integer({ min: 0, max: LAST_DAY })
const span = fc.tuple(day, day).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)

describe('the day tree', () => {
  it('gives every day of a span the same key through a cover as through the root', () => {
    fc.assert(
      fc.property(span, fc.double({ min: 0, max: 1, noNaN: true }), ([from, to], part) => {
        const within = Math.floor(from + part * (to - from))
        const cover = coverOf(p, KEY, from, to)
        for (const each of [from, within, to]) {
          expect(toHex(leafFromCover(p, cover, each))).to.equal(toHex(leafOf(p, KEY, each)))
        }
      })
    )
  })

  it('opens nothing outside the span', async () => {
    await fc.assert(
      fc.asyncProperty(span, day, async ([from, to], other) => {
        const cover = coverOf(p, KEY, from, to)
        const outside = [other, from - 1, to + 1, from - 0.5].filter(each => each < from || each > to)
        for (const each of outside) await expectCode('DAY_NOT_COVERED', () => leafFromCover(p, cover, each))
      })
    )
  })

  it('covers a span with at most 2·log2 of its days', () => {
    fc.assert(
      fc.property(span, ([from, to]) => {
        const days = to - from + 1
        expect(coverOf(p, KEY, from, to).length).to.be.at.most(Math.max(1, 2 * Math.floor(Math.log2(days))))
      }),
      { numRuns: 300 }
    )
  })

  it('derives no key but those of the cover and on the way to them', () => {
    fc.assert(
      fc.property(span, ([from, to]) => {
        let derived = 0
        const hmacSha256: typeof p.hmacSha256 = (key, data) => {
          derived++
          return p.hmacSha256(key, data)
        }
        const onTheWay = new Set<string>()
        for (const { depth, prefix } of coverOf({ ...p, hmacSha256 }, KEY, from, to)) {
          for (let up = 0; up <= depth; up++) onTheWay.add(`${String(depth - up)}/${String(prefix >> up)}`)
        }
        expect(derived).to.equal(onTheWay.size)
      })
    )
  })

  it('covers everything with one node, which is not the generation key', () => {
    const cover = coverOf(p, KEY, 0, LAST_DAY)
    expect(cover.map(({ depth, prefix }) => [depth, prefix])).to.deep.equal([[0, 0]])
    expect(toHex(cover[0]?.key ?? new Uint8Array())).to.not.equal(toHex(KEY))
  })

  it('gives different days and different generations different keys', () => {
    const keys = [leafOf(p, KEY, 0), leafOf(p, KEY, 1), leafOf(p, KEY, LAST_DAY), leafOf(p, new Uint8Array(32), 0)]
    expect(new Set(keys.map(toHex)).size).to.equal(4)
  })

  it('forgets the days that have passed, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(span, day, async ([from, to], today) => {
        const cover = advanceCover(p, coverOf(p, KEY, from, to), today)
        expect(isOrderedCover(cover)).to.equal(true)
        const first = Math.max(from, today)
        if (first > to) {
          expect(cover).to.deep.equal([])
          return
        }
        expect(cover).to.deep.equal(coverOf(p, KEY, first, to))
        await expectCode('DAY_NOT_COVERED', () => leafFromCover(p, cover, first - 1))
      })
    )
  })

  it('refuses days that do not exist and spans that are empty', async () => {
    for (const [from, to] of [
      [-1, 0],
      [0, 65_536],
      [0.5, 1],
      [2, 1],
      [0, Number.NaN]
    ] as const) {
      await expectCode('DAY_RANGE', () => coverOf(p, KEY, from, to))
    }
    await expectCode('DAY_RANGE', () => dayOf(-1))
    expect(dayOf(86_399_999)).to.equal(0)
    expect(dayOf(86_400_000)).to.equal(1)
  })

  it('knows which covers lie within a span', () => {
    const cover = coverOf(p, KEY, 100, 200)
    expect(isWithin(cover, 100, 200)).to.equal(true)
    expect(isWithin(cover, 101, 200)).to.equal(false)
    expect(isWithin(cover, 100, 199)).to.equal(false)
    expect(isWithin([], 1, 0)).to.equal(true)
  })

  it('knows covers that are out of order, overlap or leave the tree', () => {
    const key = KEY
    expect(
      isOrderedCover([
        { depth: 16, prefix: 1, key },
        { depth: 16, prefix: 0, key }
      ])
    ).to.equal(false)
    expect(
      isOrderedCover([
        { depth: 15, prefix: 0, key },
        { depth: 16, prefix: 1, key }
      ])
    ).to.equal(false)
    expect(isOrderedCover([{ depth: 2, prefix: 4, key }])).to.equal(false)
    expect(
      isOrderedCover([
        { depth: 15, prefix: 0, key },
        { depth: 16, prefix: 2, key }
      ])
    ).to.equal(true)
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { createDayIndex, type DayIndex, type PagePlace } from '#core/log/day-index.ts'
import { createOrderedKeys } from '#core/log/ordered-keys.ts'

/** All pages of a listing, joined. */
function listed(index: DayIndex, limit: number, span: { fromDay?: number; toDay?: number } = {}): string[] {
  const all: string[] = []
  let page: PagePlace[] = index.page({ ...span, limit })
  while (page.length > 0) {
    expect(page.length).to.be.at.most(limit)
    all.push(...page.map(({ day, key }) => `${String(day)} ${key}`))
    page = index.page({ ...span, limit, after: page.at(-1) })
  }
  return all
}

describe('keys by day', () => {
  const key = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 40 }).map(String))
  const day = fc.integer({ min: -2, max: 4 })
  const change = fc.record({ isRemoval: fc.boolean(), day, key })

  it('are listed as a sorted list of them would be, after any changes, page by page', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 200 }),
        fc.integer({ min: 1, max: 7 }),
        day,
        day,
        (changes, limit, a, b) => {
          const index = createDayIndex()
          const model = new Map<string, PagePlace>()
          for (const { isRemoval, ...place } of changes) {
            const name = JSON.stringify([place.day, place.key])
            if (isRemoval) {
              index.remove(place.day, place.key)
              model.delete(name)
            } else {
              index.add(place.day, place.key)
              model.set(name, place)
            }
          }
          const inOrder = [...model.values()].sort((x, y) => y.day - x.day || (x.key < y.key ? -1 : 1))
          const text = (places: PagePlace[]): string[] => places.map(each => `${String(each.day)} ${each.key}`)
          expect(listed(index, limit)).to.deep.equal(text(inOrder))
          const [fromDay, toDay] = [Math.min(a, b), Math.max(a, b)]
          const within = inOrder.filter(each => each.day >= fromDay && each.day <= toDay)
          expect(listed(index, limit, { fromDay, toDay })).to.deep.equal(text(within))
        }
      )
    )
  })

  it('begin a page behind a key that is gone meanwhile', () => {
    const index = createDayIndex()
    for (const each of ['a', 'b', 'c']) index.add(1, each)
    index.remove(1, 'b')
    expect(index.page({ limit: 9, after: { day: 1, key: 'b' } })).to.deep.equal([{ day: 1, key: 'c' }])
  })
})

describe('ordered keys', () => {
  it('stay in order through thousands of additions and removals, so that chunks are cut and vanish', () => {
    const keys = createOrderedKeys()
    const name = (i: number): string => String((i * 7919) % 10_007).padStart(5, '0')
    for (let i = 0; i < 5000; i++) keys.add(name(i))
    for (let i = 0; i < 5000; i++) keys.add(name(i))
    expect(keys.size).to.equal(5000)
    for (let i = 0; i < 4900; i++) keys.remove(name(i))
    keys.remove('never there')
    const left = Array.from({ length: 100 }, (_, i) => name(4900 + i)).sort()
    expect(keys.page(Number.POSITIVE_INFINITY)).to.deep.equal(left)
    expect(keys.page(3, left[10])).to.deep.equal(left.slice(11, 14))
    for (const each of left) keys.remove(each)
    expect([keys.size, keys.page(1), keys.page(1, 'a')]).to.deep.equal([0, [], []])
    keys.add('b')
    expect(keys.page(5, 'a')).to.deep.equal(['b'])
  })
})

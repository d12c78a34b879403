import { expect } from 'chai'
import fc from 'fast-check'
import { createWindow, lookUp, markSeen, WINDOW_SIZE } from '#core/link/window.ts'

describe('the replay window', () => {
  it('answers as a set of all numbers that were seen', () => {
    const step = fc.oneof(
      fc.integer({ min: -80, max: 80 }),
      fc.constantFrom(1, 31, 32, 33, 63, 64, 65, -31, -32, -63, -64)
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 0, max: 2 ** 48 - 100_000 }), (steps, from) => {
        const window = createWindow()
        const seen = new Set<number>()
        let highest = -1
        let at = from
        for (const by of steps) {
          at = Math.max(0, at + by)
          const expected = seen.has(at) ? 'seen' : 'fresh'
          expect(lookUp(window, at)).to.equal(highest - at >= WINDOW_SIZE ? 'stale' : expected)
          if (lookUp(window, at) !== 'fresh') continue
          markSeen(window, at)
          seen.add(at)
          highest = Math.max(highest, at)
          expect(lookUp(window, at)).to.equal('seen')
        }
      }),
      { numRuns: 300 }
    )
  })
})

import { expect } from 'chai'
import { createRateLimiter } from '#node/network/rate-limiter.ts'

describe('rate limiter', () => {
  it('allows a burst, then only what has come back since', () => {
    let nowMs = 0
    const rate = createRateLimiter({ clock: () => nowMs }, { perSecond: 10, burst: 5 })
    const taken = (): number => [1, 2, 3, 4, 5, 6, 7, 8].filter(() => rate.take('a')).length
    expect(taken()).to.equal(5)
    nowMs += 300
    expect(taken()).to.equal(3)
    nowMs += 60_000
    expect(taken()).to.equal(5)
  })

  it('counts each key for itself, and refuses an amount as a whole', () => {
    const rate = createRateLimiter({ clock: () => 0 }, { perSecond: 1, burst: 10 })
    expect(rate.take('a', 8)).to.equal(true)
    expect(rate.take('a', 3)).to.equal(false)
    expect(rate.take('a', 2)).to.equal(true)
    expect(rate.take('b', 10)).to.equal(true)
  })

  it('gives nothing back where the clock goes backwards', () => {
    let nowMs = 1000
    const rate = createRateLimiter({ clock: () => nowMs }, { perSecond: 10, burst: 1 })
    expect(rate.take('a')).to.equal(true)
    nowMs = 0
    expect(rate.take('a')).to.equal(false)
  })
})

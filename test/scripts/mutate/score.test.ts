import { expect } from 'chai'
import fc from 'fast-check'
import { scoreOf } from '#scripts/mutate/score.ts'

describe('the score of mutants', () => {
  it('is Wilson’s interval', () => {
    // By hand, from (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    const { share, low, high } = scoreOf(95, 100)
    expect([share, low, high].map(x => x.toFixed(4))).to.deep.equal(['0.9500', '0.8882', '0.9785'])
  })

  it('holds the share, ends at 0 and 1, and says nothing of nothing', () => {
    expect(scoreOf(0, 0)).to.deep.equal({ share: 0, low: 0, high: 1 })
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), (killed, survived) => {
        fc.pre(killed + survived > 0)
        const { share, low, high } = scoreOf(killed, killed + survived)
        expect(0 <= low && low <= share && share <= high && high <= 1).to.equal(true)
        expect(high - low).to.be.greaterThan(0)
      })
    )
  })
})

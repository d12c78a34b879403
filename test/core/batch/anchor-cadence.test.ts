import { expect } from 'chai'
import fc from 'fast-check'
import { DEFAULT_CADENCE, isAnchorDue, type AnchorMoment } from '#core/batch/anchor-cadence.ts'

const MINUTE = 60_000
const calm: AnchorMoment = {
  nowMs: 100 * MINUTE,
  lastAnchorMs: 90 * MINUTE,
  isAtRisk: false,
  lastHighAlertMs: null,
  gasPriceWei: null
}

describe('when a gateway anchors', () => {
  const at = (minutes: number, change: Partial<AnchorMoment> = {}, cadence = DEFAULT_CADENCE): boolean =>
    isAnchorDue(cadence, { ...calm, lastAnchorMs: calm.nowMs - minutes * MINUTE, ...change })

  it('is each hour in routine, each five minutes at risk, at once after an alarm of high priority', () => {
    expect([at(59), at(60)]).to.deep.equal([false, true])
    expect([at(4, { isAtRisk: true }), at(5, { isAtRisk: true })]).to.deep.equal([false, true])
    expect(at(1, { lastHighAlertMs: calm.nowMs })).to.equal(true)
    expect(at(1, { lastHighAlertMs: calm.nowMs - 2 * MINUTE })).to.equal(false)
    expect(at(0, { lastAnchorMs: null })).to.equal(true)
  })

  it('is sooner where gas is as cheap as was asked for', () => {
    const cadence = { ...DEFAULT_CADENCE, cheapWei: 5n }
    expect(at(5, { gasPriceWei: 5n }, cadence)).to.equal(true)
    expect(at(5, { gasPriceWei: 6n }, cadence)).to.equal(false)
    expect(at(4, { gasPriceWei: 1n }, cadence)).to.equal(false)
    expect(at(5, { gasPriceWei: 1n })).to.equal(false)
    expect(at(5, {}, cadence)).to.equal(false)
  })

  it('is never later for more risk, and never forgotten because a clock stepped back', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (nowMs, lastAnchorMs) => {
        const moment = { ...calm, nowMs, lastAnchorMs }
        if (isAnchorDue(DEFAULT_CADENCE, moment)) {
          expect(isAnchorDue(DEFAULT_CADENCE, { ...moment, isAtRisk: true })).to.equal(true)
        }
        if (nowMs < lastAnchorMs) expect(isAnchorDue(DEFAULT_CADENCE, moment)).to.equal(true)
      })
    )
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { closeMinute, emptyBaseline, hasDrifted, type Baseline } from '#core/clinical/baseline.ts'
import type { Input, Rules } from '#core/clinical/engine-state.ts'
import { limitNow } from '#core/clinical/limits.ts'
import { medianOf, sigmaOf, slopeOf } from '#core/clinical/robust.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { HOUR_MS, RULES, START_MS, run, sample, someOrder } from '#test/core/clinical/fixtures.ts'

const { adapt } = ADULT_WARD
const RULE_OF_RATE = ADULT_WARD.vitals[0]

/** One value a minute. */
function minutes(
  vital: 'heartRate' | 'oxygenSaturation',
  from: number,
  count: number,
  value: (minute: number) => number
): Input[] {
  return Array.from({ length: count }, (_, i) => sample(vital, 60 * (from + i), value(from + i)))
}

const heart = someOrder({ corridors: [{ rule: 'heart.high', fromMilli: 90_000, toMilli: 128_000 }] })
const ADAPTIVE: Rules = { ...RULES, order: heart }
const HEART_HIGH = ADULT_WARD.alarms.findIndex(each => each.name === 'heart.high')

describe('adaptation', () => {
  it('moves a limit inside its corridor once enough was learned, and tells of it', () => {
    const { state, events } = run(
      minutes('heartRate', 0, 300, minute => 96 + (minute % 5)),
      ADAPTIVE
    )
    const moves = events.flatMap(each => (each.type === 'limit' ? [each] : []))
    expect(moves[0]).to.deep.include({ rule: 'heart.high', fromMilli: 111_000 })
    // Earliest after 36 means of five minutes.
    expect((moves[0]?.atMs ?? 0) - START_MS).to.be.greaterThan(3 * HOUR_MS - 5 * 60_000)
    expect(state.limits[HEART_HIGH]).to.equal(moves.at(-1)?.toMilli)
    expect(state.limits[HEART_HIGH]).to.be.within(90_000, 128_000).and.not.equal(111_000)
  })

  it('goes back to the standard limit when the order is over, and never moves without one', () => {
    const inputs = minutes('heartRate', 0, 240, () => 98)
    const short: Rules = {
      ...RULES,
      order: someOrder({ corridors: heart.order.corridors, untilMs: START_MS + 230 * 60_000 })
    }
    const { state, events } = run(inputs, short)
    expect(events.filter(each => each.type === 'limit')).to.have.length(2)
    expect(state.limits[HEART_HIGH]).to.equal(111_000)
    expect(run(inputs).events.filter(each => each.type === 'limit')).to.deep.equal([])
  })

  it('never crosses a red floor, whatever is measured and whatever the corridor', () => {
    const rules = ADULT_WARD.alarms.flatMap(({ test }) =>
      test.on === 'limit' && test.floorMilli != null ? [test] : []
    )
    const milli = fc.integer({ min: -1_000_000, max: 1_000_000 })
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        milli,
        milli,
        milli,
        fc.nat(1_000_000),
        (test, from, to, median, sigma) => {
          const baseline: Baseline = { ...emptyBaseline('heartRate'), median, sigma }
          const limit = limitNow(
            test,
            { rule: 'any', fromMilli: Math.min(from, to), toMilli: Math.max(from, to) },
            baseline,
            adapt
          )
          if (test.side === 'low') expect(limit).to.be.at.least(test.floorMilli ?? Infinity)
          else expect(limit).to.be.at.most(test.floorMilli ?? -Infinity)
        }
      ),
      { numRuns: 5000 }
    )
  })

  it('whatever has been learned, a value at three points raises its alarm', () => {
    fc.assert(
      fc.property(fc.integer({ min: 45, max: 128 }), fc.integer({ min: 0, max: 20 }), (centre, spread) => {
        const learned = run(
          minutes('heartRate', 0, 220, minute => centre + (minute % 3) * Math.floor(spread / 3)),
          ADAPTIVE
        )
        const ill = Array.from({ length: 20 }, (_, i) => sample('heartRate', 220 * 60 + i, 131))
        const alerts = run(ill, ADAPTIVE, learned.state).events.flatMap(each =>
          each.type === 'alert' ? [each.rule] : []
        )
        const before = learned.state.conditions[ADULT_WARD.alarms.findIndex(each => each.name === 'heart.high.red')]
        if (before?.phase === 'inactive') expect(alerts).to.include('heart.high.red')
      }),
      { numRuns: 25 }
    )
  })

  it('learns nothing while an alarm is active', () => {
    const inputs = [...minutes('heartRate', 0, 10, () => 80), ...minutes('heartRate', 10, 60, () => 140)]
    const [baseline] = run(inputs).state.baselines
    expect(baseline?.slots.every(each => each.milli === 80_000)).to.equal(true)
    expect(baseline?.meanMicro).to.equal(80_000_000)
  })

  it('learns nothing from a minute with an artefact', () => {
    const inputs = [
      sample('heartRate', 0, 0),
      sample('heartRate', 30, 80),
      sample('heartRate', 70, 90),
      sample('heartRate', 130, 90)
    ]
    expect(run(inputs).state.baselines[0]?.meanMicro).to.equal(90_000_000)
  })

  it('finds a slow drift that no limit shows, and follows it once someone has seen it', () => {
    const inputs = [
      ...minutes('heartRate', 0, 240, minute => 70 + (minute % 3)),
      ...minutes('heartRate', 240, 60, () => 82)
    ]
    const { state, events } = run(inputs)
    expect(events.flatMap(each => (each.type === 'alert' ? [each.rule] : []))).to.deep.equal(['heart.drift'])
    const act: Input = { type: 'acknowledge', atMs: START_MS + 300 * 60_000, rule: 'heart.drift', person: 0 }
    const seen = run([act], RULES, state)
    expect(seen.state.baselines[0]).to.deep.include({ above: 0 })
  })

  it('median, spread and slope are those of the textbook', () => {
    expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3]), medianOf([-1, -2])]).to.deep.equal([2, 2, -2])
    expect(sigmaOf([1000, 2000, 3000, 4000, 900_000], 3000)).to.equal(1482)
    const line = Array.from({ length: 30 }, (_, minute) => ({
      minute,
      milli: 100 * minute + (minute === 7 ? 5000 : 0)
    }))
    expect(slopeOf(line)).to.equal(6000)
    expect(slopeOf([])).to.equal(0)
  })

  it('keeps a day at most', () => {
    let baseline = emptyBaseline('heartRate')
    if (RULE_OF_RATE == null) expect.fail()
    for (let minute = 0; minute < 3 * 1440; minute++) {
      baseline = closeMinute({ ...baseline, minute, sum: 70_000, count: 1 }, RULE_OF_RATE, adapt)
    }
    expect(baseline.slots).to.have.length(288)
    expect(baseline.recent).to.have.length(30)
    expect(hasDrifted(baseline, adapt)).to.equal(false)
  })
})

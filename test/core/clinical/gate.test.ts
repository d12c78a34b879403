import { expect } from 'chai'
import fc from 'fast-check'
import { READING_FLAGS } from '#core/batch/reading.ts'
import type { Input } from '#core/clinical/engine-state.ts'
import { RULES, alertsOf, run, sample, steady } from '#test/core/clinical/fixtures.ts'
import { isAtLimit } from '#core/clinical/limits.ts'

const { artefact, leadOff } = READING_FLAGS

describe('quality gate', () => {
  it('holds a zero of heart rate, saturation, pressure and temperature for nothing measured', () => {
    for (const vital of ['heartRate', 'pulseRate', 'oxygenSaturation', 'systolic', 'temperature'] as const) {
      expect(run([sample(vital, 0, 0)]).flags).to.deep.equal([artefact | leadOff])
    }
  })

  it('holds a respiration of zero for no breath, but not while the electrodes are off', () => {
    expect(run([sample('heartRate', 0, 70), sample('respiratoryRate', 0, 0)]).flags).to.deep.equal([0, 0])
    expect(run([sample('heartRate', 0, 0), sample('respiratoryRate', 0, 0)]).flags[1]).to.equal(artefact | leadOff)
  })

  it('holds what no patient can have for an artefact', () => {
    const beyond = [sample('heartRate', 0, 301), sample('oxygenSaturation', 0, 36), sample('temperature', 0, -17.8)]
    expect(run(beyond).flags).to.deep.equal([artefact, artefact, artefact])
  })

  it('believes a jump once it has lasted', () => {
    const inputs = [...steady('heartRate', 0, 5, 60), ...steady('heartRate', 5, 12, 120)]
    expect(run(inputs).flags).to.deep.equal([
      0,
      0,
      0,
      0,
      0,
      ...[artefact, artefact, artefact, artefact, artefact],
      0,
      0
    ])
  })

  it('doubts the rate that left what both agreed on, after five seconds and for a minute', () => {
    const inputs = Array.from({ length: 100 }, (_, second): Input[] => [
      sample('heartRate', second, second < 10 ? 70 : 88),
      sample('pulseRate', second, 70)
    ]).flat()
    const doubted = run(inputs).flags.flatMap((each, i) => (each === artefact && i % 2 === 0 ? [i / 2] : []))
    expect(doubted).to.deep.equal(Array.from({ length: 55 }, (_, i) => 16 + i))
  })

  it('doubts the oximeter while the perfusion is poor', () => {
    const inputs = [sample('perfusionIndex', 0, 0.1), sample('oxygenSaturation', 1, 95), sample('pulseRate', 1, 70)]
    expect(run(inputs).flags).to.deep.equal([0, artefact, artefact])
  })

  it('never sets aside what is possible and lies beyond three points', () => {
    const limits = RULES.trusted.pack.alarms.flatMap(({ test }) =>
      test.on === 'limit' && test.floorMilli == null && test.scale < 2 ? [test] : []
    )
    const someSample = fc.record({
      vital: fc.constantFrom('heartRate', 'pulseRate', 'oxygenSaturation', 'perfusionIndex', 'respiratoryRate'),
      value: fc.integer({ min: 0, max: 300 }),
      gap: fc.integer({ min: 1, max: 20 })
    })
    fc.assert(
      fc.property(fc.array(someSample, { maxLength: 60 }), samples => {
        let second = 0
        const inputs = samples.map(({ vital, value, gap }) => sample(vital, (second += gap), value))
        const { flags } = run(inputs)
        for (const [i, { vital, value }] of samples.entries()) {
          const rule = RULES.trusted.pack.vitals.find(each => each.vital === vital)
          const isPossible = value > 0 && value * 1000 >= (rule?.minMilli ?? 0) && value * 1000 <= (rule?.maxMilli ?? 0)
          const isRed = limits.some(
            each => each.vitals.includes(vital) && isAtLimit(each.side, value * 1000, each.limitMilli)
          )
          if (isPossible && isRed) expect(flags[i]).to.equal(0)
        }
      }),
      { numRuns: 200 }
    )
  })

  it('raises no alarm for a heart rate of zero while there is a pulse, and a technical one when there is none', () => {
    const withPulse = [...Array(120).keys()].flatMap(second => [
      sample('heartRate', second, 0),
      sample('pulseRate', second, 70)
    ])
    expect(alertsOf(run(withPulse).events).map(([, rule]) => rule)).to.deep.equal(['heart.silent'])
    const without = [...Array(30).keys()].flatMap(second => [
      sample('heartRate', second, 0),
      sample('pulseRate', second, 0)
    ])
    expect(alertsOf(run(without).events)).to.deep.equal([[11, 'heart.lost', 'onset']])
  })
})

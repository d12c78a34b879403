import { expect } from 'chai'
import fc from 'fast-check'
import * as metrics from '#core/batch/metrics.ts'
import { MAX_MILLI, milliOf, vitalOf, type VitalValue } from '#core/clinical/vital.ts'

const of = (metric: metrics.Metric, mantissa: number | null, exponent = 0): VitalValue | undefined =>
  vitalOf({ stream: { ...metric, exponent }, mantissa })

describe('vital signs', () => {
  it('are told by MDC code and unit, and by LOINC only without an MDC code', () => {
    expect(of(metrics.HEART_RATE, 61)).to.deep.equal({ vital: 'heartRate', milli: 61_000 })
    expect(of(metrics.PULSE_RATE_CUFF, 62)).to.deep.equal({ vital: 'pulseRate', milli: 62_000 })
    expect(of({ ...metrics.HEART_RATE, mdc: 0 }, 63)?.vital).to.equal('heartRate')
    expect(of({ ...metrics.HEART_RATE, mdc: 1 }, 63)).to.equal(undefined)
    expect(of({ ...metrics.BODY_TEMPERATURE, ucum: '[degF]' }, 98)).to.equal(undefined)
  })

  it('are whole thousandths, and null where there is no value', () => {
    expect(of(metrics.BODY_TEMPERATURE, 365, -1)).to.deep.equal({ vital: 'temperature', milli: 36_500 })
    expect(of(metrics.BODY_TEMPERATURE, null, -1)).to.deep.equal({ vital: 'temperature', milli: null })
  })

  it('oxygen is air or more, whether by flow or by fraction', () => {
    expect([0, 2].map(flow => of(metrics.OXYGEN_FLOW, flow)?.milli)).to.deep.equal([0, 1000])
    expect([21, 22, 100].map(percent => of(metrics.OXYGEN_FRACTION, percent)?.milli)).to.deep.equal([0, 1000, 1000])
    expect(of(metrics.OXYGEN_FRACTION, 3)?.milli).to.equal(MAX_MILLI)
  })

  it('what is finer than a thousandth answers "at most" as the exact value does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
        fc.integer({ min: -9, max: -4 }),
        (mantissa, exponent) => {
          const milli = milliOf(mantissa, exponent)
          const scale = 10n ** BigInt(-3 - exponent)
          for (const limit of [milli - 1, milli, milli + 1]) {
            expect(milli <= limit).to.equal(BigInt(mantissa) <= BigInt(limit) * scale)
          }
        }
      )
    )
  })

  it('huge values end at the bound', () => {
    expect(milliOf(2 ** 48, 9)).to.equal(MAX_MILLI)
    expect(milliOf(-(2 ** 48), 0)).to.equal(-MAX_MILLI)
    expect(Object.is(milliOf(-1, -9), 0)).to.equal(true)
  })
})

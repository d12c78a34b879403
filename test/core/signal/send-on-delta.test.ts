import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE } from '#core/batch/metrics.ts'
import { READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { CLOSED_WINDOW, stepWindow, type EventWindow } from '#core/signal/event-window.ts'
import { messageMicrojoules, NRF52_CLASS } from '#core/signal/radio-energy.ts'
import { sampleRate, sampleScale, type WaveformSegment } from '#core/signal/segment.ts'
import { decideSending, NOTHING_SENT, type DeltaPolicy, type DeltaState } from '#core/signal/send-on-delta.ts'
import { replayDelta, WARD_POLICY } from '#scripts/bench/gateway/signal-delta.ts'
import { referenceData } from '#test/reference-data.ts'

const stream = { device: 'm', ...HEART_RATE, exponent: 0 }
const at = (mantissa: number | null, second: number): Reading => ({
  stream,
  sequence: second,
  deviceTimeMs: 1000 * second,
  receivedAtMs: 1_700_000_000_000 + 1000 * second,
  mantissa,
  flags: mantissa == null ? READING_FLAGS.absent : 0
})
const POLICY: DeltaPolicy = {
  deadbands: new Map([[HEART_RATE.mdc, 2]]),
  heartbeatMs: 60_000,
  companionMs: 30_000,
  bandOf: (_, mantissa) => (mantissa > 90 ? 1 : 0)
}

/** The seconds at which a value goes. */
function sent(values: readonly (number | null)[]): number[] {
  let state: DeltaState = NOTHING_SENT
  return values.flatMap((value, second) => {
    const decision = decideSending(POLICY, state, [at(value, second)], 1000 * second)
    state = decision.state
    return decision.send.length > 0 ? [second] : []
  })
}

describe('send on delta', () => {
  it('sends the first value, moves beyond the deadband, changes of band and what becomes absent', () => {
    expect(sent([70, 71, 72, 73, 73, 71, 70])).to.deep.equal([0, 3, 6])
    expect(sent([90, 91, 90])).to.deep.equal([0, 1, 2])
    expect(sent([70, null, null, 70])).to.deep.equal([0, 1, 3])
  })

  it('sends a still value once a minute, and others with it', () => {
    expect(sent(new Array<number>(200).fill(70))).to.deep.equal([0, 60, 120, 180])
    let state: DeltaState = NOTHING_SENT
    const other = (second: number): Reading => ({
      ...at(97, second),
      stream: { device: 'm', ...OXYGEN_SATURATION, exponent: 0 }
    })
    const counts = [0, 35, 60, 65].map((second, i) => {
      const decision = decideSending(POLICY, state, [at(i === 1 ? 80 : 70, second), other(second)], 1000 * second)
      state = decision.state
      return decision.send.length
    })
    expect(counts).to.deep.equal([2, 2, 1, 0])
  })

  it('goes on after the clock stepped back', () => {
    const { state } = decideSending(POLICY, NOTHING_SENT, [at(70, 0)], 1_000_000)
    expect(decideSending(POLICY, state, [at(70, 1)], 500_000).send).to.have.length(1)
  })

  it('never leaves the last sent value out of its deadband, its band or its heartbeat', () => {
    const values = fc.array(fc.option(fc.integer({ min: 60, max: 120 }), { nil: null, freq: 8 }), { maxLength: 200 })
    fc.assert(
      fc.property(values, list => {
        let state: DeltaState = NOTHING_SENT
        for (const [second, value] of list.entries()) {
          state = decideSending(POLICY, state, [at(value, second)], 1000 * second).state
          const [last] = state.values()
          expect(1000 * second - last!.atMs).to.be.lessThan(60_000)
          expect(last!.mantissa == null).to.equal(value == null)
          if (value == null || last!.mantissa == null) continue
          expect(Math.abs(value - last!.mantissa)).to.be.at.most(2)
          expect(value > 90).to.equal(last!.mantissa > 90)
        }
      })
    )
  })

  it('follows a bounded number of streams and sends what it does not follow', () => {
    let state: DeltaState = NOTHING_SENT
    const many = Array.from({ length: 300 }, (_, i) => ({
      ...at(1, 0),
      stream: { device: `d${String(i)}`, ...PULSE_RATE, exponent: 0 }
    }))
    for (const second of [0, 1]) {
      const decision = decideSending(POLICY, state, many, 1000 * second)
      state = decision.state
      expect(decision.send).to.have.length(second === 0 ? 300 : 44)
    }
    expect(state.size).to.equal(256)
  })

  it('saves 85 % of the messages of the reference recordings and misses no band of NEWS2', async function () {
    const folder = referenceData(this, 'gateway/bidmc')
    let [all, messages, missed] = [0, 0, 0]
    for (const name of (await readdir(folder)).filter(each => each.endsWith('_Numerics.csv'))) {
      const outcome = replayDelta(parseRecording(await readFile(join(folder, name))), WARD_POLICY)
      all += outcome.moments
      messages += outcome.messages
      missed += outcome.missedBands
    }
    expect(missed).to.equal(0)
    expect(1 - messages / all).to.be.greaterThan(0.85)
  })
})

describe('modelled energy of the radio', () => {
  it('grows with the bytes, and a message costs far more than its bytes', () => {
    const [empty, small, large] = [0, 8, 500].map(bytes => messageMicrojoules(bytes, NRF52_CLASS))
    expect(small).to.be.within(empty! * 1.01, empty! * 1.2)
    expect(large).to.be.greaterThan(3 * small!)
    expect(small).to.be.within(5, 20)
  })
})

describe('waveforms around events', () => {
  const wave = {
    device: 'm',
    channel: 'II',
    mdc: 131330,
    loinc: '',
    ucum: 'mV',
    rate: sampleRate(1, 100),
    scale: sampleScale(1, 0, 1)
  }
  const second = (i: number): WaveformSegment => ({
    stream: wave,
    sequence: 10 * i,
    deviceTimeMs: 1000 * i,
    receivedAtMs: 1000 * i,
    flags: 0,
    samples: new Array<number>(10).fill(i)
  })

  it('are sent from before to after each event, once each and in order', () => {
    const events = fc.uniqueArray(fc.nat(39), { maxLength: 6 })
    fc.assert(
      fc.property(events, fc.nat(5), fc.nat(5), (at, before, after) => {
        let window: EventWindow = CLOSED_WINDOW
        const out: number[] = []
        for (let i = 0; i < 40; i++) {
          const step = stepWindow(
            { beforeMs: 1000 * before, afterMs: 1000 * after },
            window,
            [second(i)],
            at.includes(i)
          )
          window = step.window
          out.push(...step.send.map(segment => segment.sequence / 10))
          expect(window.held.length).to.be.at.most(before + 1)
        }
        const wanted = Array.from({ length: 40 }, (_, i) => i).filter(i =>
          at.some(event => i >= event - before && i <= event + after)
        )
        expect(out).to.deep.equal(wanted)
      })
    )
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { detectBeats } from '#core/signal/beats/detect.ts'
import { fillSamples } from '#core/signal/beats/fill.ts'
import { judgeAlarm, JUDGED_SECONDS, type ArrhythmiaAlarm, type AlarmVerdict } from '#core/signal/beats/judge.ts'
import { compareBeats, learnUsualBeat, qualityOf } from '#core/signal/beats/rhythm.ts'
import { MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'
import { ecg, evenly, HERTZ, pulse, type MadeUp } from '#test/core/signal/made-up-heart.ts'

const LEARNT_SECONDS = 60
const BASE: MadeUp = { normal: evenly(0.5, LEARNT_SECONDS, 0.8) }

/** Judges 16 seconds against a minute of an even rhythm before them. */
function judge(alarm: ArrhythmiaAlarm, now: { lead?: MadeUp; finger?: MadeUp }): AlarmVerdict {
  const channels = []
  if (now.lead != null) {
    const usual = learnUsualBeat(ecg(LEARNT_SECONDS, BASE), HERTZ, 'ecg')
    channels.push({ label: 'II', usual, samples: ecg(JUDGED_SECONDS, now.lead) })
  }
  if (now.finger != null) {
    const usual = learnUsualBeat(pulse(LEARNT_SECONDS, BASE), HERTZ, 'pulse')
    channels.push({ label: 'PLETH', usual, samples: pulse(JUDGED_SECONDS, now.finger) })
  }
  return judgeAlarm(alarm, channels)
}

const steady = evenly(0.3, JUDGED_SECONDS, 0.8)
const noise = { normal: [], noise: 900, seed: 'motion' }

describe('beats', () => {
  it('are found in leads and pulses, also small, upside down and on a wandering line', () => {
    const times = evenly(1, 59, 0.75)
    const lead = ecg(60, { normal: times, noise: 60 })
    const wandering = lead.map((value, i) => Math.round(-0.2 * value + 2000 * Math.sin(i / 700)))
    for (const samples of [lead, wandering]) {
      const { at } = detectBeats(Float64Array.from(samples), HERTZ, 'ecg')
      expect(at).to.have.length(times.length)
      for (const [i, peak] of at.entries()) expect(Math.abs(peak / HERTZ - (times[i] ?? 0))).to.be.lessThan(0.05)
    }
    const { at } = detectBeats(Float64Array.from(pulse(60, { normal: times })), HERTZ, 'pulse')
    expect(Math.abs(at.length - times.length)).to.be.at.most(1)
  })

  it('need no more than linear time and give numbers only, whatever the samples', () => {
    const hostile = fc.array(fc.oneof(fc.integer({ min: -(2 ** 23), max: 2 ** 23 }), fc.constant(MISSING_SAMPLE)), {
      maxLength: 600
    })
    fc.assert(
      fc.property(hostile, fc.constantFrom('ecg' as const, 'pulse' as const), (samples, kind) => {
        const { at } = detectBeats(fillSamples(samples).values, HERTZ, kind)
        for (const peak of at) expect(peak).to.be.within(0, samples.length - 1)
        expect(learnUsualBeat(samples, HERTZ, kind)?.shape.some(Number.isNaN) ?? false).to.equal(false)
      })
    )
  })

  it('stay where they were when the recorder ran over', () => {
    const samples = ecg(20, { normal: evenly(1, 19, 0.8) }).map(
      (value, i) => 3 * value + Math.round(1500 * Math.sin(i / 400))
    )
    const wrapped = samples.map(value => ((((value + 2048) % 4096) + 4096) % 4096) - 2048)
    expect(wrapped).to.not.deep.equal(samples)
    expect([...fillSamples(wrapped).values]).to.deep.equal(samples)
  })

  it('look as usual in a steady rhythm and do not in noise', () => {
    const usual = learnUsualBeat(ecg(LEARNT_SECONDS, BASE), HERTZ, 'ecg')!
    expect(qualityOf(compareBeats(ecg(16, { normal: steady, noise: 80 }), usual))).to.be.greaterThan(90)
    expect(qualityOf(compareBeats(ecg(16, noise), usual))).to.be.lessThan(20)
    expect(learnUsualBeat(ecg(LEARNT_SECONDS, noise), HERTZ, 'ecg')).to.equal(undefined)
    expect(learnUsualBeat(new Array<number>(LEARNT_SECONDS * HERTZ).fill(MISSING_SAMPLE), HERTZ, 'ecg')).to.equal(
      undefined
    )
  })
})

describe('judging an asystole', () => {
  it('calls it false where a pulse or another lead goes on', () => {
    expect(judge('asystole', { lead: noise, finger: { normal: steady } }).isFalse).to.equal(true)
    expect(judge('asystole', { lead: { normal: steady, noise: 80 } }).isFalse).to.equal(true)
  })

  it('lets it stand where the heart stops: flat, in noise of any size, after beats', () => {
    const stopped = evenly(0.3, 11, 0.8)
    for (const size of [0, 5, 50, 300, 1500]) {
      for (const seed of ['a', 'b', 'c', 'd']) {
        const now = { normal: stopped, noise: size, seed }
        expect(judge('asystole', { lead: now, finger: now }).isFalse, `${String(size)} ${seed}`).to.equal(false)
        expect(judge('asystole', { lead: { ...now, normal: [] } }).isFalse, `${String(size)} ${seed}`).to.equal(false)
      }
    }
  })

  it('lets it stand without any channel that ever showed a heart, or with too short a stretch', () => {
    expect(judgeAlarm('asystole', []).isFalse).to.equal(false)
    expect(
      judgeAlarm('asystole', [{ label: 'II', usual: undefined, samples: ecg(16, { normal: steady }) }]).isFalse
    ).to.equal(false)
    const usual = learnUsualBeat(ecg(LEARNT_SECONDS, BASE), HERTZ, 'ecg')
    expect(judgeAlarm('asystole', [{ label: 'II', usual, samples: ecg(5, { normal: steady }) }]).isFalse).to.equal(
      false
    )
  })
})

describe('judging a ventricular tachycardia', () => {
  it('calls it false in a steady rhythm, with a burst of noise in it', () => {
    expect(judge('ventricularTachycardia', { lead: { normal: steady } }).isFalse).to.equal(true)
    const burst = ecg(16, { normal: steady })
    const shaken = ecg(16, noise)
    const samples = burst.map((value, i) => value + (i > 8 * HERTZ && i < 9.2 * HERTZ ? (shaken[i] ?? 0) : 0))
    const usual = learnUsualBeat(ecg(LEARNT_SECONDS, BASE), HERTZ, 'ecg')
    expect(judgeAlarm('ventricularTachycardia', [{ label: 'II', usual, samples }]).isFalse).to.equal(true)
  })

  it('lets it stand for five beats and more, fast or slow, at any place in the stretch', () => {
    for (const interval of [0.25, 0.35, 0.45, 0.58]) {
      for (const begin of [1, 6, 12]) {
        const ventricular = evenly(begin, begin + 5.5 * interval, interval)
        const normal = steady.filter(time => time < begin - 0.4 || time > begin + 6 * interval)
        const lead = { normal, ventricular }
        expect(
          judge('ventricularTachycardia', { lead, finger: lead }).isFalse,
          `${String(interval)} ${String(begin)}`
        ).to.equal(false)
      }
    }
  })

  it('lets it stand where beats only look as usual but come fast', () => {
    const fast = [...steady.filter(time => time < 6), ...evenly(6, 10, 0.4), ...steady.filter(time => time > 10.3)]
    expect(judge('ventricularTachycardia', { lead: { normal: fast } }).isFalse).to.equal(false)
  })

  it('calls it false where noise in the lead looks like one but the pulse goes on as before', () => {
    const shaken = ecg(16, noise)
    const samples = ecg(16, { normal: steady }).map(
      (value, i) => value + (i > 7 * HERTZ && i < 9 * HERTZ ? 2 * (shaken[i] ?? 0) : 0)
    )
    const lead = { label: 'II', usual: learnUsualBeat(ecg(LEARNT_SECONDS, BASE), HERTZ, 'ecg'), samples }
    const usual = learnUsualBeat(pulse(LEARNT_SECONDS, BASE), HERTZ, 'pulse')
    const finger = { label: 'PLETH', usual, samples: pulse(16, { normal: steady }) }
    expect(judgeAlarm('ventricularTachycardia', [lead]).isFalse).to.equal(false)
    expect(judgeAlarm('ventricularTachycardia', [lead, finger]).isFalse).to.equal(true)
  })

  it('is never called false by a pulse alone', () => {
    expect(judge('ventricularTachycardia', { finger: { normal: steady } }).isFalse).to.equal(false)
  })
})

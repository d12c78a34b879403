import { join } from 'node:path'
import { expect } from 'chai'
import { createHeartWatch, heartSignal, type HeartWatch } from '#core/signal/beats/watch.ts'
import { waveformMetric } from '#core/signal/metrics.ts'
import { sampleRate, sampleScale, type WaveformSegment } from '#core/signal/segment.ts'
import { openRecording } from '#gateway/adapters/files/open.ts'
import { ecg, evenly, HERTZ, pulse, type MadeUp } from '#test/core/signal/made-up-heart.ts'
import { referenceData } from '#test/reference-data.ts'

function segments(channel: string, samples: readonly number[]): WaveformSegment[] {
  const stream = {
    device: 'm',
    channel,
    ...waveformMetric(channel, 'mV'),
    rate: sampleRate(HERTZ, 1000),
    scale: sampleScale(1, 0, 1)
  }
  return Array.from({ length: Math.floor(samples.length / HERTZ) }, (_, i) => ({
    stream,
    sequence: i * HERTZ,
    deviceTimeMs: 1000 * i,
    receivedAtMs: 1000 * i,
    flags: 0,
    samples: samples.slice(i * HERTZ, (i + 1) * HERTZ)
  }))
}

/** A watch after a heart beat for so long and then did something else; quiet until then. */
function watched(seconds: number, now: { lead: MadeUp; finger: MadeUp }, isQuiet = true): HeartWatch {
  const watch = createHeartWatch()
  const base = { normal: evenly(0.5, seconds, 0.8) }
  const lead = segments('II', [...ecg(seconds, base), ...ecg(16, now.lead)])
  const finger = segments('PLETH', [...pulse(seconds, base), ...pulse(16, now.finger)])
  for (const [i, segment] of lead.entries()) {
    watch.take(segment, isQuiet)
    watch.take(finger[i]!, isQuiet)
  }
  return watch
}

const steady = { normal: evenly(0.3, 16, 0.8) }
const shaken = { normal: [], noise: 900, seed: 'motion' }

describe('watching the heart', () => {
  it('refutes an asystole by the pulse, once it has learnt the usual beats', () => {
    expect(watched(120, { lead: shaken, finger: steady }).judge('asystole').isFalse).to.equal(true)
    expect(watched(120, { lead: shaken, finger: shaken }).judge('asystole').isFalse).to.equal(false)
    expect(watched(30, { lead: shaken, finger: steady }).judge('asystole').isFalse).to.equal(false)
  })

  it('learns nothing while an alarm is active', () => {
    expect(watched(120, { lead: steady, finger: steady }, false).judge('asystole').isFalse).to.equal(false)
  })

  it('takes holes and numbers that go back for missing samples', () => {
    const watch = watched(120, { lead: steady, finger: steady })
    expect(watch.judge('asystole').isFalse).to.equal(true)
    const [first] = segments('II', ecg(2, steady))
    watch.take({ ...first!, sequence: 400 * HERTZ }, true)
    const [pleth] = segments('PLETH', pulse(2, steady))
    watch.take({ ...pleth!, sequence: 5 }, true)
    expect(watch.judge('asystole').isFalse).to.equal(false)
  })

  it('passes over what does not show the heart, and channels beyond sixteen', () => {
    const watch = createHeartWatch()
    for (let i = 0; i < 40; i++)
      watch.take(
        segments('II', ecg(1, steady)).map(s => ({ ...s, stream: { ...s.stream, device: String(i) } }))[0]!,
        true
      )
    watch.take(segments('RESP', ecg(1, steady))[0]!, true)
    expect(watch.judge('asystole').evidence).to.have.length(16)
    const [lead] = segments('RESP', [0])
    expect(lead).to.equal(undefined)
    expect(heartSignal({ ...segments('EMG', ecg(1, steady))[0]!.stream })).to.equal(undefined)
  })

  it('refutes both labelled false alarms of the reference data from their replay', async function () {
    const folder = referenceData(this, 'gateway/wfdb_samples')
    for (const [name, alarm] of [
      ['a103l', 'asystole'],
      ['v102s', 'ventricularTachycardia']
    ] as const) {
      const watch = createHeartWatch()
      const adapter = openRecording({ clock: () => 0 }, join(folder, `${name}.hea`), { device: 'm', speed: Infinity })
      await adapter.open()
      for await (const { segments = [] } of adapter.frames({ signal: new AbortController().signal })) {
        for (const segment of segments)
          if (segment.deviceTimeMs < 300_000) watch.take(segment, segment.deviceTimeMs < 284_000)
      }
      await adapter.close()
      expect(watch.judge(alarm).isFalse, name).to.equal(true)
    }
  })
})

import { expect } from 'chai'
import { decodeRecord, encodeRecord, type BatchRecord } from '#core/batch/record.ts'
import { MAX_SAMPLE, sampleRate, sampleScale, type WaveformSegment } from '#core/signal/segment.ts'
import { decodeRun } from '#core/signal/waveform-run.ts'
import { createWaveformRecords } from '#gateway/adapters/waveform-records.ts'
import { seededRandom } from '#test/seeded-random.ts'

function second(channel: string, i: number, samples: readonly number[]): WaveformSegment {
  return {
    stream: {
      device: 'monitor',
      channel,
      mdc: 131330,
      loinc: '',
      ucum: 'mV',
      rate: sampleRate(250, 1000),
      scale: sampleScale(1, 0, 200)
    },
    sequence: 250 * i,
    deviceTimeMs: 1000 * i,
    receivedAtMs: 1_700_000_000_000 + 1000 * i,
    flags: 0,
    samples
  }
}

const wave = (i: number): number[] =>
  Array.from({ length: 250 }, (_, at) => Math.trunc(300 * Math.sin((250 * i + at) / 20)) + 0)
const segmentsOf = (records: readonly BatchRecord[]): WaveformSegment[] =>
  records.flatMap(({ body }) => decodeRun(body))

describe('waveforms as records of the log', () => {
  it('are gathered a minute at a time, channel by channel, and none is lost', () => {
    const gather = createWaveformRecords()
    const records: BatchRecord[] = []
    const sent: WaveformSegment[] = []
    for (let i = 0; i < 150; i++) {
      const segments = ['II', 'PLETH'].map(channel => second(channel, i, wave(i)))
      sent.push(...segments)
      records.push(...gather.take(segments))
    }
    expect(records).to.have.length(4)
    records.push(...gather.flush())
    expect(records).to.have.length(6)
    expect(gather.flush()).to.have.length(0)
    for (const channel of ['II', 'PLETH']) {
      const of = (segments: readonly WaveformSegment[]): WaveformSegment[] =>
        segments.filter(each => each.stream.channel === channel)
      expect(of(segmentsOf(records))).to.deep.equal(of(sent))
    }
  })

  it('fit a record, however noisy they are', () => {
    const words = new Int32Array(seededRandom('noise')(4 * 4096 * 5).buffer)
    const gather = createWaveformRecords()
    const sent = Array.from({ length: 5 }, (_, i) =>
      second(
        'II',
        i,
        Array.from(words.subarray(4096 * i, 4096 * (i + 1)), word => (word % 2 === 0 ? MAX_SAMPLE : word % MAX_SAMPLE))
      )
    )
    const records = [...gather.take(sent), ...gather.flush()]
    for (const record of records) expect(decodeRecord(encodeRecord(record))).to.deep.equal(record)
    const samples = (segments: readonly WaveformSegment[]): number[] => segments.flatMap(each => [...each.samples])
    expect(samples(segmentsOf(records))).to.deep.equal(samples(sent))
  })

  it('hold a bounded number of channels', () => {
    const gather = createWaveformRecords()
    const records = Array.from({ length: 200 }, (_, i) => gather.take([second(`c${String(i)}`, 0, [1])])).flat()
    expect(records).to.have.length(136)
    expect(gather.flush()).to.have.length(64)
  })
})

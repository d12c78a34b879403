/**
 * Figures of the gateway's signals: bits per sample of the waveform coding beside gzip and brotli, bytes per numeric reading, messages and
 * modelled energy saved by sending on change, false arrhythmia alarms, and how fast samples, messages and beats are read.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { groupByStream, packStream } from '#core/batch/streams.ts'
import { READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import { parseRecording, type Recording } from '#core/batch/recording.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { decodeCharacteristic } from '#core/gatt/decode.ts'
import { detectBeats } from '#core/signal/beats/detect.ts'
import { packSamples, unpackSamples } from '#core/signal/sample-code.ts'
import { parseAnnotations } from '#core/signal/wfdb/annotations.ts'
import { decodeRun, encodeRun } from '#core/signal/waveform-run.ts'
import type { WaveformSegment } from '#core/signal/segment.ts'
import { openRecording } from '#gateway/adapters/files/open.ts'
import { replayDelta, WARD_POLICY } from '#scripts/bench/gateway/signal-delta.ts'
import type { Bench } from '#scripts/bench/report.ts'

const DATA = fileURLToPath(new URL('../../../../shared/data/gateway', import.meta.url))
const RECORDS = ['100', '101', '105', '106', '118', '119', '200', '203', '208', '217']
const MINUTE_SEGMENTS = 60
const HERTZ = 360

/** Runs the figures. */
export async function runSignal(bench: Bench): Promise<void> {
  measureMessages(bench)
  if (!existsSync(DATA)) {
    bench.progress('skipped: no reference data')
    return
  }
  await measureWaveforms(bench)
  await measureNumerics(bench)
}

/** Values of Bluetooth characteristics, read to what they say. */
function measureMessages(bench: Bench): void {
  bench.progress('messages of sensors')
  const count = bench.quick ? 50_000 : 300_000
  const kinds: readonly (readonly [string, string, string])[] = [
    ['heart-rate', '2a37', '16485503'],
    ['oximeter', '2a5f', '0061004800'],
    ['pressure', '2a35', '168c005a006b00e807030f0a1e0048000400']
  ]
  for (const [name, uuid, hex] of kinds) {
    const value = fromHex(hex)
    const samples = Array.from({ length: 5 }, () =>
      perSecond(count, () => {
        for (let i = 0; i < count; i++) decodeCharacteristic(uuid, value)
      })
    )
    bench.figure({ metric: `gatt.${name}`, samples, unit: 'messages/CPU-s' })
  }
}

/** The first lead of ten records: as it is kept, packed a minute at a time, and beside general compressors over 16-bit samples. */
async function measureWaveforms(bench: Bench): Promise<void> {
  const minutes = bench.quick ? 2 : 30
  const kept: number[] = []
  const coded: number[] = []
  const gzip: number[] = []
  const brotli: number[] = []
  const packRates: number[] = []
  const unpackRates: number[] = []
  const beatRates: number[] = []
  let [beats, missed, extra] = [0, 0, 0]
  for (const name of RECORDS) {
    bench.progress(`record ${name}`)
    const segments = await firstLead(join(DATA, 'mitbih', `${name}.hea`), minutes)
    const samples = segments.flatMap(segment => segment.samples)
    let bytes = 0
    for (let i = 0; i < segments.length; i += MINUTE_SEGMENTS) {
      const run = segments.slice(i, i + MINUTE_SEGMENTS)
      const packed = encodeRun(run)
      bytes += packed.length
      if (JSON.stringify(decodeRun(packed)) !== JSON.stringify(run)) throw new Error('the coding lost something')
    }
    kept.push((8 * bytes) / samples.length)
    const whole = packSamples(samples)
    coded.push((8 * whole.length) / samples.length)
    const raw = new Uint8Array(Int16Array.from(samples).buffer)
    gzip.push((8 * gzipSync(raw, { level: 9 }).length) / samples.length)
    const params = { [constants.BROTLI_PARAM_QUALITY]: bench.quick ? 9 : 11 }
    brotli.push((8 * brotliCompressSync(raw, { params }).length) / samples.length)
    packRates.push(perSecond(samples.length, () => packSamples(samples)))
    unpackRates.push(perSecond(samples.length, () => unpackSamples(whole, samples.length)))
    const values = Float64Array.from(samples)
    let found: readonly number[] = []
    beatRates.push(perSecond(samples.length, () => (found = detectBeats(values, HERTZ, 'ecg').at)))
    const annotated = parseAnnotations(await readFile(join(DATA, 'mitbih', `${name}.atr`)))
      .filter(each => each.beat != null && each.sample < samples.length)
      .map(each => each.sample)
    const hits = matched(annotated, found)
    beats += annotated.length
    missed += annotated.length - hits
    extra += found.length - hits
  }
  const meets = (bits: number): boolean => bits <= 4.4
  const goal = '<= 4.4 bits per sample'
  const mean = (numbers: readonly number[]): number[] => [numbers.reduce((sum, each) => sum + each, 0) / numbers.length]
  bench.figure({
    metric: 'ecg.kept',
    samples: mean(kept),
    unit: 'bit/sample',
    versus: { name: 'raw, 12 bits', samples: [12] },
    goal,
    meets
  })
  bench.figure({
    metric: 'ecg.coded',
    samples: mean(coded),
    unit: 'bit/sample',
    versus: { name: 'gzip -9', samples: mean(gzip) },
    goal,
    meets
  })
  bench.figure({
    metric: 'ecg.coded-versus-brotli',
    samples: mean(coded),
    unit: 'bit/sample',
    versus: { name: 'brotli', samples: mean(brotli) }
  })
  bench.figure({ metric: 'ecg.pack', samples: packRates, unit: 'samples/CPU-s' })
  bench.figure({ metric: 'ecg.unpack', samples: unpackRates, unit: 'samples/CPU-s' })
  bench.figure({ metric: 'ecg.beats', samples: beatRates, unit: 'samples/CPU-s' })
  bench.figure({ metric: 'ecg.beats.sensitivity', samples: [1 - missed / beats], unit: 'of the annotated beats' })
  bench.figure({
    metric: 'ecg.beats.precision',
    samples: [1 - extra / (beats - missed + extra)],
    unit: 'of the found beats'
  })
}

/** Numerics at a value a second: columns of a whole recording, and what sending on change leaves of its messages. */
async function measureNumerics(bench: Bench): Promise<void> {
  bench.progress('numerics')
  const folder = join(DATA, 'bidmc')
  const names = (await readdir(folder)).filter(name => name.endsWith('_Numerics.csv'))
  let [readings, bytes, json] = [0, 0, 0]
  const sum = { moments: 0, messages: 0, missedBands: 0, microjoules: 0, microjoulesOfAll: 0 }
  for (const name of names) {
    const recording = parseRecording(await readFile(join(folder, name)))
    const all = readingsOf(recording)
    readings += all.length
    bytes += encodeCanonical(groupByStream(all).map(group => packStream(group, streamOf(group)))).length
    json += gzipSync(JSON.stringify(all)).length
    const outcome = replayDelta(recording, WARD_POLICY)
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += outcome[key]
  }
  bench.figure({
    metric: 'numerics.columns',
    samples: [bytes / readings],
    unit: 'B/reading',
    versus: { name: 'JSON + gzip', samples: [json / readings] },
    goal: '<= 1.3 B per reading',
    meets: value => value <= 1.3
  })
  bench.figure({
    metric: 'delta.messages-saved',
    samples: [1 - sum.messages / sum.moments],
    unit: 'of a message a second',
    goal: '>= 0.85',
    meets: value => value >= 0.85
  })
  bench.figure({
    metric: 'delta.missed-bands',
    samples: [sum.missedBands],
    unit: 'values',
    goal: '0',
    meets: value => value === 0
  })
  bench.figure({
    metric: 'delta.energy-saved',
    samples: [1 - sum.microjoules / sum.microjoulesOfAll],
    unit: 'of the modelled radio energy (nRF52 class)'
  })
}

/** One-second segments of the first lead, as an adapter gives them. */
async function firstLead(path: string, minutes: number): Promise<WaveformSegment[]> {
  const adapter = openRecording({ clock: () => 1_700_000_000_000 }, path, { device: 'monitor', speed: Infinity })
  await adapter.open()
  const segments: WaveformSegment[] = []
  try {
    for await (const arrival of adapter.frames({ signal: new AbortController().signal })) {
      const lead = arrival.segments?.[0]
      if (lead != null) segments.push(lead)
      if (segments.length >= 60 * minutes) break
    }
  } finally {
    await adapter.close()
  }
  return segments
}

/** Beats found within 150 ms of an annotated one. */
function matched(annotated: readonly number[], found: readonly number[]): number {
  let [i, j, hits] = [0, 0, 0]
  while (i < annotated.length && j < found.length) {
    const distance = (found[j] ?? 0) - (annotated[i] ?? 0)
    if (Math.abs(distance) <= 0.15 * HERTZ) hits++
    if (distance <= 0.15 * HERTZ) j++
    if (distance >= -0.15 * HERTZ) i++
  }
  return hits
}

function readingsOf({ columns, rows }: Recording): Reading[] {
  const streams = columns.map(({ metric, exponent }) => ({ device: 'monitor', ...metric, exponent }))
  return rows.flatMap(({ timeMs, values }, sequence) =>
    streams.map((stream, i): Reading => {
      const mantissa = values[i] ?? null
      const flags = mantissa === null ? READING_FLAGS.absent : 0
      return { stream, sequence, deviceTimeMs: timeMs, receivedAtMs: 1_700_000_000_000 + timeMs, mantissa, flags }
    })
  )
}

function streamOf(group: readonly Reading[]): Reading['stream'] {
  const [first] = group
  if (first == null) throw new Error('a group has a reading')
  return first.stream
}

/** Items per second of processor time: other work on the machine does not count. */
function perSecond(count: number, work: () => unknown): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (1e6 * count) / (user + system)
}

/** A WFDB record, also of many segments, as moments of a second (docs/specs/recordings.md). */
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SalusError } from '#core/error.ts'
import { numericMetric, ucumOf } from '#core/signal/labels.ts'
import { waveformMetric } from '#core/signal/metrics.ts'
import { sampleRate, sampleTimeMs, type SampleRate } from '#core/signal/segment.ts'
import { MAX_HEADER_BYTES, parseWfdbHeader, type WfdbHeader, type WfdbSignal } from '#core/signal/wfdb/header.ts'
import { MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'
import { isMissing } from '#gateway/adapters/files/missing.ts'
import {
  MAX_GAPS,
  type Moment,
  type RecordedChannel,
  type RecordedFile,
  type RecordedGap,
  type RecordedValue
} from '#gateway/adapters/files/recorded.ts'
import { openWfdbPart, type WfdbPart } from '#gateway/adapters/files/wfdb-part.ts'

/** Slower than this, a record holds numerics. */
const NUMERIC_HERTZ = 2
/** Most samples of all signals in a moment. */
const MAX_MOMENT_SAMPLES: number = 2 ** 20

/** A stretch of the record. */
interface Stretch {
  readonly first: number
  readonly frames: number
  /** Null for a gap. */
  readonly name: string | null
}

/**
 * Opens a record by its header file.
 *
 * @throws SalusError `WFDB_HEADER`, `WFDB_NAME`, `WFDB_FORMAT`; `RECORDING_MISSING` if there is no such file
 */
export async function openWfdb(path: string): Promise<RecordedFile> {
  const folder = dirname(path)
  const header = (await readHeader(path)) ?? refuseMissing()
  const layout = await layoutOf(folder, header)
  const { rate } = header
  const layoutName = header.segments[0]?.frames === 0 ? header.segments[0].name : undefined
  const stretches = stretchesOf(header, basename(path).replace(/\.hea$/, ''))
  const channels = new Map<string, RecordedChannel>()
  const gaps: RecordedGap[] = []
  const perSecond = Math.max(1, Math.round((1000 * rate.samples) / rate.ms))
  const isNumeric = (1000 * rate.samples) / rate.ms < NUMERIC_HERTZ
  const open = new Set<WfdbPart>()

  function addGap(fromFrame: number, toFrame: number, reason: RecordedGap['reason']): void {
    const gap = { fromMs: sampleTimeMs(fromFrame, rate), toMs: sampleTimeMs(toFrame, rate), reason }
    const isKnown = gaps.some(each => each.fromMs === gap.fromMs && each.toMs === gap.toMs)
    if (!isKnown && gaps.length < MAX_GAPS) gaps.push(gap)
  }

  async function* momentsOf(stretch: Stretch, from: number): AsyncIterable<Moment> {
    const { first, frames, name } = stretch
    if (name == null) {
      addGap(first, first + frames, 'gap')
      return
    }
    const partHeader = header.segments.length === 0 ? header : await readHeader(join(folder, `${name}.hea`))
    if (partHeader == null) {
      addGap(first, first + frames, 'missing')
      return
    }
    const part = await openWfdbPart(folder, partHeader)
    open.add(part)
    try {
      // Only a single header may leave the length to its files.
      const end = first + (frames === 0 ? part.frames : Math.min(frames, part.frames))
      if (end < first + frames) addGap(end, first + frames, 'missing')
      const known = part.signals.map(signal => channelOf(channels, signal, rate))
      const perFrame = part.signals.map(signal => signal.samplesPerFrame)
      // A header may claim any rate: a moment is never longer than what memory can hold of it.
      const most = Math.floor(
        MAX_MOMENT_SAMPLES /
          Math.max(
            1,
            perFrame.reduce((sum, each) => sum + each, 0)
          )
      )
      const perMoment = Math.max(1, Math.min(perSecond, most))
      for (let at = first; at < end;) {
        const next = Math.min(end, (Math.floor(at / perMoment) + 1) * perMoment)
        if (at >= from) yield momentOf(at, await part.read(at - first, next - at), known, perFrame)
        at = next
      }
    } finally {
      open.delete(part)
      await part.close()
    }
  }

  function momentOf(
    first: number,
    samples: readonly Int32Array[],
    known: readonly RecordedChannel[],
    perFrame: readonly number[]
  ): Moment {
    const values: RecordedValue[] = []
    const waves = []
    for (const [i, channel] of known.entries()) {
      const list = samples[i] ?? new Int32Array()
      const value = isNumeric ? valueOf(channel, list[0] ?? MISSING_SAMPLE) : undefined
      if (value != null) values.push(value)
      else waves.push({ channel, first: first * (perFrame[i] ?? 1), samples: list })
    }
    return { index: first, timeMs: sampleTimeMs(first, rate), values, samples: waves }
  }

  return {
    form: 'wfdb',
    mdc: layout
      .map(signal => (isNumeric ? numericMetric(signal.label) : undefined) ?? waveformMetric(signal.label, '1'))
      .map(metric => metric.mdc),
    gaps,
    async *moments(from) {
      for (const stretch of stretches) {
        const isBefore = stretch.frames > 0 && stretch.first + stretch.frames <= from
        if (!isBefore && stretch.name !== layoutName) yield* momentsOf(stretch, from)
      }
    },
    async close() {
      for (const part of open) await part.close()
    }
  }
}

async function readHeader(path: string): Promise<WfdbHeader | undefined> {
  try {
    const { size } = await stat(path)
    if (size > MAX_HEADER_BYTES)
      throw new SalusError('WFDB_HEADER', 'Refused the record’s header: it is larger than 1 MiB.')
    return parseWfdbHeader(await readFile(path, 'latin1'))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The signals of the record, or of its layout or first segment. */
async function layoutOf(folder: string, header: WfdbHeader): Promise<readonly WfdbSignal[]> {
  if (header.segments.length === 0) return header.signals
  const name = header.segments.find(segment => segment.name != null)?.name
  return (name == null ? undefined : await readHeader(join(folder, `${name}.hea`)))?.signals ?? []
}

function stretchesOf(header: WfdbHeader, name: string): Stretch[] {
  if (header.segments.length === 0) return [{ first: 0, frames: header.frames, name }]
  let first = 0
  return header.segments.map(segment => {
    const stretch = { first, frames: segment.frames, name: segment.name }
    first += segment.frames
    return stretch
  })
}

/** Channels that are the same in two segments are one channel, and one stream. */
function channelOf(known: Map<string, RecordedChannel>, signal: WfdbSignal, frameRate: SampleRate): RecordedChannel {
  const { label, units, scale, samplesPerFrame } = signal
  const key = JSON.stringify([label, units, scale, samplesPerFrame])
  let channel = known.get(key)
  if (channel == null) {
    const rate = sampleRate(frameRate.samples * samplesPerFrame, frameRate.ms)
    known.set(key, (channel = { label, metric: waveformMetric(label, ucumOf(units)), rate, scale }))
  }
  return channel
}

/** A numeric as a value, where its label is known and its scale a power of ten. */
function valueOf({ label, scale }: RecordedChannel, raw: number): RecordedValue | undefined {
  const metric = numericMetric(label)
  const exponent = 0 - Math.log10(scale.divisor)
  if (metric == null || scale.factor !== 1 || scale.offset !== 0 || !Number.isInteger(exponent)) return undefined
  return { metric, exponent: exponent === 0 ? 0 : exponent, mantissa: raw === MISSING_SAMPLE ? null : raw }
}

function refuseMissing(): never {
  throw new SalusError('RECORDING_MISSING', 'There is no such recording; check the path.')
}

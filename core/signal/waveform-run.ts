/** Segments of one waveform that follow each other, packed: how waveforms travel and are kept (docs/specs/waveform.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { readBytes, readList, readUint } from '#core/encoding/shape.ts'
import { atOnce, type InSteps } from '#core/encoding/steps.ts'
import { SalusError } from '#core/error.ts'
import { packColumn, unpackColumn, type DifferenceOrder } from '#core/batch/columns.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'
import { createSampleReader, createSampleWriter } from '#core/signal/sample-code.ts'
import {
  MAX_SEGMENT_SAMPLES,
  readWaveformStream,
  requireSamples,
  streamFields,
  type WaveformSegment
} from '#core/signal/segment.ts'

const AREA = 'WAVEFORM'
const LABEL = 'salus/waveform-run/1'
const STREAM_FIELDS = 10
const FIELD_COUNT = 18
const ALL_FLAGS = 31

/** Most segments of a run. */
export const MAX_RUN_SEGMENTS = 4096

/** Most samples of a run. */
export const MAX_RUN_SAMPLES: number = 2 ** 20

/** Most bytes of an encoded run. */
export const MAX_RUN_BYTES: number = 8 * 2 ** 20

/** Clocks and counters advance evenly, so their second differences vanish. */
const ORDERS: readonly DifferenceOrder[] = [2, 2, 1, 1, 1]

/**
 * Packs segments of one stream in their order.
 *
 * @throws SalusError `WAVEFORM_SHAPE` if there are none, too many, or of several streams
 */
export function encodeRun(segments: readonly WaveformSegment[]): Uint8Array {
  return atOnce(encodeRunInSteps(segments))
}

/** {@link encodeRun} with a pause after each segment. */
export function* encodeRunInSteps(segments: readonly WaveformSegment[]): InSteps<Uint8Array> {
  const [first] = segments
  const samples = segments.reduce((sum, segment) => sum + segment.samples.length, 0)
  if (first == null || segments.length > MAX_RUN_SEGMENTS || samples > MAX_RUN_SAMPLES) refuseSize()
  const stream = encodeCanonical(streamFields(first.stream))
  for (const segment of segments) {
    requireSamples(segment, AREA)
    if (segment.stream === first.stream || equalBytes(encodeCanonical(streamFields(segment.stream)), stream)) continue
    throw new SalusError('WAVEFORM_SHAPE', 'Refused: the segments are of several streams; pack each by itself.')
  }
  const columns = [
    segments.map(segment => segment.sequence),
    segments.map(segment => segment.deviceTimeMs),
    segments.map(segment => segment.receivedAtMs - segment.deviceTimeMs),
    segments.map(segment => segment.samples.length),
    segments.map(segment => segment.flags)
  ]
  const writer = createSampleWriter()
  for (const segment of segments) {
    writer.write(segment.samples)
    yield
  }
  return encodeCanonical([
    LABEL,
    ...streamFields(first.stream),
    segments.length,
    ...columns.map((column, i) => packColumn(column, ORDERS[i] ?? 1)),
    writer.finish()
  ])
}

/**
 * The segments of a run.
 *
 * @throws SalusError `WAVEFORM_*` of the canonical decoder, `WAVEFORM_VERSION`, `WAVEFORM_SHAPE`, `WAVEFORM_CODE`, `BATCH_COLUMN`
 */
export function decodeRun(bytes: Uint8Array): WaveformSegment[] {
  return atOnce(decodeRunInSteps(bytes))
}

/** {@link decodeRun} with a pause after each segment. */
export function* decodeRunInSteps(bytes: Uint8Array): InSteps<WaveformSegment[]> {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_RUN_BYTES })
  const fields = readList(value, AREA, 'run', FIELD_COUNT, item => item)
  if (fields.length !== FIELD_COUNT) throw new SalusError('WAVEFORM_SHAPE', 'Refused: a run is a list of 18 items.')
  const [label, ...rest] = fields
  if (label !== LABEL) {
    throw new SalusError('WAVEFORM_VERSION', 'Refused: these waveforms have another version; use a newer Salus.')
  }
  const stream = readWaveformStream(rest.slice(0, STREAM_FIELDS), AREA)
  const count = readUint(rest[STREAM_FIELDS], AREA, 'count', MAX_RUN_SEGMENTS)
  if (count === 0) refuseSize()
  const packed = rest.slice(STREAM_FIELDS + 1)
  const [sequences = [], times = [], latencies = [], lengths = [], flags = []] = ORDERS.map((order, i) =>
    unpackColumn(readBytes(packed[i], AREA, 'columns', { min: 0, max: 8 * count }), order, count)
  )
  if (lengths.some(length => length < 1 || length > MAX_SEGMENT_SAMPLES)) refuseSize()
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (total > MAX_RUN_SAMPLES) refuseSize()
  const coded = readBytes(packed[ORDERS.length], AREA, 'samples', { min: 1, max: MAX_RUN_BYTES })
  const reader = createSampleReader(coded, total)
  const segments: WaveformSegment[] = []
  for (const [i, length] of lengths.entries()) {
    const deviceTimeMs = times[i] ?? 0
    const segment: WaveformSegment = {
      stream,
      sequence: sequences[i] ?? 0,
      deviceTimeMs,
      receivedAtMs: deviceTimeMs + (latencies[i] ?? 0),
      flags: flags[i] ?? 0,
      samples: reader.read(length)
    }
    requireBounds(segment)
    segments.push(segment)
    yield
  }
  reader.finish()
  return segments
}

function requireBounds(segment: WaveformSegment): void {
  const { sequence, receivedAtMs, flags } = segment
  const isWithin = sequence >= 0 && receivedAtMs >= 0 && receivedAtMs <= MAX_INTEGER && flags >= 0 && flags <= ALL_FLAGS
  if (!isWithin) throw new SalusError('WAVEFORM_SHAPE', 'Refused: a segment of the run is out of bounds.')
  requireSamples(segment, AREA)
}

function refuseSize(): never {
  throw new SalusError('WAVEFORM_SHAPE', 'Refused: a run has 1 to 4,096 segments and at most 1,048,576 samples.')
}

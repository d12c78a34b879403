/**
 * Records of a batch with their waveforms packed: the segments of each channel as one run, so that a sample takes some four bits in the
 * batch while each second stays a leaf of its own (docs/specs/waveform.md). What is unpacked is what was packed, byte for byte.
 */
import { readBytes, readList, readMap } from '#core/encoding/shape.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { atOnce, type InSteps } from '#core/encoding/steps.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import {
  decodeRecord,
  encodeRecord,
  MAX_BATCH_RECORDS,
  MAX_RECORD_BYTES,
  type BatchRecord
} from '#core/batch/record.ts'
import { decodeSegment, encodeSegment, streamFields, type WaveformSegment } from '#core/signal/segment.ts'
import {
  decodeRunInSteps,
  encodeRunInSteps,
  MAX_RUN_BYTES,
  MAX_RUN_SAMPLES,
  MAX_RUN_SEGMENTS
} from '#core/signal/waveform-run.ts'

const AREA = 'PACKED'

/** Most samples that are unpacked of one batch: a minute of 64 channels at 1,000 Hz. */
export const MAX_PACKED_SAMPLES: number = 2 ** 22

/** Most runs of one batch. */
export const MAX_PACKED_RUNS = 256

/** Records as they lie in a batch. */
export interface PackedRecords {
  /** In order: canonical bytes of a record, or the number of the run whose next segment is the record. */
  readonly items: readonly (Uint8Array | number)[]
  readonly runs: readonly Uint8Array[]
}

/** Packs records. Waveforms that have no segment in its one form, or are too many, stay as they are. */
export function packRecords(records: readonly BatchRecord[]): PackedRecords {
  return atOnce(packRecordsInSteps(records))
}

/** {@link packRecords} with a pause after each segment. */
export function* packRecordsInSteps(records: readonly BatchRecord[]): InSteps<PackedRecords> {
  const runs: { segments: WaveformSegment[]; samples: number }[] = []
  const open = new Map<string, number>()
  let total = 0
  const items: (Uint8Array | number)[] = []
  for (const record of records) {
    items.push(place(record))
    yield
  }
  const packed: Uint8Array[] = []
  for (const { segments } of runs) packed.push(yield* encodeRunInSteps(segments))
  return { items, runs: packed }

  /** Bytes of the record, or the number of the run that its segment went into. */
  function place(record: BatchRecord): Uint8Array | number {
    const segment = segmentOf(record)
    if (segment == null || total + segment.samples.length > MAX_PACKED_SAMPLES) return encodeRecord(record)
    const key = toHex(encodeCanonical(streamFields(segment.stream)))
    let number = open.get(key)
    let run = number == null ? undefined : runs[number]
    const isFull =
      run != null &&
      (run.segments.length === MAX_RUN_SEGMENTS || run.samples + segment.samples.length > MAX_RUN_SAMPLES)
    if (run == null || number == null || isFull) {
      if (runs.length === MAX_PACKED_RUNS) return encodeRecord(record)
      number = runs.length
      run = { segments: [], samples: 0 }
      runs.push(run)
      open.set(key, number)
    }
    run.segments.push(segment)
    run.samples += segment.samples.length
    total += segment.samples.length
    return number
  }
}

/**
 * The records of a decoded value, in their order.
 *
 * @throws SalusError `PACKED_SHAPE`, and the codes of records and runs
 */
export function unpackRecords(value: unknown): BatchRecord[] {
  return atOnce(unpackRecordsInSteps(value))
}

/** {@link unpackRecords} with a pause after each segment. */
export function* unpackRecordsInSteps(value: unknown): InSteps<BatchRecord[]> {
  const map = readMap(value, AREA, ['items', 'runs'])
  const items = readList(map['items'], AREA, 'items', MAX_BATCH_RECORDS, item => item)
  const bytes = readList(map['runs'], AREA, 'runs', MAX_PACKED_RUNS, item =>
    readBytes(item, AREA, 'runs', { min: 1, max: MAX_RUN_BYTES })
  )
  const runs: { readonly segments: WaveformSegment[]; next: number }[] = []
  let total = 0
  for (const each of bytes) {
    const segments = yield* decodeRunInSteps(each)
    total += segments.reduce((sum, segment) => sum + segment.samples.length, 0)
    if (total > MAX_PACKED_SAMPLES) refuse()
    runs.push({ segments, next: 0 })
  }
  const records: BatchRecord[] = []
  for (const item of items) {
    const run = typeof item === 'number' ? runs[item] : undefined
    const segment = run?.segments[run.next]
    if (run != null && segment != null) {
      run.next++
      records.push(recordOfSegment(segment))
    } else if (typeof item === 'number') {
      refuse()
    } else {
      records.push(decodeRecord(readBytes(item, AREA, 'items', { min: 1, max: MAX_RECORD_BYTES })))
    }
    yield
  }
  if (runs.some(run => run.next < run.segments.length)) refuse()
  return records
}

/**
 * How many records a decoded value holds, before anything is unpacked.
 *
 * @throws SalusError `PACKED_SHAPE`
 */
export function countRecords(value: unknown): number {
  return readList(readMap(value, AREA, ['items', 'runs'])['items'], AREA, 'items', MAX_BATCH_RECORDS, item => item)
    .length
}

/** The record that a segment is. */
export function recordOfSegment(segment: WaveformSegment): BatchRecord {
  return { kind: 'waveform', atMs: segment.receivedAtMs, body: encodeSegment(segment) }
}

/** The segment that a record is, if it is nothing but that. */
function segmentOf(record: BatchRecord): WaveformSegment | undefined {
  if (record.kind !== 'waveform') return undefined
  try {
    const segment = decodeSegment(record.body)
    const same = recordOfSegment(segment)
    return same.atMs === record.atMs && equalBytes(same.body, record.body) ? segment : undefined
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}

function refuse(): never {
  throw new SalusError('PACKED_SHAPE', 'Refused: the packed waveforms do not fit the list of records.')
}

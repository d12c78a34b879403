/** Readings by stream, as columns: how they lie in a batch and in which order they become leaves (docs/specs/batch.md). */
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { packColumn, unpackColumn, type DifferenceOrder } from '#core/batch/columns.ts'
import { READING_FLAGS, readStream, requireConsistent, type Reading, type Stream } from '#core/batch/reading.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'BATCH'
const ALL_FLAGS = 31
const COLUMNS = ['sequence', 'deviceTimeMs', 'latencyMs', 'value', 'flags'] as const
const FIELDS = ['device', 'mdc', 'loinc', 'ucum', 'exponent', 'count', ...COLUMNS]

type Column = (typeof COLUMNS)[number]

/** Counters and clocks advance evenly, so their second differences vanish; values and flags mostly stay. */
const ORDER: Record<Column, DifferenceOrder> = { sequence: 2, deviceTimeMs: 2, latencyMs: 1, value: 1, flags: 1 }

/** Most streams of one batch. */
export const MAX_STREAMS = 64

/** Most readings of one batch. */
export const MAX_BATCH_READINGS = 131_072

/** One stream of a batch as it is encoded. */
export type PackedStream = Stream & { readonly count: number } & Readonly<Record<Column, Uint8Array>>

/** Readings in the order of the tree's leaves: stream by stream as they first appear, each in order of arrival. */
export function groupByStream(readings: readonly Reading[]): Reading[][] {
  const groups = new Map<string, Reading[]>()
  let lastStream: Stream | undefined
  let lastGroup: Reading[] | undefined
  for (const reading of readings) {
    const { stream } = reading
    if (stream !== lastStream || lastGroup == null) {
      const key = JSON.stringify([stream.device, stream.mdc, stream.loinc, stream.ucum, stream.exponent])
      lastGroup = groups.get(key)
      if (lastGroup == null) groups.set(key, (lastGroup = []))
      lastStream = stream
    }
    lastGroup.push(reading)
  }
  return [...groups.values()]
}

/** Columns of the readings of one stream, which must not be empty. */
export function packStream(readings: readonly Reading[], { device, mdc, loinc, ucum, exponent }: Stream): PackedStream {
  const values: number[] = []
  // An absent value repeats the last one, which costs nothing; the flags say that it is none.
  let last = 0
  for (const { mantissa } of readings) values.push((last = mantissa ?? last))
  const columns: Record<Column, number[]> = {
    sequence: readings.map(r => r.sequence),
    deviceTimeMs: readings.map(r => r.deviceTimeMs),
    latencyMs: readings.map(r => r.receivedAtMs - r.deviceTimeMs),
    value: values,
    flags: readings.map(r => r.flags)
  }
  const pack = (column: Column): Uint8Array => packColumn(columns[column], ORDER[column])
  return {
    device,
    mdc,
    loinc,
    ucum,
    exponent,
    count: readings.length,
    sequence: pack('sequence'),
    deviceTimeMs: pack('deviceTimeMs'),
    latencyMs: pack('latencyMs'),
    value: pack('value'),
    flags: pack('flags')
  }
}

/** A stream read but not yet unpacked, so that the sum of all counts can be bounded first. */
export function readPackedStream(value: unknown): PackedStream {
  const map = readMap(value, AREA, FIELDS)
  const count = readUint(map['count'], AREA, 'count', MAX_BATCH_READINGS)
  const column = (field: Column): Uint8Array => readBytes(map[field], AREA, field, { min: 0, max: 8 * count })
  const { device, mdc, loinc, ucum, exponent } = map
  return {
    ...readStream({ device, mdc, loinc, ucum, exponent }, AREA),
    count,
    sequence: column('sequence'),
    deviceTimeMs: column('deviceTimeMs'),
    latencyMs: column('latencyMs'),
    value: column('value'),
    flags: column('flags')
  }
}

/**
 * The readings of a stream.
 *
 * @throws SalusError `BATCH_COLUMN`, `BATCH_SHAPE`
 */
export function unpackStream(packed: PackedStream): Reading[] {
  const { device, mdc, loinc, ucum, exponent, count } = packed
  const stream: Stream = { device, mdc, loinc, ucum, exponent }
  const unpack = (column: Column): number[] => unpackColumn(packed[column], ORDER[column], count)
  const sequences = unpack('sequence')
  const times = unpack('deviceTimeMs')
  const latencies = unpack('latencyMs')
  const values = unpack('value')
  const flags = unpack('flags')
  return sequences.map((sequence, i) => {
    const deviceTimeMs = times[i] ?? 0
    const flag = flags[i] ?? 0
    const receivedAtMs = deviceTimeMs + (latencies[i] ?? 0)
    if (sequence < 0 || receivedAtMs < 0 || flag < 0 || flag > ALL_FLAGS) {
      throw new SalusError('BATCH_SHAPE', 'Refused: a reading of the batch is out of bounds.')
    }
    const mantissa = (flag & READING_FLAGS.absent) === 0 ? (values[i] ?? 0) : null
    const reading: Reading = { stream, sequence, deviceTimeMs, receivedAtMs, mantissa, flags: flag }
    requireConsistent(reading, AREA)
    return reading
  })
}

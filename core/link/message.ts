/** What a sensor and its gateway tell each other, by either profile of the link (docs/specs/sensor-link.md). */
import {
  MAX_INTEGER,
  readInteger,
  readStream,
  requireConsistent,
  type Reading,
  type Stream
} from '#core/batch/reading.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'LINK_MESSAGE'
const MAX_STREAMS = 64
const MAX_READINGS = 1024
const ALL_FLAGS = 31
const HANDLE_BYTES = 16
const PSK_BYTES = 32

/** Most bytes of a message; a frame holds far less. */
export const MAX_MESSAGE_BYTES = 16_384

/** Most bytes of a message that fits a datagram. */
export const MAX_FRAME_MESSAGE_BYTES = 1172

/** Most message numbers in one acknowledgement. */
export const MAX_ACKNOWLEDGED = 64

/** A reading as a sensor tells it: who it is and when it was received, the gateway knows. */
export interface SensorReading extends Pick<Reading, 'sequence' | 'deviceTimeMs' | 'mantissa' | 'flags'> {
  readonly stream: Omit<Stream, 'device'>
}

/** A message. */
export type LinkMessage =
  /**
   * `number` counts the sensor's messages and is never used for another one; `previous` is the one that waits before it in the sensor's
   * queue and must be taken first, null where none does.
   */
  | {
      readonly kind: 'readings'
      readonly number: number
      readonly previous: number | null
      readonly readings: readonly SensorReading[]
    }
  /** These messages are on the gateway's disk. */
  | { readonly kind: 'acknowledged'; readonly numbers: readonly number[] }
  /** From the next connection on, use this handle and key. */
  | { readonly kind: 'rotate'; readonly handle: Uint8Array; readonly psk: Uint8Array }
  /** The new handle and key are on the sensor's disk. */
  | { readonly kind: 'rotated'; readonly handle: Uint8Array }

const KINDS = ['readings', 'acknowledged', 'rotate', 'rotated'] as const

/** Canonical bytes of a message; readings stand by stream, in the order in which each stream first comes. */
export function encodeMessage(message: LinkMessage): Uint8Array {
  const kind = 1 + KINDS.indexOf(message.kind)
  switch (message.kind) {
    case 'readings':
      return encodeCanonical([kind, message.number, message.previous, byStream(message.readings)])
    case 'acknowledged':
      return encodeCanonical([kind, message.numbers])
    case 'rotate':
      return encodeCanonical([kind, message.handle, message.psk])
    case 'rotated':
      return encodeCanonical([kind, message.handle])
  }
}

/**
 * Reads a message.
 *
 * @throws SalusError `LINK_MESSAGE_*` of the canonical decoder, `LINK_MESSAGE_SHAPE`
 */
export function decodeMessage(bytes: Uint8Array): LinkMessage {
  const items = readList(
    decodeCanonical(bytes, { area: AREA, maxBytes: MAX_MESSAGE_BYTES }),
    AREA,
    'message',
    4,
    x => x
  )
  const kind = KINDS[readUint(items[0], AREA, 'kind', KINDS.length) - 1]
  switch (kind) {
    case 'readings':
      requireLength(items, 4)
      return {
        kind,
        number: readUint(items[1], AREA, 'number', MAX_INTEGER),
        previous: items[2] === null ? null : readUint(items[2], AREA, 'previous', MAX_INTEGER),
        readings: readList(items[3], AREA, 'streams', MAX_STREAMS, readStreamOfReadings).flat()
      }
    case 'acknowledged':
      requireLength(items, 2)
      return {
        kind,
        numbers: readList(items[1], AREA, 'numbers', MAX_ACKNOWLEDGED, n => readUint(n, AREA, 'number', MAX_INTEGER))
      }
    case 'rotate':
      requireLength(items, 3)
      return {
        kind,
        handle: readBytes(items[1], AREA, 'handle', HANDLE_BYTES),
        psk: readBytes(items[2], AREA, 'psk', PSK_BYTES)
      }
    case 'rotated':
      requireLength(items, 2)
      return { kind, handle: readBytes(items[1], AREA, 'handle', HANDLE_BYTES) }
    case undefined:
      break
  }
  throw new SalusError('LINK_MESSAGE_SHAPE', 'Refused: this kind of message is not known here.')
}

/** The readings as the gateway keeps them. */
export function readingsOf(readings: readonly SensorReading[], device: string, receivedAtMs: number): Reading[] {
  const streams = new Map<SensorReading['stream'], Stream>()
  return readings.map(({ stream, ...rest }) => {
    let named = streams.get(stream)
    if (named == null) streams.set(stream, (named = { device, ...stream }))
    return { stream: named, receivedAtMs, ...rest }
  })
}

function byStream(readings: readonly SensorReading[]): unknown[] {
  const groups = new Map<string, [number, string, string, number, unknown[]]>()
  for (const { stream, sequence, deviceTimeMs, mantissa, flags } of readings) {
    const { mdc, loinc, ucum, exponent } = stream
    const key = JSON.stringify([mdc, loinc, ucum, exponent])
    const group = groups.get(key) ?? [mdc, loinc, ucum, exponent, []]
    groups.set(key, group)
    group[4].push([sequence, deviceTimeMs, mantissa, flags])
  }
  return [...groups.values()]
}

function readStreamOfReadings(value: unknown): SensorReading[] {
  const items = readList(value, AREA, 'stream', 5, x => x)
  requireLength(items, 5)
  const [mdc, loinc, ucum, exponent, readings] = items
  // The device is the gateway's name for it: what a sensor calls itself is not asked.
  const read = readStream({ device: '', mdc, loinc, ucum, exponent }, AREA)
  const stream = { mdc: read.mdc, loinc: read.loinc, ucum: read.ucum, exponent: read.exponent }
  return readList(readings, AREA, 'readings', MAX_READINGS, item => readReading(item, stream))
}

function readReading(value: unknown, stream: SensorReading['stream']): SensorReading {
  const items = readList(value, AREA, 'reading', 4, x => x)
  requireLength(items, 4)
  const [sequence, deviceTimeMs, mantissa, flags] = items
  const reading = {
    stream,
    sequence: readUint(sequence, AREA, 'sequence', MAX_INTEGER),
    deviceTimeMs: readInteger(deviceTimeMs, AREA, 'deviceTimeMs', MAX_INTEGER),
    mantissa: mantissa === null ? null : readInteger(mantissa, AREA, 'mantissa', MAX_INTEGER),
    flags: readUint(flags, AREA, 'flags', ALL_FLAGS)
  }
  requireConsistent(reading, AREA)
  return reading
}

function requireLength(items: readonly unknown[], length: number): void {
  if (items.length === length) return
  throw new SalusError('LINK_MESSAGE_SHAPE', `Refused: this list has ${String(length)} items.`)
}

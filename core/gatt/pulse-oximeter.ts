/** PLX Spot-Check Measurement, 2A5E, and PLX Continuous Measurement, 2A5F. @see Bluetooth SIG, Pulse Oximeter Service 1.0 */
import { READING_FLAGS } from '#core/batch/reading.ts'
import { createCursor, type Cursor } from '#core/gatt/cursor.ts'
import { readDateTime } from '#core/gatt/date-time.ts'
import { measured, type Measured, type Measurement } from '#core/gatt/measured.ts'
import { readSfloat } from '#core/gatt/medical-float.ts'
import { GATT_PULSE_RATE, GATT_SATURATION, GATT_PERFUSION } from '#core/gatt/metrics.ts'

const SPOT = { time: 1, status: 2, device: 4, amplitude: 8 }
const CONTINUOUS = { fast: 1, slow: 2, status: 4, device: 8, amplitude: 16 }

/** From the device's store. */
const STATUS_HISTORICAL = 1 << 9
/** Demonstration or test data, calibration, not available, questionable, invalid. */
const STATUS_ARTEFACT = (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 15)
/** Malfunction, irregular processing, inadequate or erratic signal, no or questionable pulse, sensor fault. */
const DEVICE_ARTEFACT = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 6) | (1 << 7) | (1 << 8) | (1 << 14)
/** Sensor not on the person, displaced, or disconnected. */
const DEVICE_LEAD_OFF = (1 << 11) | (1 << 13) | (1 << 15)

/**
 * Reads a spot check.
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`, `GATT_TIME`, `GATT_VALUE`
 */
export function decodeSpotCheck(bytes: Uint8Array): Measurement {
  const cursor = createCursor(bytes)
  const flags = cursor.uint(1)
  const numbers = [readSfloat(cursor), readSfloat(cursor)] as const
  const deviceTimeMs = (flags & SPOT.time) === 0 ? null : readDateTime(cursor)
  const rest = readRest(cursor, flags, SPOT)
  return { values: valuesOf(numbers, rest), deviceTimeMs }
}

/**
 * Reads one message of a continuous measurement: the normal values; fast and slow ones say the same with other averaging.
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`, `GATT_VALUE`
 */
export function decodeContinuous(bytes: Uint8Array): Measurement {
  const cursor = createCursor(bytes)
  const flags = cursor.uint(1)
  const numbers = [readSfloat(cursor), readSfloat(cursor)] as const
  if ((flags & CONTINUOUS.fast) !== 0) cursor.bytes(4)
  if ((flags & CONTINUOUS.slow) !== 0) cursor.bytes(4)
  const rest = readRest(cursor, flags, CONTINUOUS)
  return { values: valuesOf(numbers, rest), deviceTimeMs: null }
}

interface Rest {
  readonly quality: number
  readonly amplitude: ReturnType<typeof readSfloat> | undefined
}

function readRest(cursor: Cursor, flags: number, bits: { status: number; device: number; amplitude: number }): Rest {
  const status = (flags & bits.status) === 0 ? 0 : cursor.uint(2)
  const device = (flags & bits.device) === 0 ? 0 : cursor.uint(3)
  const amplitude = (flags & bits.amplitude) === 0 ? undefined : readSfloat(cursor)
  cursor.end()
  const isOff = (device & DEVICE_LEAD_OFF) !== 0
  const isArtefact = isOff || (status & STATUS_ARTEFACT) !== 0 || (device & DEVICE_ARTEFACT) !== 0
  const quality =
    ((status & STATUS_HISTORICAL) === 0 ? 0 : READING_FLAGS.historical) |
    (isOff ? READING_FLAGS.leadOff : 0) |
    (isArtefact ? READING_FLAGS.artefact : 0)
  return { quality, amplitude }
}

function valuesOf(
  [saturation, rate]: readonly [ReturnType<typeof readSfloat>, ReturnType<typeof readSfloat>],
  { quality, amplitude }: Rest
): Measured[] {
  const values = [measured(GATT_SATURATION, saturation, quality), measured(GATT_PULSE_RATE, rate, quality)]
  return amplitude == null ? values : [...values, measured(GATT_PERFUSION, amplitude, quality)]
}

/** What a sensor's message says, before the gateway gives it a device's name and a number. */
import type { Metric } from '#core/batch/metrics.ts'
import { MAX_INTEGER, READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import type { MedicalNumber } from '#core/gatt/medical-float.ts'
import { refuseGatt } from '#core/gatt/refuse.ts'

const MAX_EXPONENT = 9

/** One value: mantissa × 10^exponent in the metric's unit; null where the sensor had none. */
export interface Measured {
  readonly metric: Metric
  readonly mantissa: number | null
  readonly exponent: number
  /** Sum of READING_FLAGS. */
  readonly flags: number
}

/** A message of a sensor. */
export interface Measurement {
  readonly values: readonly Measured[]
  /** Milliseconds on the sensor's own clock, counted as if it ran on UTC; null where the message has no time. */
  readonly deviceTimeMs: number | null
  /** The sensor's own number of the measurement, where it counts. */
  readonly sequence?: number
  /** Which of the sensor's users it was, as a number that the sensor chose; 255 and absent: unknown. */
  readonly user?: number
}

/** A metric and the exponent that its values have where they are not finer, so that a sensor's whims make no new stream. */
export interface GattMetric extends Metric {
  readonly exponent: number
}

/** A whole-number field, raw × 10^exponent. */
export function measuredInteger(metric: GattMetric, raw: number, exponent: number, flags = 0): Measured {
  return measured(metric, { mantissa: raw, exponent }, flags)
}

/**
 * A medical float as a value; specials are absent.
 *
 * @throws SalusError `GATT_VALUE` if it is finer or larger than a reading can be
 */
export function measured(metric: GattMetric, number: MedicalNumber, flags = 0): Measured {
  const { mdc, loinc, ucum } = metric
  const bare: Metric = { mdc, loinc, ucum }
  if (number.special != null) {
    return { metric: bare, mantissa: null, exponent: metric.exponent, flags: flags | READING_FLAGS.absent }
  }
  let { mantissa, exponent } = number
  if (mantissa === 0) exponent = metric.exponent
  while (exponent < -MAX_EXPONENT && mantissa % 10 === 0) {
    mantissa /= 10
    exponent++
  }
  while (exponent > metric.exponent && Math.abs(mantissa) <= MAX_INTEGER) {
    mantissa *= 10
    exponent--
  }
  if (exponent < -MAX_EXPONENT || Math.abs(mantissa) > MAX_INTEGER) refuseGatt('VALUE')
  return { metric: bare, mantissa, exponent, flags }
}

/** A value that the sensor says it does not have. */
export function notMeasured(metric: GattMetric, flags = 0): Measured {
  return measured(metric, { special: 'not a number' }, flags)
}

/** The readings of a message. */
export function readingsOf(
  { values, deviceTimeMs }: Measurement,
  {
    device,
    sequence,
    receivedAtMs
  }: { readonly device: string; readonly sequence: number; readonly receivedAtMs: number }
): Reading[] {
  return values.map(({ metric, mantissa, exponent, flags }) => ({
    stream: { device, ...metric, exponent },
    sequence,
    deviceTimeMs: deviceTimeMs ?? receivedAtMs,
    receivedAtMs,
    mantissa,
    flags
  }))
}

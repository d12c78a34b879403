/** The decoders by characteristic (docs/specs/gatt.md). */
import { decodeBloodPressure, decodeCuffPressure } from '#core/gatt/blood-pressure.ts'
import { decodeGlucose } from '#core/gatt/glucose.ts'
import { decodeHealthObservation } from '#core/gatt/health-observation.ts'
import { decodeHeartRate } from '#core/gatt/heart-rate.ts'
import type { Measurement } from '#core/gatt/measured.ts'
import { decodeContinuous, decodeSpotCheck } from '#core/gatt/pulse-oximeter.ts'
import { refuseGatt } from '#core/gatt/refuse.ts'
import { decodeTemperature } from '#core/gatt/thermometer.ts'
import { decodeWeight } from '#core/gatt/weight.ts'

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => Measurement>> = {
  '2a18': decodeGlucose,
  '2a1c': decodeTemperature,
  '2a1e': decodeTemperature,
  '2a35': decodeBloodPressure,
  '2a36': decodeCuffPressure,
  '2a37': decodeHeartRate,
  '2a5e': decodeSpotCheck,
  '2a5f': decodeContinuous,
  '2a9d': decodeWeight,
  '2b8b': decodeHealthObservation
}
const BASE = /^0000([0-9a-f]{4})-0000-1000-8000-00805f9b34fb$/

/** Characteristics that can be read, as four hexadecimal digits. */
export const CHARACTERISTICS: readonly string[] = Object.keys(DECODERS)

/** The four digits of a UUID of the Bluetooth base, in either form; undefined for any other. */
export function shortUuid(uuid: string): string | undefined {
  const text = uuid.toLowerCase()
  return /^[0-9a-f]{4}$/.test(text) ? text : BASE.exec(text)?.[1]
}

/**
 * Reads a characteristic's value. Values of 2B8B come in segments, to be joined first.
 *
 * @throws SalusError `GATT_UNKNOWN` for another characteristic, and each decoder's `GATT_*`; nothing else, whatever the bytes
 */
export function decodeCharacteristic(uuid: string, bytes: Uint8Array): Measurement {
  const short = shortUuid(uuid) ?? ''
  const decode = Object.hasOwn(DECODERS, short) ? DECODERS[short] : undefined
  return decode == null ? refuseGatt('UNKNOWN') : decode(bytes)
}

/** The minute numerics of a MIMIC recording whose heart rate is zero where the lead is off, as samples for the engine. */
import { readFile } from 'node:fs/promises'
import type { Input } from '#core/clinical/engine-state.ts'
import { milliOf, type VitalCode } from '#core/clinical/vital.ts'

const INVALID = -32_768
const MINUTE_MS = 60_000
const START_MS = 1_700_000_000_000

/** Columns of `3234460n.dat`, 16-bit little-endian, with the power of ten of their values. */
const COLUMNS: readonly (readonly [VitalCode, number])[] = [
  ['heartRate', -1],
  ['pulseRate', -1],
  ['respiratoryRate', -1],
  ['oxygenSaturation', -1],
  ['systolic', 0],
  ['diastolic', 0],
  ['mean', 0]
]

/** One input for each value of the recording; what is invalid has none. */
export async function readMimicNumerics(folder: string): Promise<Input[]> {
  const bytes = await readFile(`${folder}/3234460n.dat`)
  const rows = bytes.length / 2 / COLUMNS.length
  return Array.from({ length: rows }, (_, row) =>
    COLUMNS.map(([vital, exponent], column): Input => {
      const raw = bytes.readInt16LE(2 * (row * COLUMNS.length + column))
      const milli = raw === INVALID ? null : milliOf(raw, exponent)
      return {
        type: 'sample',
        device: 'monitor',
        vital,
        milli,
        flags: milli === null ? 1 : 0,
        atMs: START_MS + row * MINUTE_MS
      }
    })
  ).flat()
}

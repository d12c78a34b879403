/**
 * Reads a recording of monitor numerics: comma-separated text, one row per second, as PhysioNet's BIDMC set has it
 * (docs/specs/recording.md). Nothing but ASCII; bounded; every refusal has a code.
 *
 * @see https://physionet.org/content/bidmc/1.0.0/
 */
import { SalusError } from '#core/error.ts'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, RESPIRATORY_RATE, type Metric } from '#core/batch/metrics.ts'

/** Most bytes of a recording. */
export const MAX_RECORDING_BYTES: number = 32 * 1024 * 1024

const TIME_COLUMN = 'Time [s]'
const METRICS: ReadonlyMap<string, Metric> = new Map([
  ['HR', HEART_RATE],
  ['PULSE', PULSE_RATE],
  ['RESP', RESPIRATORY_RATE],
  ['SpO2', OXYGEN_SATURATION]
])
const NUMBER = /^(-?)(\d{1,9})(?:\.(\d{1,6}))?$/

/** A column of a recording: what it measures and the power of ten of its values. */
export interface RecordingColumn {
  readonly metric: Metric
  readonly exponent: number
}

/** The values of one moment; null where the monitor had none (`NaN`). */
export interface RecordingRow {
  /** Milliseconds on the recording's own clock; may be negative. */
  readonly timeMs: number
  /** Mantissas, one per column. */
  readonly values: readonly (number | null)[]
}

/** A recording in memory. */
export interface Recording {
  readonly columns: readonly RecordingColumn[]
  readonly rows: readonly RecordingRow[]
}

/**
 * Reads a recording. Headers may be padded; times must rise; `-0` is 0; zero is a value like any other here.
 *
 * @throws SalusError `RECORDING_OVERSIZE`, `RECORDING_TRUNCATED` (no line end at the end, or a row too short),
 * `RECORDING_TRAILING` (a row too long), `RECORDING_DUPLICATE_KEY` (a column twice), `RECORDING_COLUMN` (unknown or no
 * column), `RECORDING_NUMBER`, `RECORDING_ORDER` (time does not rise), `RECORDING_MALFORMED` (not plain text)
 */
export function parseRecording(bytes: Uint8Array): Recording {
  if (bytes.length > MAX_RECORDING_BYTES) refuse('RECORDING_OVERSIZE', 'it is larger than 32 MiB; split it')
  const [header, ...lines] = linesOf(bytes)
  const metrics = readHeader(header ?? '')
  const cells = lines.map(line => readCells(line, metrics.length + 1))
  const columns = metrics.map((metric, i) => ({ metric, exponent: 0 - decimalsOf(cells, i + 1) }))
  let lastMs = -Infinity
  const rows = cells.map(([time = '', ...values]) => {
    const timeMs = scaled(time, 3)
    if (timeMs <= lastMs) refuse('RECORDING_ORDER', 'its times do not rise from row to row')
    lastMs = timeMs
    return {
      timeMs,
      values: values.map((cell, i) => (cell === 'NaN' ? null : scaled(cell, -(columns[i]?.exponent ?? 0))))
    }
  })
  return { columns, rows }
}

/** Lines of printable ASCII, each ended by LF or CR LF. */
function linesOf(bytes: Uint8Array): string[] {
  const lines: string[] = []
  let line = ''
  for (const byte of bytes) {
    if (byte === 0x0a) {
      lines.push(line.endsWith('\r') ? line.slice(0, -1) : line)
      line = ''
    } else if ((byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0d) {
      line += String.fromCharCode(byte)
      if (line.length > 1024) refuse('RECORDING_MALFORMED', 'a line is longer than 1,024 characters')
    } else {
      refuse('RECORDING_MALFORMED', 'it holds bytes that are not plain text')
    }
  }
  if (line !== '' || lines.length === 0) refuse('RECORDING_TRUNCATED', 'its last line is cut off')
  return lines
}

function readHeader(header: string): Metric[] {
  const [time, ...names] = header.split(',').map(name => name.trim())
  if (time !== TIME_COLUMN) refuse('RECORDING_COLUMN', `its first column must be "${TIME_COLUMN}"`)
  if (new Set(names).size !== names.length) refuse('RECORDING_DUPLICATE_KEY', 'a column stands in it twice')
  const metrics = names.map(name => METRICS.get(name) ?? refuse('RECORDING_COLUMN', 'a column is not known here'))
  if (metrics.length === 0) refuse('RECORDING_COLUMN', 'it has no column of values')
  return metrics
}

function readCells(line: string, count: number): string[] {
  const cells = line.split(',').map(cell => cell.trim())
  if (cells.length < count) refuse('RECORDING_TRUNCATED', 'a row has fewer cells than the header')
  if (cells.length > count) refuse('RECORDING_TRAILING', 'a row has more cells than the header')
  return cells
}

/** Most decimals in a column: its values share one scale. */
function decimalsOf(rows: readonly string[][], column: number): number {
  let most = 0
  for (const row of rows) {
    const cell = row[column] ?? ''
    const point = cell.indexOf('.')
    if (point >= 0) most = Math.max(most, cell.length - point - 1)
  }
  return Math.min(most, 6)
}

/** Decimal text as a whole number of 10^-`decimals`; never through floating point. */
function scaled(text: string, decimals: number): number {
  const match = NUMBER.exec(text)
  const [, sign, whole = '', fraction = ''] = match ?? []
  if (match == null || fraction.length > decimals)
    refuse('RECORDING_NUMBER', 'a cell is neither NaN nor a plain number')
  const magnitude = Number(whole + fraction.padEnd(decimals, '0'))
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude
}

function refuse(code: string, why: string): never {
  throw new SalusError(code, `Refused the recording: ${why}.`)
}

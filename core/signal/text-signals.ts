/**
 * Reads waveforms kept as text: with a header of `# key:= value` lines (BioSPPy), or comma-separated with a header line, or a bare
 * column (HeartPy), the first column perhaps a clock (docs/specs/recordings.md). Line by line, so that a file may be larger than memory.
 */
import { SalusError } from '#core/error.ts'
import { sampleRate, sampleScale, type SampleRate, type SampleScale } from '#core/signal/segment.ts'
import { MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'

const MAX_LINE = 4096
const MAX_COLUMNS = 64
const MAX_DECIMALS = 6
const MAX_VALUE: number = 2 ** 23
const NUMBER = /^([+-]?)(\d{1,12})(?:\.(\d{0,20}))?$/
const CLOCKS: ReadonlyMap<string, number> = new Map([
  ['time [s]', 1000],
  ['timer', 1],
  ['datetime', 0]
])

/** What is known before the first row. */
export interface TextHeader {
  /** Lines before the first row of values. */
  readonly lines: number
  readonly separator: ',' | '\t'
  /** Column of the clock, milliseconds per unit of it (0: dates); null where there is none. */
  readonly clock: { readonly column: number; readonly ms: number } | null
  /** Names of the columns with samples; empty text where there is none. */
  readonly labels: readonly string[]
  readonly units: string
  /** Rate that the header tells, in hertz. */
  readonly hertz: number | null
}

/**
 * Reads what stands before the samples.
 *
 * @param lines - the first lines of the file, at least 40 of them where it has as many
 * @throws SalusError `SIGNAL_TEXT` if there are no columns of numbers
 */
export function readTextHeader(lines: readonly string[]): TextHeader {
  const comments = lines.findIndex(line => !line.startsWith('#'))
  const keys = new Map(
    lines.slice(0, Math.max(0, comments)).flatMap(line => {
      const [, key, value] = /^#\s*([^:]{1,64}):=\s*(.{0,256})$/.exec(line) ?? []
      return key == null ? [] : [[key.toLowerCase(), value ?? ''] as const]
    })
  )
  const first = lines[comments] ?? refuse('it has no line of samples')
  const separator = first.includes('\t') ? '\t' : ','
  const names = cellsOf(first, separator)
  const hasNames = comments === 0 && names.some(name => /[A-Za-z]/.test(name) && name !== 'NaN')
  const clockColumn = hasNames ? names.findIndex(name => CLOCKS.has(name.toLowerCase())) : -1
  const labels = hasNames
    ? names.filter((_, i) => i !== clockColumn)
    : (keys.get('labels') ?? '').split('\t').map(label => label.trim())
  const columns = names.length - (clockColumn < 0 ? 0 : 1)
  const hertz = /^(\d{1,6}(?:\.\d{1,6})?)$/.exec(keys.get('sampling rate (hz)') ?? '')?.[1]
  if (columns < 1) refuse('it has no column of samples')
  return {
    lines: comments + (hasNames ? 1 : 0),
    separator,
    clock:
      clockColumn < 0 ? null : { column: clockColumn, ms: CLOCKS.get(names[clockColumn]?.toLowerCase() ?? '') ?? 0 },
    labels: Array.from({ length: columns }, (_, i) => labels[i] ?? ''),
    units: keys.get('units') ?? '',
    hertz: hertz == null ? null : Number(hertz)
  }
}

/**
 * Rate of the samples: what the header tells, or the mean step of the clock over some rows, or `fallbackHertz`. Rows after a pause in
 * the clock are a gap, which the mean must not swallow: the middle half of the steps counts.
 *
 * @throws SalusError `SIGNAL_RATE` where none of them tells it
 */
export function rateOfText(header: TextHeader, rows: readonly string[], fallbackHertz: number | null): SampleRate {
  const times = rows.map(row => clockOf(header, row)).filter(time => time != null)
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  const sorted = steps.sort((a, b) => a - b).slice(steps.length >> 2, steps.length - (steps.length >> 2))
  const mean = sorted.reduce((sum, step) => sum + step, 0) / sorted.length
  const hertz = header.hertz ?? (mean > 0 ? 1000 / mean : fallbackHertz)
  if (hertz == null || !(hertz >= 0.1 && hertz <= 1e5)) {
    throw new SalusError('SIGNAL_RATE', 'The file does not say how fast it was sampled; name the rate.')
  }
  return sampleRate(Math.round(hertz * 1000), 1_000_000)
}

/** The clock of a row in milliseconds; null where there is none or it cannot be read. */
export function clockOf({ clock, separator }: TextHeader, line: string): number | null {
  if (clock == null) return null
  const cell = cellsOf(line, separator)[clock.column] ?? ''
  const time = clock.ms > 0 ? Number(cell) * clock.ms : Date.parse(`${cell.replace(' ', 'T').slice(0, 23)}Z`)
  return cell === '' || !Number.isFinite(time) ? null : time
}

/**
 * Decimals that the samples of these rows have, at most six: the scale of the whole file.
 */
export function scaleOfText(header: TextHeader, rows: readonly string[]): SampleScale {
  let most = 0
  for (const row of rows) {
    for (const cell of samplesCells(header, row))
      most = Math.max(most, (NUMBER.exec(cell)?.[3] ?? '').replace(/0+$/, '').length)
  }
  return sampleScale(1, 0, 10 ** Math.min(most, MAX_DECIMALS))
}

/**
 * Samples of a row, one per column, scaled; `MISSING_SAMPLE` for NaN.
 *
 * @throws SalusError `SIGNAL_TEXT` for a row with other columns, or a cell that is no number or out of bounds
 */
export function readTextRow(header: TextHeader, line: string, scale: SampleScale): number[] {
  const cells = samplesCells(header, line)
  if (cells.length !== header.labels.length) refuse('a row has more or fewer columns than the first')
  return cells.map(cell => {
    if (cell === 'NaN' || cell === 'nan') return MISSING_SAMPLE
    if (!NUMBER.test(cell)) refuse('a sample is no number')
    const sample = Math.round(Number(cell) * scale.divisor)
    return Math.abs(sample) <= MAX_VALUE ? sample : refuse('a sample is out of bounds')
  })
}

function samplesCells({ clock, separator }: TextHeader, line: string): string[] {
  const cells = cellsOf(line, separator)
  return clock == null ? cells : cells.filter((_, i) => i !== clock.column)
}

function cellsOf(line: string, separator: string): string[] {
  if (line.length > MAX_LINE) refuse('a line is too long')
  const cells = line.split(separator).map(cell => cell.trim())
  return cells.length <= MAX_COLUMNS ? cells : refuse('it has too many columns')
}

function refuse(why: string): never {
  throw new SalusError('SIGNAL_TEXT', `Refused the recording: ${why}.`)
}

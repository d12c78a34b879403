/** Monitor numerics (docs/specs/recording.md) and charted stays (docs/specs/recordings.md) as moments: small files, read whole. */
import { readFile, stat } from 'node:fs/promises'
import { MAX_RECORDING_BYTES, parseRecording } from '#core/batch/recording.ts'
import { SalusError } from '#core/error.ts'
import { parseStay, type ChartedValue } from '#core/signal/icu-text.ts'
import type { Moment, RecordedFile } from '#gateway/adapters/files/recorded.ts'

/**
 * Opens monitor numerics.
 *
 * @throws SalusError `RECORDING_*` as parseRecording (core/batch/recording.ts)
 */
export async function openNumerics(path: string): Promise<RecordedFile> {
  const { columns, rows } = parseRecording(await readBounded(path))
  const moments = rows.map(({ timeMs, values }, index): Moment => {
    return {
      index,
      timeMs,
      values: columns.map(({ metric, exponent }, i) => ({ metric, exponent, mantissa: values[i] ?? null })),
      samples: []
    }
  })
  return recordedInMemory(
    'numerics',
    columns.map(column => column.metric.mdc),
    moments
  )
}

/**
 * Opens a stay: what was charted at one minute is one moment.
 *
 * @throws SalusError `STAY_MALFORMED`
 */
export async function openStay(path: string): Promise<RecordedFile> {
  const { values } = parseStay(new TextDecoder('latin1').decode(await readBounded(path)))
  const byTime = new Map<number, ChartedValue[]>()
  for (const value of values) {
    const same = byTime.get(value.timeMs)
    if (same == null) byTime.set(value.timeMs, [value])
    else same.push(value)
  }
  const moments = [...byTime].map(([timeMs, charted], index): Moment => ({
    index,
    timeMs,
    values: charted,
    samples: []
  }))
  return recordedInMemory('stay', [...new Set(values.map(value => value.metric.mdc))], moments)
}

function recordedInMemory(form: 'numerics' | 'stay', mdc: readonly number[], all: readonly Moment[]): RecordedFile {
  return {
    form,
    mdc,
    gaps: [],
    async *moments(from) {
      for (const moment of all.slice(Math.max(0, from))) {
        await Promise.resolve()
        yield moment
      }
    },
    async close() {
      // Nothing is held but memory.
    }
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  if ((await stat(path)).size > MAX_RECORDING_BYTES) {
    throw new SalusError('RECORDING_OVERSIZE', 'Refused the recording: it is larger than 32 MiB; split it.')
  }
  return readFile(path)
}

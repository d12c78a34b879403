/** Waveforms kept as text, plain or gzipped, as moments of a second, read line by line (docs/specs/recordings.md). */
import { ucumOf } from '#core/signal/labels.ts'
import { waveformMetric } from '#core/signal/metrics.ts'
import { sampleTimeMs } from '#core/signal/segment.ts'
import { clockOf, rateOfText, readTextHeader, readTextRow, scaleOfText } from '#core/signal/text-signals.ts'
import { linesOf } from '#gateway/adapters/files/lines.ts'
import {
  MAX_GAPS,
  type Moment,
  type RecordedChannel,
  type RecordedFile,
  type RecordedGap
} from '#gateway/adapters/files/recorded.ts'

/** Rows that are looked at before the first is sent, for names, rate and decimals. */
const PROBE_ROWS = 1000
/** A step of the clock this many times as long as it should be is a gap. */
const GAP_STEPS = 10

/**
 * Opens waveforms kept as text.
 *
 * @param fallbackHertz - rate of a file that does not tell its own; null to refuse such a file
 * @throws SalusError `SIGNAL_TEXT`, `SIGNAL_RATE`; `RECORDING_MISSING` if there is no such file
 */
export async function openText(path: string, fallbackHertz: number | null): Promise<RecordedFile> {
  const probe: string[] = []
  for await (const line of linesOf(path)) {
    probe.push(line)
    if (probe.length === PROBE_ROWS) break
  }
  const header = readTextHeader(probe)
  const rows = probe.slice(header.lines)
  const rate = rateOfText(header, rows, fallbackHertz)
  const scale = scaleOfText(header, rows)
  const channels = header.labels.map((label): RecordedChannel => ({
    label,
    metric: waveformMetric(label, ucumOf(header.units)),
    rate,
    scale
  }))
  const perMoment = Math.max(1, Math.round((1000 * rate.samples) / rate.ms))
  const gaps: RecordedGap[] = []

  return {
    form: 'text',
    mdc: channels.map(channel => channel.metric.mdc),
    gaps,
    async *moments(from) {
      let held: number[][] = []
      let number = 0
      let lineNumber = 0
      let lastMs: number | null = null
      const moment = (): Moment => {
        const first = number - held.length
        const samples = channels.map((channel, i) => ({
          channel,
          first,
          samples: Int32Array.from(held, row => row[i] ?? 0)
        }))
        held = []
        return { index: first, timeMs: sampleTimeMs(first, rate), values: [], samples }
      }
      for await (const line of linesOf(path)) {
        if (lineNumber++ < header.lines || line === '') continue
        const row = readTextRow(header, line, scale)
        const clockMs = clockOf(header, line)
        const steps = clockMs == null || lastMs == null ? 1 : Math.round(((clockMs - lastMs) * rate.samples) / rate.ms)
        if (steps >= GAP_STEPS) {
          if (held.length > 0 && number - held.length >= from) yield moment()
          held = []
          if (gaps.length < MAX_GAPS)
            gaps.push({
              fromMs: sampleTimeMs(number, rate),
              toMs: sampleTimeMs(number + steps - 1, rate),
              reason: 'gap'
            })
          number += steps - 1
        }
        lastMs = clockMs ?? lastMs
        held.push(row)
        number++
        if (number % perMoment !== 0) continue
        if (number - held.length >= from) yield moment()
        held = []
      }
      if (held.length > 0 && number - held.length >= from) yield moment()
    },
    async close() {
      // Each reading of the file opens and closes it by itself.
    }
  }
}

/** Gathers the segments of each waveform into runs that go to the gateway's log as records: a minute of a channel at a time. */
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import { sampleTimeMs, streamFields, type WaveformSegment } from '#core/signal/segment.ts'
import { encodeRun } from '#core/signal/waveform-run.ts'
import { toHex } from '#core/encoding/bytes.ts'

/** Most bytes of a record's body (core/batch/record.ts). */
const MAX_BODY_BYTES = 24_576
const MAX_SEGMENTS = 60
const MAX_SAMPLES = 60_000
/** Channels that are gathered at once; a further one empties the one that has waited longest. */
const MAX_CHANNELS = 64

/** A gatherer. */
export interface WaveformRecords {
  /** Takes segments in; gives the runs that are full now. */
  take(segments: readonly WaveformSegment[]): BatchRecord[]
  /** Everything that waits, for the end of a batch. */
  flush(): BatchRecord[]
}

/** Makes a gatherer. At most a minute, or 60,000 samples, of each of 64 channels wait in it. */
export function createWaveformRecords(): WaveformRecords {
  const waiting = new Map<string, WaveformSegment[]>()

  function empty(key: string): BatchRecord[] {
    const segments = waiting.get(key) ?? []
    waiting.delete(key)
    return recordsOf(segments)
  }

  return {
    take(segments) {
      const records: BatchRecord[] = []
      for (const segment of segments) {
        const key = toHex(encodeCanonical(streamFields(segment.stream)))
        const run = waiting.get(key) ?? []
        const samples = run.reduce((sum, each) => sum + each.samples.length, segment.samples.length)
        if (run.length === MAX_SEGMENTS || samples > MAX_SAMPLES) {
          records.push(...empty(key))
          waiting.set(key, [segment])
          continue
        }
        run.push(segment)
        waiting.set(key, run)
        const [oldest] = waiting.keys()
        if (waiting.size > MAX_CHANNELS && oldest != null) records.push(...empty(oldest))
      }
      return records
    },
    flush: () => [...waiting.keys()].flatMap(empty)
  }
}

/** One record, or two halves where noise makes it too long. */
function recordsOf(segments: readonly WaveformSegment[]): BatchRecord[] {
  const [first] = segments
  if (first == null) return []
  const body = encodeRun(segments)
  if (body.length <= MAX_BODY_BYTES) return [{ kind: 'waveform', atMs: first.receivedAtMs, body }]
  const parts = segments.length > 1 ? segments : halvesOf(first)
  const middle = parts.length >> 1
  return [...recordsOf(parts.slice(0, middle)), ...recordsOf(parts.slice(middle))]
}

function halvesOf(segment: WaveformSegment): WaveformSegment[] {
  const { samples, sequence, deviceTimeMs, stream } = segment
  const middle = samples.length >> 1
  const second = { sequence: sequence + middle, deviceTimeMs: deviceTimeMs + sampleTimeMs(middle, stream.rate) }
  return [
    { ...segment, samples: samples.slice(0, middle) },
    { ...segment, ...second, samples: samples.slice(middle) }
  ]
}

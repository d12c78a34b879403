/** Sends a recording out as if its sensors were there: the adapter between any recorded file and the gateway. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#core/crypto/primitives.ts'
import { READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import {
  MAX_SAMPLE,
  MAX_SEGMENT_SAMPLES,
  sampleTimeMs,
  type WaveformSegment,
  type WaveformStream
} from '#core/signal/segment.ts'
import { MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'
import type { AdapterHealth, Arrival, SensorAdapter } from '#gateway/adapters/adapter.ts'
import { codeOf } from '#gateway/adapters/failure.ts'
import type { Moment, RecordedChannel, RecordedFile, RecordedSamples } from '#gateway/adapters/files/recorded.ts'

const LABEL_LENGTH = 16
/** Longest that a timer can wait; a longer gap of a recording is shortened to it. */
const MAX_PAUSE_MS = 2 ** 31 - 1

/** How a recording is sent. */
export interface FileAdapterInit {
  /** Name of the device in readings and segments. */
  readonly device: string
  /** 1 is real time, 60 a minute per second, `Infinity` as fast as the gateway takes it. */
  readonly speed: number
  /** Opens the recording, again after each close. */
  readonly openFile: () => Promise<RecordedFile>
}

/** An adapter of a file, which also tells where the recording has gaps. */
export interface FileAdapter extends SensorAdapter {
  /** The open recording; undefined while it is closed. */
  recorded(): RecordedFile | undefined
}

/** Makes an adapter of a recording. */
export function createFileAdapter({ clock }: { readonly clock: Clock }, init: FileAdapterInit): FileAdapter {
  const { device, speed, openFile } = init
  let file: RecordedFile | undefined
  let state: AdapterHealth['state'] = 'closed'
  let failure: string | undefined
  let lastArrivalMs: number | null = null
  let arrivals = 0
  let closing = new AbortController()

  async function* frames(file: RecordedFile, from: number, signal: AbortSignal): AsyncIterable<Arrival> {
    const streams = new Map<RecordedChannel, WaveformStream>()
    let begun: { readonly clockMs: number; readonly timeMs: number } | undefined
    for await (const moment of file.moments(from)) {
      begun ??= { clockMs: clock(), timeMs: moment.timeMs }
      const waitMs = begun.clockMs + (moment.timeMs - begun.timeMs) / speed - clock()
      if (waitMs > 0) await pause(Math.min(waitMs, MAX_PAUSE_MS), undefined, { signal }).catch(ignoreAbort)
      if (signal.aborted) return
      // A clock that steps back must not make an arrival older than the one before.
      const receivedAtMs = Math.max(clock(), lastArrivalMs ?? 0)
      lastArrivalMs = receivedAtMs
      arrivals++
      const readings = readingsOf(moment, device, receivedAtMs)
      const segments = moment.samples.flatMap(samples =>
        segmentsOf(samples, streamOf(streams, samples.channel, device), receivedAtMs)
      )
      const next = moment.index + 1
      yield segments.length > 0
        ? { device, receivedAtMs, readings, segments, next }
        : { device, receivedAtMs, readings, next }
    }
  }

  return {
    kind: 'file',
    recorded: () => file,
    async *discover() {
      const open = file ?? (await openFile())
      try {
        yield { device, kind: 'file', mdc: open.mdc }
      } finally {
        if (open !== file) await open.close()
      }
    },
    async open() {
      closing = new AbortController()
      failure = undefined
      file ??= await openFile()
      state = 'open'
    },
    async *frames({ signal, from = 0 }) {
      const open = file
      if (open == null) return
      const either = AbortSignal.any([signal, closing.signal])
      try {
        yield* frames(open, from, either)
        if (!either.aborted) state = 'ended'
      } catch (error) {
        // Closing takes the file away under a reader, which is no failure of the recording.
        if (either.aborted) return
        state = 'failed'
        failure = codeOf(error)
        throw error
      }
    },
    async close() {
      closing.abort()
      state = 'closed'
      const open = file
      file = undefined
      await open?.close()
    },
    health() {
      const counts = { lastArrivalMs, arrivals, refused: {}, dropped: 0, queued: 0, capacity: 0 }
      return failure == null ? { state, ...counts } : { state, failure, ...counts }
    }
  }
}

function readingsOf({ index, timeMs, values }: Moment, device: string, receivedAtMs: number): Reading[] {
  return values.map(({ metric, exponent, mantissa }) => ({
    stream: { device, ...metric, exponent },
    sequence: index,
    deviceTimeMs: timeMs,
    receivedAtMs,
    mantissa,
    flags: mantissa == null ? READING_FLAGS.absent : 0
  }))
}

/** One stream per channel, whose label is cut to what a segment may carry. */
function streamOf(
  known: Map<RecordedChannel, WaveformStream>,
  channel: RecordedChannel,
  device: string
): WaveformStream {
  let stream = known.get(channel)
  if (stream == null) {
    const { label, metric, rate, scale } = channel
    const name = label.replace(/[^\x20-\x7e]/g, '?').slice(0, LABEL_LENGTH)
    known.set(channel, (stream = { device, channel: name, ...metric, rate, scale }))
  }
  return stream
}

/** Stretches without a hole. */
function segmentsOf(
  { first, samples }: RecordedSamples,
  stream: WaveformStream,
  receivedAtMs: number
): WaveformSegment[] {
  const segments: WaveformSegment[] = []
  let begin = 0
  for (let i = 0; i <= samples.length; i++) {
    const sample = samples[i]
    const isThere = sample != null && sample !== MISSING_SAMPLE && Math.abs(sample) <= MAX_SAMPLE
    if (isThere && i - begin < MAX_SEGMENT_SAMPLES) continue
    if (i > begin) {
      const sequence = first + begin
      const deviceTimeMs = sampleTimeMs(sequence, stream.rate)
      segments.push({
        stream,
        sequence,
        deviceTimeMs,
        receivedAtMs,
        flags: 0,
        samples: Array.from(samples.subarray(begin, i))
      })
    }
    begin = isThere ? i : i + 1
  }
  return segments
}

/** The pause ends early on the signal, which its caller looks at next. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}

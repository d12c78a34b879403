/** What every form of recording is read into: moments, a second each or less, that the file adapter sends out in time. */
import type { Metric } from '#core/batch/metrics.ts'
import type { SampleRate, SampleScale } from '#core/signal/segment.ts'

/** A value of a moment; null where the recorder had none. */
export interface RecordedValue {
  readonly metric: Metric
  readonly exponent: number
  readonly mantissa: number | null
}

/** A channel of waveforms. */
export interface RecordedChannel {
  /** As the recording calls it. */
  readonly label: string
  readonly metric: Metric
  readonly rate: SampleRate
  readonly scale: SampleScale
}

/** Samples of a channel, `MISSING_SAMPLE` where there are none. */
export interface RecordedSamples {
  readonly channel: RecordedChannel
  /** Number of the first sample since the recording began. */
  readonly first: number
  readonly samples: Int32Array
}

/** What was recorded at one moment. */
export interface Moment {
  /** Number of the moment, from 0: where to go on after a restart. */
  readonly index: number
  /** Milliseconds since the recording began; may be negative. */
  readonly timeMs: number
  readonly values: readonly RecordedValue[]
  readonly samples: readonly RecordedSamples[]
}

/** A stretch without samples, for the report. */
export interface RecordedGap {
  readonly fromMs: number
  readonly toMs: number
  /** `gap`: the recording says so; `missing`: a file of it is not there or is cut off; `apart`: its records lie apart. */
  readonly reason: 'gap' | 'missing' | 'apart'
}

/** A recording that is open. */
export interface RecordedFile {
  /** Form, for example `wfdb`. */
  readonly form: 'numerics' | 'stay' | 'wfdb' | 'edf' | 'text'
  /** What it measures. */
  readonly mdc: readonly number[]
  /** Stretches without samples that were met so far; at most a thousand are kept. */
  readonly gaps: readonly RecordedGap[]
  /** Moments from number `from` on; may be read several times, one after the other. */
  moments(from: number): AsyncIterable<Moment>
  close(): Promise<void>
}

/** Most gaps that are kept of a recording. */
export const MAX_GAPS = 1000

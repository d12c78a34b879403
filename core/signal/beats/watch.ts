/**
 * Watches the heart on every channel that shows it: keeps the last minute and a bit of samples, learns the usual beats while all is quiet,
 * and judges an alarm when one is raised (docs/specs/waveform-quality.md). Time is that of the segments; memory is bounded.
 */
import type { BeatSignal } from '#core/signal/beats/detect.ts'
import {
  judgeAlarm,
  JUDGED_SECONDS,
  type AlarmVerdict,
  type ArrhythmiaAlarm,
  type JudgedChannel
} from '#core/signal/beats/judge.ts'
import { learnUsualBeat, type UsualBeat } from '#core/signal/beats/rhythm.ts'
import type { SampleRate, WaveformSegment } from '#core/signal/segment.ts'
import { MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'

const LEARNT_SECONDS = 60
const LEARN_EVERY_SECONDS = 30
const KEPT_SECONDS: number = LEARNT_SECONDS + JUDGED_SECONDS
const MAX_CHANNELS = 16
const MIN_HERTZ = 50
const MAX_HERTZ = 2000

/** A watch. */
export interface HeartWatch {
  /**
   * Takes a segment in. Those of channels that do not show the heart, or are one too many, are passed over.
   *
   * @param isQuiet - no alarm is active or pending: usual beats are only learnt from minutes that were quiet all through
   */
  take(segment: WaveformSegment, isQuiet: boolean): void
  /** Judges an alarm that is raised now, on the last 16 seconds of every channel. */
  judge(alarm: ArrhythmiaAlarm): AlarmVerdict
}

interface Channel {
  readonly kind: BeatSignal
  readonly hertz: number
  /** A ring of the newest samples. */
  readonly ring: Int32Array
  /** Number of the next sample. */
  next: number
  /** Number of the first sample of the stretch that has been quiet since. */
  quietFrom: number
  learntAt: number
  usual: UsualBeat | undefined
}

/** Kind of a channel by its MDC code: leads 131,328 to 131,583, the plethysmogram, arterial pressures; undefined for any other. */
export function heartSignal({ mdc, ucum, channel }: WaveformSegment['stream']): BeatSignal | undefined {
  if (mdc >= 131_328 && mdc < 131_584) return 'ecg'
  if (mdc === 150_452) return 'pulse'
  return ucum === 'mm[Hg]' && /^(ABP|ART|PAP)/.test(channel) ? 'pulse' : undefined
}

/** Makes a watch that has seen nothing. */
export function createHeartWatch(): HeartWatch {
  const channels = new Map<string, Channel>()

  function channelOf({ stream, sequence }: WaveformSegment): Channel | undefined {
    const key = JSON.stringify([stream.device, stream.channel, stream.rate, stream.scale])
    const known = channels.get(key)
    if (known != null) return known
    const kind = heartSignal(stream)
    const hertz = hertzOf(stream.rate)
    if (kind == null || hertz < MIN_HERTZ || hertz > MAX_HERTZ || channels.size >= MAX_CHANNELS) return undefined
    const ring = new Int32Array(Math.ceil(KEPT_SECONDS * hertz)).fill(MISSING_SAMPLE)
    const channel = { kind, hertz, ring, next: sequence, quietFrom: sequence, learntAt: sequence, usual: undefined }
    channels.set(key, channel)
    return channel
  }

  return {
    take(segment, isQuiet) {
      const channel = channelOf(segment)
      if (channel == null) return
      add(channel, segment)
      if (!isQuiet) channel.quietFrom = channel.next
      learn(channel)
    },
    judge: alarm =>
      judgeAlarm(
        alarm,
        [...channels].map(([key, channel]): JudgedChannel => {
          const [, label = ''] = JSON.parse(key) as string[]
          return { label, usual: channel.usual, samples: lastSamples(channel, JUDGED_SECONDS) }
        })
      )
  }
}

/** Adds samples; a hole in their numbers is missing samples, and numbers that go back begin anew. */
function add(channel: Channel, { sequence, samples }: WaveformSegment): void {
  const { ring } = channel
  if (sequence < channel.next) {
    ring.fill(MISSING_SAMPLE)
    channel.quietFrom = sequence
    channel.learntAt = sequence
  } else {
    const hole = Math.min(sequence - channel.next, ring.length)
    for (let i = 0; i < hole; i++) ring[(sequence - hole + i) % ring.length] = MISSING_SAMPLE
  }
  for (const [i, sample] of samples.entries()) ring[(sequence + i) % ring.length] = sample
  channel.next = sequence + samples.length
}

/** Learns anew every half minute, from a quiet minute that lies before the stretch an alarm would be judged on. */
function learn(channel: Channel): void {
  const { next, hertz, kind, quietFrom } = channel
  const from = next - Math.floor(KEPT_SECONDS * hertz)
  if (from < quietFrom || next - channel.learntAt < LEARN_EVERY_SECONDS * hertz) return
  channel.learntAt = next
  const samples = lastSamples(channel, KEPT_SECONDS).slice(0, Math.floor(LEARNT_SECONDS * hertz))
  // Where nothing could be learnt from a noisy minute, what was learnt before still holds.
  channel.usual = learnUsualBeat(samples, hertz, kind) ?? channel.usual
}

function lastSamples({ ring, next, hertz }: Channel, seconds: number): Int32Array {
  const count = Math.floor(seconds * hertz)
  return Int32Array.from({ length: count }, (_, i) => {
    const number = next - count + i
    return number < 0 ? MISSING_SAMPLE : (ring[number % ring.length] ?? MISSING_SAMPLE)
  })
}

function hertzOf({ samples, ms }: SampleRate): number {
  return (1000 * samples) / ms
}

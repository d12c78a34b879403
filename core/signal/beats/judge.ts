/**
 * Holds an arrhythmia alarm against every channel that shows the heart: it is only called false where beats that look as usual speak
 * against it. No evidence, or channels that disagree, leave the alarm as it is (docs/specs/waveform-quality.md).
 */
import { compareBeats, qualityOf, type SeenBeat, type UsualBeat } from '#core/signal/beats/rhythm.ts'

/** Alarms that can be judged. */
export type ArrhythmiaAlarm = 'asystole' | 'ventricularTachycardia'

/** Seconds before an alarm that are looked at. */
export const JUDGED_SECONDS = 16

/** An asystole is four seconds without a beat: with usual beats at most this far apart there was none. */
const LONGEST_PAUSE_SECONDS = 3
/** A ventricular tachycardia is five beats in a row: a lead with fewer unusual ones in a row has not seen one. */
const LEAST_RUN = 5
/** A beat is early where it comes before this part of the usual interval. */
const EARLY = 0.8
/** Nor with usual beats at most this far apart, should the detector have missed beats between them. */
const LONGEST_RUN_SECONDS = 3

/** A channel at an alarm. */
export interface JudgedChannel {
  readonly label: string
  /** Its usual beat; undefined where none was learnt: the channel says nothing then. */
  readonly usual: UsualBeat | undefined
  /** Raw samples of the last `JUDGED_SECONDS` up to the alarm. */
  readonly samples: ArrayLike<number>
}

/** What a channel says. */
export interface Evidence {
  readonly label: string
  /** Part of the beats that look as usual, per cent. */
  readonly quality: number
  readonly says: 'against' | 'for' | 'nothing'
}

/** The verdict. */
export interface AlarmVerdict {
  /** True where the alarm is false: it is to be flagged, not forgotten. */
  readonly isFalse: boolean
  readonly evidence: readonly Evidence[]
}

/** A channel with its beats; one that says nothing is not here. */
interface Seen {
  readonly usual: UsualBeat
  readonly beats: readonly SeenBeat[]
  readonly seconds: number
}

/** Judges an alarm. Time grows with the samples of the channels and nothing else. */
export function judgeAlarm(alarm: ArrhythmiaAlarm, channels: readonly JudgedChannel[]): AlarmVerdict {
  const seen = channels.map(({ usual, samples }): Seen | undefined => {
    const seconds = usual == null ? 0 : samples.length / usual.hertz
    return usual == null || seconds < JUDGED_SECONDS
      ? undefined
      : { usual, beats: compareBeats(samples, usual), seconds }
  })
  const pulses = seen.filter(each => each?.usual.kind === 'pulse')
  const evidence = channels.map(({ label }, i): Evidence => {
    const channel = seen[i]
    if (channel == null) return { label, quality: 0, says: 'nothing' }
    const says = alarm === 'asystole' ? onAsystole(channel) : onTachycardia(channel, pulses)
    return { label, quality: qualityOf(channel.beats), says }
  })
  const isAgainst = evidence.some(each => each.says === 'against')
  // One channel that beats refutes a standstill; a tachycardia in any lead stands.
  const isFor = alarm === 'ventricularTachycardia' && evidence.some(each => each.says === 'for')
  return { isFalse: isAgainst && !isFor, evidence }
}

function onAsystole({ beats, seconds }: Seen): Evidence['says'] {
  return pausesOf(beats, seconds, LONGEST_PAUSE_SECONDS).length === 0 ? 'against' : 'nothing'
}

/** A pulse cannot tell where in the heart a beat begins: alone it says nothing, but it can refute what a lead seems to show. */
function onTachycardia({ usual, beats, seconds }: Seen, pulses: readonly (Seen | undefined)[]): Evidence['says'] {
  if (usual.kind !== 'ecg') return 'nothing'
  const doubtful = [...runsOf(beats, usual), ...pausesOf(beats, seconds, LONGEST_RUN_SECONDS)]
  const isRefuted = (run: Run): boolean => pulses.some(pulse => pulse != null && isSteady(pulse, run))
  return doubtful.every(isRefuted) ? 'against' : 'for'
}

interface Run {
  readonly from: number
  readonly to: number
}

/**
 * Five beats in a row, or more, of which none is ordinary. A beat from a ventricle can look much like the usual one in a single lead, but
 * in a tachycardia it comes early: an ordinary beat looks as usual and comes when it usually does.
 */
function runsOf(beats: readonly SeenBeat[], usual: UsualBeat): Run[] {
  const runs: Run[] = []
  let begin = 0
  for (let i = 0; i <= beats.length; i++) {
    const beat = beats[i]
    const isEarly = beat != null && beat.at - (beats[i - 1]?.at ?? -Infinity) < EARLY * usual.interval
    if (beat != null && (!beat.isUsual || isEarly)) continue
    const [first, last] = [beats[begin], beats[i - 1]]
    if (first != null && last != null && i - begin >= LEAST_RUN) runs.push({ from: first.at, to: last.at })
    begin = i + 1
  }
  return runs
}

/**
 * Whether pulses of the usual shape came at the usual distance all through a run, the interval before and after it included: no
 * tachycardia from a ventricle leaves the pulse as it was.
 */
function isSteady({ usual, beats }: Seen, { from, to }: Run): boolean {
  const { interval } = usual
  const during = beats.filter(beat => beat.at >= from - interval && beat.at <= to + interval)
  const [first, last] = [during[0], during.at(-1)]
  if (first == null || last == null || first.at > from + interval || last.at < to - interval) return false
  return during.every((beat, i) => {
    const gap = beat.at - (during[i - 1]?.at ?? beat.at - interval)
    return beat.isUsual && gap >= EARLY * interval && gap <= interval / EARLY
  })
}

/** Stretches longer than this without a usual beat, the ends of the whole included. */
function pausesOf(beats: readonly SeenBeat[], seconds: number, longest: number): Run[] {
  const times = [0, ...beats.filter(beat => beat.isUsual).map(beat => beat.at), seconds]
  return times.slice(1).flatMap((to, i) => {
    const from = times[i] ?? 0
    return to - from > longest ? [{ from, to }] : []
  })
}

/**
 * What a person's beats usually look like in one channel, learnt while no alarm is active, and how much of a later stretch looks so.
 * Matching shapes against a template is the index of signal quality here: noise has beats too, but not the same one twice.
 *
 * @see C. Orphanidou et al., "Signal-quality indices for the electrocardiogram and photoplethysmogram", IEEE JBHI 19(3), 2015
 */
import { detectBeats, type BeatSignal } from '#core/signal/beats/detect.ts'
import { fillSamples } from '#core/signal/beats/fill.ts'

/** Seconds of the shape before and after a beat's highest point. */
const SHAPE: Readonly<Record<BeatSignal, readonly [number, number]>> = { ecg: [0.15, 0.15], pulse: [0.3, 0.35] }
/** Correlation from which two beats are alike. */
const ALIKE = 0.9
/** A beat far higher or lower than usual is noise, however it is shaped. */
const HEIGHTS: readonly [number, number] = [0.3, 3]
/** A usual shape is established by so many beats, and this part of all. */
const LEAST_BEATS = 10
const LEAST_PART = 0.4
/** Beats that are tried as the usual one. */
const CANDIDATES = 24
const MOST_MISSING = 0.1

/** The usual beat of a channel. */
export interface UsualBeat {
  readonly kind: BeatSignal
  readonly hertz: number
  /** Band-passed samples around the highest point, its mean taken out. */
  readonly shape: Float64Array
  readonly height: number
  /** Part of the beats that it was learnt from which look so, 0 to 1. */
  readonly part: number
  /** Median seconds from beat to beat. */
  readonly interval: number
}

/** A beat of a stretch. */
export interface SeenBeat {
  /** Seconds from the beginning of the stretch. */
  readonly at: number
  /** Correlation with the usual beat, −1 to 1; 0 where its height is out of bounds or it lies at the edge. */
  readonly likeness: number
  readonly isUsual: boolean
}

/**
 * Learns the usual beat of a stretch, some 30 to 120 seconds long. It MUST be one without an alarm: else an illness becomes the usual.
 *
 * @returns undefined where no shape comes often enough, or too much is missing
 */
export function learnUsualBeat(samples: ArrayLike<number>, hertz: number, kind: BeatSignal): UsualBeat | undefined {
  const { values, missing } = fillSamples(samples)
  if (missing > MOST_MISSING) return undefined
  const { at, band } = detectBeats(values, hertz, kind)
  const shapes = at.flatMap(peak => shapeAt(band, peak, hertz, kind) ?? [])
  const step = Math.max(1, Math.floor(shapes.length / CANDIDATES))
  let best: Float64Array[] = []
  for (let i = 0; i < shapes.length; i += step) {
    const candidate = shapes[i]
    if (candidate == null) continue
    const alike = shapes.filter(shape => correlation(shape, candidate) >= ALIKE)
    if (alike.length > best.length) best = alike
  }
  if (best.length < LEAST_BEATS || best.length < LEAST_PART * shapes.length) return undefined
  const shape = new Float64Array(best[0]?.length ?? 0)
  for (const each of best)
    for (let i = 0; i < shape.length; i++) shape[i] = (shape[i] ?? 0) + (each[i] ?? 0) / best.length
  const intervals = at.slice(1).map((peak, i) => (peak - (at[i] ?? 0)) / hertz)
  return { kind, hertz, shape, height: heightOf(shape), part: best.length / shapes.length, interval: median(intervals) }
}

/** The beats of a stretch, held against the usual one. */
export function compareBeats(samples: ArrayLike<number>, usual: UsualBeat): SeenBeat[] {
  const { kind, hertz } = usual
  const { at, band } = detectBeats(fillSamples(samples).values, hertz, kind)
  return at.map(peak => {
    const shape = shapeAt(band, peak, hertz, kind)
    const ratio = shape == null ? 0 : heightOf(shape) / usual.height
    const likeness = shape != null && ratio >= HEIGHTS[0] && ratio <= HEIGHTS[1] ? correlation(shape, usual.shape) : 0
    return { at: peak / hertz, likeness, isUsual: likeness >= ALIKE }
  })
}

/** Quality of a stretch in per cent: the part of its beats that look as usual. */
export function qualityOf(beats: readonly SeenBeat[]): number {
  return beats.length === 0 ? 0 : Math.round((100 * beats.filter(beat => beat.isUsual).length) / beats.length)
}

/** The middle one of some numbers; 0 of none. */
function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0
}

function shapeAt(band: Float64Array, peak: number, hertz: number, kind: BeatSignal): Float64Array | undefined {
  const [before, after] = SHAPE[kind]
  const from = peak - Math.round(before * hertz)
  const to = peak + Math.round(after * hertz) + 1
  if (from < 0 || to > band.length) return undefined
  const shape = band.slice(from, to)
  const mean = shape.reduce((sum, value) => sum + value, 0) / shape.length
  return shape.map(value => value - mean)
}

function heightOf(shape: Float64Array): number {
  let [least, most] = [0, 0]
  for (const value of shape) {
    if (value < least) least = value
    if (value > most) most = value
  }
  return most - least
}

/** Pearson's correlation of two shapes whose means are 0. */
function correlation(a: Float64Array, b: Float64Array): number {
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

/** Takes one sample through the gate into the values, the rates and the baselines (docs/specs/quality-gate.md). */
import { READING_FLAGS } from '#core/batch/reading.ts'
import { MAX_EVIDENCE, type EvidenceValue } from '#core/clinical/alert.ts'
import { closeMinute, minuteOf, type Baseline } from '#core/clinical/baseline.ts'
import { MAX_STREAMS, type EngineState, type VitalState } from '#core/clinical/engine-state.ts'
import { judgeSample, type Sample, type StreamState } from '#core/clinical/gate.ts'
import { isAtLimit } from '#core/clinical/limits.ts'
import { PLACE_OF, indexOf } from '#core/clinical/pack-index.ts'
import { doubtedRate, isRate, takeRate } from '#core/clinical/rates.ts'
import type { RulePack } from '#core/clinical/rule-pack.ts'
import type { SaturationScale } from '#core/clinical/score.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

const EVIDENCE_MS = 1000
const BY_OXIMETER: readonly VitalCode[] = ['pulseRate', 'oxygenSaturation']

/** What became of a sample. */
export interface Intake {
  readonly state: EngineState
  /** To be added to the reading's flags. */
  readonly flags: number
}

/**
 * Judges a sample and takes it in.
 *
 * @param isFrozen - an alarm is active: nothing is learned
 */
export function takeSample(
  pack: RulePack,
  scale: SaturationScale,
  state: EngineState,
  sample: Sample,
  isFrozen: boolean
): Intake {
  const index = indexOf(pack)
  const rule = index.vitals[PLACE_OF[sample.vital]]
  if (rule == null) return { state, flags: 0 }
  const { vital, milli, atMs } = sample
  const place = state.streams.findIndex(each => each.vital === vital && each.device === sample.device)
  const isRed = milli !== null && isBeyondRed(pack, scale, vital, milli)
  const isZeroMissing =
    rule.zero === 'missing' || (rule.zero === 'missingWithHeart' && state.vitals[PLACE_OF.heartRate]?.isHeld === true)
  const verdict = judgeSample({ rule, gate: pack.gate, isRed, isZeroMissing }, state.streams[place], sample)
  // A value that can be one is compared with the other rate even where it is not believed.
  const isPossible =
    milli !== null && (verdict.isUsable || (verdict.stream?.jump?.atMs === atMs && verdict.flags !== 0))
  const rates = isPossible && isRate(vital) ? takeRate(pack.gate, state.rates, vital, milli, atMs) : state.rates
  const isDoubted =
    verdict.isUsable &&
    !isRed &&
    (doubtedRate(pack.gate, rates, atMs) === vital || isPoorlyPerfused(pack, state, vital, atMs))
  const isUsable = verdict.isUsable && !isDoubted
  const flags = verdict.flags | (isDoubted ? READING_FLAGS.artefact : 0)
  const next = {
    ...state,
    rates,
    streams: verdict.stream == null ? state.streams : withStream(state.streams, place, verdict.stream),
    vitals: withVital(state.vitals, vital, { milli: isUsable ? milli : null, atMs, flags: sample.flags | flags }),
    baselines: withBaseline(pack, state.baselines, vital, { milli: isUsable ? milli : null, atMs, isFrozen })
  }
  return { state: next, flags }
}

/** Tells whether a value is beyond a limit that never adapts. */
function isBeyondRed(pack: RulePack, scale: SaturationScale, vital: VitalCode, milli: number): boolean {
  const limits = indexOf(pack).red[PLACE_OF[vital]] ?? []
  return limits.some(test => (test.scale === 0 || test.scale === scale) && isAtLimit(test.side, milli, test.limitMilli))
}

function isPoorlyPerfused(pack: RulePack, state: EngineState, vital: VitalCode, atMs: number): boolean {
  const perfusion = state.vitals[PLACE_OF.perfusionIndex]
  if (perfusion?.milli == null || perfusion.isHeld || !BY_OXIMETER.includes(vital)) return false
  const validMs = indexOf(pack).vitals[PLACE_OF.perfusionIndex]?.validMs ?? 0
  return atMs - perfusion.atMs <= validMs && perfusion.milli < pack.gate.perfusionMilli
}

function withStream(streams: readonly StreamState[], place: number, stream: StreamState): readonly StreamState[] {
  if (place >= 0) return streams.with(place, stream)
  return streams.length < MAX_STREAMS ? [...streams, stream] : streams
}

function withVital(
  vitals: EngineState['vitals'],
  vital: VitalCode,
  { milli, atMs, flags }: EvidenceValue
): EngineState['vitals'] {
  const place = PLACE_OF[vital]
  const last = vitals[place]
  const recent = withEvidence(last?.recent ?? [], { milli, atMs, flags })
  if (milli === null) {
    const held: VitalState = last ?? { milli: null, atMs, isHeld: true, sameMs: atMs, recent }
    return vitals.with(place, { ...held, isHeld: true, recent })
  }
  const sameMs = last?.milli === milli ? last.sameMs : atMs
  return vitals.with(place, { milli, atMs, isHeld: false, sameMs, recent })
}

/** Keeps the first value of each second. */
function withEvidence(recent: readonly EvidenceValue[], value: EvidenceValue): readonly EvidenceValue[] {
  const last = recent.at(-1)
  if (last != null && value.atMs - last.atMs < EVIDENCE_MS) return recent
  return [...recent.slice(1 - MAX_EVIDENCE), value]
}

function withBaseline(
  pack: RulePack,
  baselines: readonly Baseline[],
  vital: VitalCode,
  { milli, atMs, isFrozen }: { readonly milli: number | null; readonly atMs: number; readonly isFrozen: boolean }
): readonly Baseline[] {
  const { vitals, baselines: places } = indexOf(pack)
  const place = places[PLACE_OF[vital]] ?? -1
  const rule = vitals[PLACE_OF[vital]]
  let baseline = baselines[place]
  if (baseline == null || rule == null) return baselines
  const minute = minuteOf(atMs)
  if (baseline.minute !== minute) baseline = { ...closeMinute(baseline, rule, pack.adapt), minute }
  const isTainted = baseline.isTainted || milli === null || isFrozen
  return baselines.with(place, {
    ...baseline,
    isTainted,
    sum: baseline.sum + (milli ?? 0),
    count: baseline.count + (milli === null ? 0 : 1)
  })
}

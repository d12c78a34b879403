/** What each kind of alarm rule sees in the state: bad, good, or nothing that would tell (docs/specs/alarm.md). */
import { hasDrifted } from '#core/clinical/baseline.ts'
import type { Condition, Seen } from '#core/clinical/condition.ts'
import type { EngineState, VitalState } from '#core/clinical/engine-state.ts'
import { isAtLimit } from '#core/clinical/limits.ts'
import { PLACE_OF, indexOf } from '#core/clinical/pack-index.ts'
import type { AlarmTest, RulePack } from '#core/clinical/rule-pack.ts'
import type { SaturationScale } from '#core/clinical/score.ts'
import type { Values, VitalCode } from '#core/clinical/vital.ts'

/** What a rule sees, with what of it was missing. */
export interface Sight {
  readonly seen: Seen
  readonly missing: number
}

/** By what and when a rule looks. */
export interface View {
  readonly pack: RulePack
  readonly scale: SaturationScale
  readonly state: EngineState
  readonly nowMs: number
}

const sight = (seen: Seen, missing = 0): Sight => ({ seen, missing })

function isValid({ pack, nowMs }: View, vital: VitalCode, value: VitalState): boolean {
  const validMs = indexOf(pack).vitals[PLACE_OF[vital]]?.validMs ?? 0
  return validMs === 0 || nowMs - value.atMs <= validMs
}

/** The values that count now. What the last report withheld still counts until its time is over. */
export function valuesNow(pack: RulePack, vitals: EngineState['vitals'], nowMs: number): Values {
  const values: Partial<Record<VitalCode, number>> = {}
  for (const { vital, validMs } of pack.vitals) {
    const value = vitals[PLACE_OF[vital]]
    if (value?.milli != null && (validMs === 0 || nowMs - value.atMs <= validMs)) values[vital] = value.milli
  }
  return values
}

/** The vital sign of a limit rule that counts now: the first that is known, valid and was not withheld. */
export function vitalSeen(view: View, vitals: readonly VitalCode[]): { vital: VitalCode; milli: number } | undefined {
  for (const vital of vitals) {
    const value = view.state.vitals[PLACE_OF[vital]]
    if (value?.milli != null && !value.isHeld && isValid(view, vital, value)) return { vital, milli: value.milli }
  }
  return undefined
}

/**
 * What the rule with this number sees.
 *
 * @param condition - as it stands: a score that misses more than when it was bad cannot be good
 */
export function look(view: View, rule: number, test: AlarmTest, condition: Condition): Sight {
  switch (test.on) {
    case 'limit': {
      if (test.scale !== 0 && test.scale !== view.scale) return sight('good')
      const found = vitalSeen(view, test.vitals)
      if (found == null) return sight('unknown')
      return sight(isAtLimit(test.side, found.milli, view.state.limits[rule] ?? test.limitMilli) ? 'bad' : 'good')
    }
    case 'score':
      return lookAtScore(view, test, condition)
    case 'drift': {
      const baseline = view.state.baselines.find(each => each.vital === test.vital)
      return sight(baseline != null && hasDrifted(baseline, view.pack.adapt) ? 'bad' : 'good')
    }
    case 'technical':
      return sight(isFaulty(view, test) ? 'bad' : 'good')
  }
}

function lookAtScore({ pack, state }: View, test: Extract<AlarmTest, { on: 'score' }>, condition: Condition): Sight {
  const place = pack.scores.findIndex(each => each.name === test.score)
  const score = state.scores[place]
  if (score == null) return sight('unknown')
  if (score.risk >= test.fromRisk) return sight('bad', score.missing)
  return sight((score.missing & ~condition.missing) === 0 ? 'good' : 'unknown', score.missing)
}

function isFaulty(view: View, test: Extract<AlarmTest, { on: 'technical' }>): boolean {
  const { state } = view
  switch (test.cause) {
    case 'silent':
      return test.vitals.some(vital => isExpired(view, vital))
    case 'heartSignalLost':
      return test.vitals.some(vital => state.vitals[PLACE_OF[vital]] != null) && vitalSeen(view, test.vitals) == null
    case 'ratesDisagree':
      return state.rates.differSinceMs != null
    case 'frozen':
      return test.vitals.some(vital => isFrozen(view, vital))
    case 'linkLost':
    case 'clockBad':
    case 'diskNearlyFull':
    case 'keyStore':
    case 'alarmPath':
    case 'gap':
      return state.causes.includes(test.cause)
  }
}

function isExpired(view: View, vital: VitalCode): boolean {
  const value = view.state.vitals[PLACE_OF[vital]]
  return value != null && !isValid(view, vital, value)
}

function isFrozen(view: View, vital: VitalCode): boolean {
  const value = view.state.vitals[PLACE_OF[vital]]
  const frozenMs = indexOf(view.pack).vitals[PLACE_OF[vital]]?.frozenMs ?? 0
  return value != null && frozenMs > 0 && isValid(view, vital, value) && view.nowMs - value.sameMs >= frozenMs
}

/** What people and the technique tell the engine (docs/specs/alarm.md): acknowledge, pause, switch off, confirm, a cause. */
import { equalBytes } from '#core/encoding/bytes.ts'
import { acknowledgeRule, type Said } from '#core/clinical/alarms.ts'
import { QUIET } from '#core/clinical/condition.ts'
import type { EngineState, Input, Rules } from '#core/clinical/engine-state.ts'
import { CAUSES, type Cause } from '#core/clinical/rule-pack.ts'
import type { View } from '#core/clinical/seen.ts'

/** An input that is neither a sample nor time alone. */
export type Act = Exclude<Input, { type: 'sample' | 'time' | 'resume' }>

/** Takes in what someone did. What names no alarm, or what may not be, changes nothing. */
export function actOn(rules: Rules, view: View, act: Act): Said {
  const { state, pack, nowMs } = view
  switch (act.type) {
    case 'technical':
      return { state: withCause(state, act.cause, act.isBad), events: [] }
    case 'confirm':
      return { state: withConfirmed(state, act.alert, act.person), events: [] }
    case 'acknowledge':
      return acknowledgeRule(rules, view, act.rule, act.person)
    case 'pause': {
      const forMs = Math.min(act.forMs, pack.timers.maxPauseMs)
      return { state: { ...state, pausedUntilMs: forMs > 0 ? nowMs + forMs : null }, events: [] }
    }
    case 'off':
      return { state: withOff(view, act.rule, act.forMs), events: [] }
  }
}

function withCause(state: EngineState, cause: Cause, isBad: boolean): EngineState {
  const causes = CAUSES.filter(each => (each === cause ? isBad : state.causes.includes(each)))
  return { ...state, causes }
}

function withConfirmed(state: EngineState, alert: Uint8Array, person: number): EngineState {
  const escalations = state.escalations.map(each =>
    equalBytes(each.alert, alert) && each.person === person ? { ...each, isConfirmed: true } : each
  )
  return { ...state, escalations }
}

/** Switches a rule off, or with 0 on again. One that is active has to be acknowledged first. */
function withOff({ state, pack, nowMs }: View, name: string, wantedMs: number): EngineState {
  const number = pack.alarms.findIndex(each => each.name === name)
  const rule = pack.alarms[number]
  const condition = state.conditions[number]
  if (rule?.mayBeOff !== true || condition == null || condition.phase === 'active') return state
  const forMs = Math.min(wantedMs, pack.timers.maxOffMs)
  const off = { ...QUIET, offUntilMs: nowMs + forMs, remindMs: nowMs + pack.timers.remindMs }
  return { ...state, conditions: state.conditions.with(number, forMs > 0 ? off : QUIET) }
}

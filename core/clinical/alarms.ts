/** Takes what the rules see into their conditions, and makes alerts of what changes (docs/specs/alarm.md). */
import { encodeAlert, type Alert } from '#core/clinical/alert.ts'
import { acknowledge, observe, type Condition } from '#core/clinical/condition.ts'
import type { AlertEvent, EngineState, Event, Rules, Signal } from '#core/clinical/engine-state.ts'
import { stateDigest } from '#core/clinical/engine-state-form.ts'
import { beginEscalation, escalate } from '#core/clinical/escalation.ts'
import { PLACE_OF } from '#core/clinical/pack-index.ts'
import { PRIORITIES, type AlarmRule, type AlarmTest } from '#core/clinical/rule-pack.ts'
import { look, vitalSeen, type View } from '#core/clinical/seen.ts'
import { VITALS, type VitalCode } from '#core/clinical/vital.ts'

/** A state with what was said on the way to it. */
export interface Said {
  readonly state: EngineState
  readonly events: readonly Event[]
}

/** Lets the rules with these numbers look. */
export function observeRules(rules: Rules, view: View, numbers: readonly number[]): Said {
  let { state } = view
  const events: Event[] = []
  for (const number of numbers) {
    const rule = view.pack.alarms[number]
    const condition = state.conditions[number]
    if (rule == null || condition == null) continue
    const step = observe(rule, condition, { ...look(view, number, rule.test, condition), nowMs: view.nowMs })
    if (step.condition === condition) continue
    state = { ...state, conditions: state.conditions.with(number, step.condition) }
    if (step.change == null) continue
    const begun = step.change === 'onset' ? step.condition : condition
    const said = tell(rules, { ...view, state }, { number, rule, condition: begun, kind: step.change, person: null })
    state = said.state
    events.push(...said.events)
  }
  return { state, events }
}

/** Someone acknowledges the alarm of a rule; nothing happens if it is not active. */
export function acknowledgeRule(rules: Rules, view: View, name: string, person: number): Said {
  const { pack, state, nowMs } = view
  const number = pack.alarms.findIndex(each => each.name === name)
  const rule = pack.alarms[number]
  const condition = state.conditions[number]
  if (rule == null || condition == null || condition.phase !== 'active') return { state, events: [] }
  const step = acknowledge(condition, nowMs + pack.timers.remindMs)
  const after = { ...forgiveDrift(state, rule.test), conditions: state.conditions.with(number, step.condition) }
  const kind = step.change === 'cleared' ? 'cleared' : 'acknowledged'
  return tell(rules, { ...view, state: after }, { number, rule, condition, kind, person })
}

/** Someone has seen the drift: from here on it is measured anew, and the baseline may follow. */
function forgiveDrift(state: EngineState, test: AlarmTest): EngineState {
  if (test.on !== 'drift') return state
  const baselines = state.baselines.map(each => (each.vital === test.vital ? { ...each, above: 0, below: 0 } : each))
  return { ...state, baselines }
}

interface Change {
  readonly number: number
  readonly rule: AlarmRule
  readonly condition: Condition
  readonly kind: Alert['kind']
  readonly person: number | null
}

/** Makes the alert of a change and sends it on its way. */
function tell(rules: Rules, view: View, change: Change): Said {
  const { p } = rules
  const { state, nowMs } = view
  const { number, rule, kind } = change
  const bytes = encodeAlert(alertOf(rules, view, change))
  const id = p.sha256(bytes)
  const alert: AlertEvent = { type: 'alert', atMs: nowMs, id, bytes, rule: rule.name, priority: rule.priority, kind }
  const others = state.escalations.filter(each => each.rule !== number)
  const isUrgent = kind === 'onset' && rule.priority !== 'info' && rule.priority !== 'low'
  const escalations = isUrgent ? [...others, beginEscalation(number, id, nowMs)] : others
  const next = { ...state, escalations, alertCount: state.alertCount + 1, lastAlert: id }
  if (rule.priority === 'info') return { state: next, events: [alert] }
  return { state: next, events: [alert, { type: 'deliver', atMs: nowMs, alert: id, person: 0, channel: 0 }] }
}

function alertOf(rules: Rules, view: View, { rule, condition, kind, person, number }: Change): Alert {
  const { state, nowMs, pack } = view
  const { test } = rule
  const found = test.on === 'limit' ? vitalSeen(view, test.vitals) : undefined
  const shown: readonly VitalCode[] = test.on === 'limit' || test.on === 'technical' ? test.vitals : VITALS
  return {
    ...{ gateway: rules.gateway, patient: rules.patient, sequence: state.alertCount + 1, previous: state.lastAlert },
    ...{ kind, rule: rule.name, priority: rule.priority, atMs: nowMs, sinceMs: condition.sinceMs, person },
    isTechnical: test.on === 'technical',
    vital: found?.vital ?? (test.on === 'drift' ? test.vital : null),
    milli: found?.milli ?? null,
    limitMilli: test.on === 'limit' ? (state.limits[number] ?? null) : null,
    scores: pack.scores.flatMap(({ name }, i) => {
      const score = state.scores[i]
      return score == null ? [] : [{ name, ...score }]
    }),
    pack: rules.trusted.digest,
    order: rules.order?.digest ?? null,
    state: stateDigest(rules.p, state),
    evidence: shown.flatMap(vital => {
      const value = state.vitals[PLACE_OF[vital]]
      return value == null ? [] : [{ vital, values: value.recent }]
    })
  }
}

/** Sends what nobody confirmed or acknowledged on its way further. */
export function escalateAll({ chain }: Rules, view: View): Said {
  const { state, pack, nowMs } = view
  if (state.escalations.length === 0) return { state, events: [] }
  const events: Event[] = []
  const escalations = state.escalations.map(at => {
    const next = escalate(pack.timers, chain, at, nowMs)
    const { alert, person, channel } = next
    if (next !== at) events.push({ type: 'deliver', atMs: nowMs, alert, person, channel })
    return next
  })
  return events.length === 0 ? { state, events } : { state: { ...state, escalations }, events }
}

/** What is to signal at the bedside now. */
export function signalOf({ pack, state }: View): Signal {
  const active = pack.alarms.filter(({ priority }, i) => priority !== 'info' && state.conditions[i]?.phase === 'active')
  const isDown = active.some(({ test }) => test.on === 'technical' && test.cause === 'alarmPath')
  // A pause is of the sound; it does not silence that nobody can be told.
  if (state.pausedUntilMs != null && !isDown) return { priority: null, isUrged: false }
  const priority = PRIORITIES.find(each => active.some(rule => rule.priority === each)) ?? null
  return { priority, isUrged: isDown || (priority !== null && state.escalations.some(each => each.isUrged)) }
}

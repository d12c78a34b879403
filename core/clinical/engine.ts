/**
 * The clinical engine: samples, time and what people do in; scores, limits, alerts and what must be delivered out
 * (docs/specs/alarm.md). A fold: the same rules and the same inputs give the same events, byte for byte. What falls due
 * between two inputs happens at its own time, so that it does not matter how often time alone is told.
 */
import { escalateAll, observeRules, signalOf, type Said } from '#core/clinical/alarms.ts'
import { closeMinute } from '#core/clinical/baseline.ts'
import { dueOf } from '#core/clinical/condition.ts'
import type { EngineState, Event, Input, Rules, Step } from '#core/clinical/engine-state.ts'
import { escalationDue } from '#core/clinical/escalation.ts'
import { takeSample } from '#core/clinical/intake.ts'
import { limitNow } from '#core/clinical/limits.ts'
import { actOn } from '#core/clinical/operator.ts'
import { PLACE_OF, indexOf } from '#core/clinical/pack-index.ts'
import { scoreOf, type SaturationScale } from '#core/clinical/score.ts'
import { valuesNow, type View } from '#core/clinical/seen.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

const MINUTE_MS = 60_000
const HALF_HOUR = 30

/** Most moments between two inputs at which something falls due; beyond, time jumps, for nobody was there. */
const MAX_DUES = 100_000

/** Takes one input. */
export function step(rules: Rules, before: EngineState, input: Input): Step {
  const events: Event[] = []
  let state = before
  const atMs = Math.max(input.atMs, state.nowMs)
  if (input.type === 'resume' || state.nowMs === 0) state = { ...state, nowMs: atMs }
  // What was due at the very moment of the last input came after all inputs of that moment: it comes now.
  let due = nextDue(rules, state, state.nowMs - 1)
  for (let count = 0; count < MAX_DUES && due < atMs; count++) {
    state = collect(events, settle(rules, { ...state, nowMs: due }, due))
    due = nextDue(rules, state, due)
  }
  state = { ...state, nowMs: atMs }
  if (input.type === 'time' || input.type === 'resume') return { state, events, flags: 0 }
  const view = viewOf(rules, state, atMs)
  if (input.type !== 'sample') {
    state = collect(events, actOn(rules, view, input))
    return { state: collect(events, settle(rules, state, atMs)), events, flags: 0 }
  }
  const taken = takeSample(view.pack, view.scale, state, { ...input, atMs }, isAlarmed(view))
  return { state: collect(events, settleSample(rules, state, taken.state, input.vital)), events, flags: taken.flags }
}

function collect(events: Event[], said: Said): EngineState {
  events.push(...said.events)
  return said.state
}

/** Scale of saturation at a time: the order's while it counts. */
export function scaleAt({ order: trusted }: Pick<Rules, 'order'>, nowMs: number): SaturationScale {
  return trusted != null && isInForce(trusted.order, nowMs) ? trusted.order.scale : 1
}

function isInForce({ fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number }, nowMs: number): boolean {
  return nowMs >= fromMs && nowMs < untilMs
}

function viewOf(rules: Rules, state: EngineState, nowMs: number): View {
  return { pack: rules.trusted.pack, scale: scaleAt(rules, nowMs), state, nowMs }
}

/** Tells whether anything about the patient, not the technique, is alarming: nothing is learned meanwhile. */
function isAlarmed({ pack, state }: View): boolean {
  return indexOf(pack).patientRules.some(number => state.conditions[number]?.phase !== 'inactive')
}

/** Brings everything that follows from the state at a moment up to date. */
function settle(rules: Rules, before: EngineState, nowMs: number): Said {
  const { pack } = rules.trusted
  const events: Event[] = []
  let state = collect(events, closeMinutes(rules, before, nowMs))
  state = collect(events, moveLimits(rules, state, nowMs))
  state = collect(events, score(rules, state, nowMs, pack.scores.keys()))
  state = endPauses(state, nowMs)
  state = collect(events, observeRules(rules, viewOf(rules, state, nowMs), indexOf(pack).all))
  state = collect(events, escalateAll(rules, viewOf(rules, state, nowMs)))
  state = collect(events, remind(rules, state, nowMs))
  return { state: collect(events, signal(rules, state, nowMs)), events }
}

/** The same after a sample: what does not depend on its vital sign has not changed. */
function settleSample(rules: Rules, before: EngineState, taken: EngineState, vital: VitalCode): Said {
  const { pack } = rules.trusted
  const { nowMs } = taken
  const place = PLACE_OF[vital]
  const index = indexOf(pack)
  const events: Event[] = []
  let state = taken
  const learned = index.baselines[place] ?? -1
  const [old, now] = [before.baselines[learned], taken.baselines[learned]]
  if (old?.median !== now?.median || old?.sigma !== now?.sigma) state = collect(events, moveLimits(rules, state, nowMs))
  state = collect(events, score(rules, state, nowMs, index.scores[place] ?? []))
  const isScored = state.scores !== before.scores
  const numbers = index.rules[place] ?? []
  const looking = isScored ? [...numbers, ...index.scoreRules] : numbers
  state = collect(events, observeRules(rules, viewOf(rules, state, nowMs), looking))
  if (state.conditions === before.conditions) return { state, events }
  return { state: collect(events, signal(rules, state, nowMs)), events }
}

/** What signals at the bedside, where that changes. */
function signal(rules: Rules, state: EngineState, nowMs: number): Said {
  const next = signalOf(viewOf(rules, state, nowMs))
  const { priority, isUrged } = state.signal
  if (next.priority === priority && next.isUrged === isUrged) return { state, events: [] }
  return { state: { ...state, signal: next }, events: [{ type: 'signal', atMs: nowMs, ...next }] }
}

function closeMinutes(rules: Rules, state: EngineState, nowMs: number): Said {
  const { pack } = rules.trusted
  const events: Event[] = []
  const isFrozen = isAlarmed(viewOf(rules, state, nowMs))
  const baselines = state.baselines.map(baseline => {
    const rule = indexOf(pack).vitals[PLACE_OF[baseline.vital]]
    if (rule == null || baseline.count === 0 || nowMs < (baseline.minute + 1) * MINUTE_MS) return baseline
    const closed = closeMinute({ ...baseline, isTainted: baseline.isTainted || isFrozen }, rule, pack.adapt)
    const { slopePerHour } = closed
    const isSteep = rule.trendMilliPerHour > 0 && Math.abs(slopePerHour) >= rule.trendMilliPerHour
    // Once in half an hour: a slope over that time changes no faster.
    if (isSteep && baseline.minute % HALF_HOUR === 0) {
      events.push({ type: 'trend', atMs: nowMs, vital: baseline.vital, milliPerHour: slopePerHour })
    }
    return closed
  })
  return baselines.some((each, i) => each !== state.baselines[i])
    ? { state: { ...state, baselines }, events }
    : { state, events }
}

function moveLimits(rules: Rules, state: EngineState, nowMs: number): Said {
  const { pack } = rules.trusted
  const order = rules.order != null && isInForce(rules.order.order, nowMs) ? rules.order.order : undefined
  const events: Event[] = []
  let { limits } = state
  for (const [i, { name, test }] of pack.alarms.entries()) {
    if (test.on !== 'limit' || test.floorMilli == null) continue
    const corridor = order?.corridors.find(each => each.rule === name)
    const baseline = state.baselines.find(each => each.vital === test.vitals[0])
    const toMilli = limitNow(test, corridor, baseline, pack.adapt)
    const fromMilli = limits[i] ?? test.limitMilli
    if (toMilli === fromMilli) continue
    limits = limits.with(i, toMilli)
    events.push({ type: 'limit', atMs: nowMs, rule: name, fromMilli, toMilli })
  }
  return events.length === 0 ? { state, events } : { state: { ...state, limits }, events }
}

function score(rules: Rules, state: EngineState, nowMs: number, numbers: Iterable<number>): Said {
  const { pack } = rules.trusted
  const values = valuesNow(pack, state.vitals, nowMs)
  const scale = scaleAt(rules, nowMs)
  const events: Event[] = []
  let { scores } = state
  for (const i of numbers) {
    const table = pack.scores[i]
    if (table == null) continue
    const { total, risk, missing } = scoreOf(table, values, scale)
    const last = scores[i]
    if (last != null && last.total === total && last.risk === risk && last.missing === missing) continue
    scores = scores.with(i, { total, risk, missing })
    events.push({ type: 'score', atMs: nowMs, name: table.name, total, risk, missing })
  }
  return events.length === 0 ? { state, events } : { state: { ...state, scores }, events }
}

/** What was paused or off comes back by itself. */
function endPauses(state: EngineState, nowMs: number): EngineState {
  const isOver = state.pausedUntilMs != null && nowMs >= state.pausedUntilMs
  const isBack = state.conditions.some(({ offUntilMs }) => offUntilMs != null && nowMs >= offUntilMs)
  if (!isOver && !isBack) return state
  const conditions = state.conditions.map(each =>
    each.offUntilMs != null && nowMs >= each.offUntilMs ? { ...each, offUntilMs: null, remindMs: null } : each
  )
  return { ...state, conditions, pausedUntilMs: isOver ? null : state.pausedUntilMs }
}

function remind(rules: Rules, state: EngineState, nowMs: number): Said {
  const { alarms, timers } = rules.trusted.pack
  const events: Event[] = []
  if (!state.conditions.some(({ remindMs }) => remindMs != null && nowMs >= remindMs)) return { state, events }
  const conditions = state.conditions.map((each, i) => {
    if (each.remindMs == null || nowMs < each.remindMs) return each
    const why = each.offUntilMs != null ? 'off' : 'acknowledged'
    events.push({ type: 'reminder', atMs: nowMs, rule: alarms[i]?.name ?? '', why })
    return { ...each, remindMs: nowMs + timers.remindMs }
  })
  return { state: { ...state, conditions }, events }
}

/** The next moment after a given one at which something happens by itself. */
function nextDue({ trusted: { pack }, order }: Rules, state: EngineState, nowMs: number): number {
  let due = Infinity
  const consider = (atMs: number): void => {
    if (atMs > nowMs && atMs < due) due = atMs
  }
  for (const [i, rule] of pack.alarms.entries()) {
    const condition = state.conditions[i]
    if (condition != null) consider(dueOf(rule, condition, nowMs))
  }
  for (const each of state.escalations) consider(escalationDue(pack.timers, each))
  for (const { vital, validMs, frozenMs } of pack.vitals) {
    const value = state.vitals[PLACE_OF[vital]]
    if (value != null && validMs > 0) consider(value.atMs + validMs + 1)
    if (value != null && frozenMs > 0) consider(value.sameMs + frozenMs)
  }
  for (const { count, minute } of state.baselines) if (count > 0) consider((minute + 1) * MINUTE_MS)
  if (state.pausedUntilMs != null) consider(state.pausedUntilMs)
  if (order != null) {
    consider(order.order.fromMs)
    consider(order.order.untilMs)
  }
  return due
}

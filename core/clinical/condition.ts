/**
 * One alarm condition, from its first sign to its end (docs/specs/alarm.md): inactive → pending → active → acknowledged → inactive.
 *
 * @see IEC 60601-1-8, for the words: structure read, text not at hand
 */
import type { AlarmRule } from '#core/clinical/rule-pack.ts'

/** Where a condition is. */
export const PHASES = ['inactive', 'pending', 'active', 'acknowledged'] as const

/** One of {@link PHASES}. */
export type Phase = (typeof PHASES)[number]

/** What a rule sees: bad, good, or nothing that would tell. */
export type Seen = 'bad' | 'good' | 'unknown'

/** The state of one rule. Times are milliseconds since 1970. */
export interface Condition {
  readonly phase: Phase
  /** Bad since. */
  readonly sinceMs: number
  /** Seen bad the last time. */
  readonly badMs: number
  /** Good since; null while it is bad. */
  readonly goodMs: number | null
  /** What was missing when it was seen bad; good without more missing than that is good. */
  readonly missing: number
  /** The cause is gone, and it stays for someone to acknowledge. */
  readonly isGone: boolean
  /** Switched off until then; null if it is not. */
  readonly offUntilMs: number | null
  /** When whoever acknowledged it or switched it off is reminded; null if nobody is. */
  readonly remindMs: number | null
}

/** A condition that nothing was seen of. */
export const QUIET: Condition = {
  ...{
    phase: 'inactive',
    sinceMs: 0,
    badMs: 0,
    goodMs: null,
    missing: 0,
    isGone: false,
    offUntilMs: null,
    remindMs: null
  }
}

/** A pending condition that nothing is seen of for so long was nothing. */
const FORGET_MS = 60_000

/** What became of a condition. */
export interface ConditionStep {
  readonly condition: Condition
  readonly change: 'onset' | 'cleared' | null
}

/** What a rule saw, and when. */
export interface Observation {
  readonly seen: Seen
  readonly missing: number
  readonly nowMs: number
}

/** Takes what a rule sees into its condition. */
export function observe(rule: AlarmRule, condition: Condition, { seen, missing, nowMs }: Observation): ConditionStep {
  const same: ConditionStep = { condition, change: null }
  if (condition.offUntilMs != null) return same
  switch (condition.phase) {
    case 'inactive':
      return seen === 'bad' ? onBad(rule, { ...QUIET, phase: 'pending', sinceMs: nowMs }, missing, nowMs) : same
    case 'pending':
      if (seen === 'bad') return onBad(rule, condition, missing, nowMs)
      if (seen === 'unknown' && nowMs - condition.badMs <= FORGET_MS) return same
      return { condition: QUIET, change: null }
    case 'active':
    case 'acknowledged':
      if (seen === 'unknown') return same
      if (seen === 'bad') {
        const isSame = condition.goodMs === null && condition.missing === missing && !condition.isGone
        if (isSame && condition.badMs === nowMs) return same
        return { condition: { ...condition, badMs: nowMs, goodMs: null, missing, isGone: false }, change: null }
      }
      return onGood(rule, condition, nowMs)
  }
}

function onBad(rule: AlarmRule, condition: Condition, missing: number, nowMs: number): ConditionStep {
  const seen = { ...condition, badMs: nowMs, missing }
  if (nowMs - condition.sinceMs < rule.delayMs) return { condition: seen, change: null }
  return { condition: { ...seen, phase: 'active' }, change: 'onset' }
}

function onGood(rule: AlarmRule, condition: Condition, nowMs: number): ConditionStep {
  const goodMs = condition.goodMs ?? nowMs
  const good = condition.goodMs === null ? { ...condition, goodMs } : condition
  if (condition.isGone || nowMs - goodMs < rule.clearMs) return { condition: good, change: null }
  if (rule.isLatched && condition.phase === 'active') return { condition: { ...good, isGone: true }, change: null }
  return { condition: QUIET, change: 'cleared' }
}

/** Someone has seen the alarm. One whose cause is gone ends with that. */
export function acknowledge(condition: Condition, remindMs: number): ConditionStep {
  if (condition.phase !== 'active') return { condition, change: null }
  if (condition.isGone) return { condition: QUIET, change: 'cleared' }
  return { condition: { ...condition, phase: 'acknowledged', remindMs }, change: null }
}

/** When something of the condition changes by itself after `nowMs` if nothing new is seen; infinite if nothing does. */
export function dueOf(rule: AlarmRule, condition: Condition, nowMs: number): number {
  const { phase, sinceMs, badMs, goodMs, isGone, offUntilMs, remindMs } = condition
  if (phase === 'inactive' && offUntilMs == null) return Infinity
  let due = Infinity
  const consider = (atMs: number): void => {
    if (atMs > nowMs && atMs < due) due = atMs
  }
  if (remindMs != null) consider(remindMs)
  if (offUntilMs != null) consider(offUntilMs)
  else if (phase === 'pending') {
    consider(sinceMs + rule.delayMs)
    consider(badMs + FORGET_MS + 1)
  } else if (phase !== 'inactive' && goodMs != null && !isGone) consider(goodMs + rule.clearMs)
  return due
}

/**
 * Who is told next (docs/specs/alarm.md): each person has channels; a message that is not confirmed goes by the next
 * channel, an alarm that nobody acknowledges to the next person.
 */
import type { AlarmTimers } from '#core/clinical/rule-pack.ts'

/** An alert that waits for someone. */
export interface Escalation {
  /** Number of its rule in the pack. */
  readonly rule: number
  /** Id of the alert, 32 bytes. */
  readonly alert: Uint8Array
  readonly person: number
  readonly channel: number
  /** When it was handed to that channel, and when that person was first told. */
  readonly sentMs: number
  readonly personMs: number
  readonly isConfirmed: boolean
  /** It went past a person who did not respond: whoever is near is called as well. */
  readonly isUrged: boolean
}

/** How an alert begins its way: with the first person's first channel. */
export function beginEscalation(rule: number, alert: Uint8Array, nowMs: number): Escalation {
  return {
    ...{ rule, alert, person: 0, channel: 0, sentMs: nowMs, personMs: nowMs },
    ...{ isConfirmed: false, isUrged: false }
  }
}

/**
 * Where an alert goes now; the same object if it stays where it is. Behind the last person the last is told again.
 *
 * @param chain - number of channels of each person, in order
 */
export function escalate(
  { confirmMs, respondMs }: AlarmTimers,
  chain: readonly number[],
  at: Escalation,
  nowMs: number
): Escalation {
  if (nowMs - at.personMs >= respondMs) {
    const person = Math.min(at.person + 1, chain.length - 1)
    return { ...at, person, channel: 0, sentMs: nowMs, personMs: nowMs, isConfirmed: false, isUrged: true }
  }
  if (at.isConfirmed || nowMs - at.sentMs < confirmMs) return at
  const channels = Math.max(1, chain[at.person] ?? 1)
  return { ...at, channel: (at.channel + 1) % channels, sentMs: nowMs }
}

/** When it goes on by itself, after `nowMs`. */
export function escalationDue({ confirmMs, respondMs }: AlarmTimers, at: Escalation): number {
  const respond = at.personMs + respondMs
  return at.isConfirmed ? respond : Math.min(respond, at.sentMs + confirmMs)
}

/** Emergencies as the chain has them, folded from its events. */
import type { DatedEvent } from '#core/agent/record-on-chain.ts'
import type { Hex } from '#core/chain/events.ts'

/** What a review found. */
export const REVIEW_OUTCOMES = ['unreviewed', 'justified', 'questionable', 'unjustified'] as const

/** An emergency that was declared. */
export interface EmergencyOnChain {
  readonly id: Hex
  readonly patient: Hex
  readonly credential: Hex
  readonly secondCredential: Hex
  readonly salt: Hex
  /** keccak-256 of the salted reason. */
  readonly reason: Hex
  /** Seconds since 1970, as `untilS`. */
  readonly sinceS: number
  /** When it ended or will; brought forward where it was ended. */
  readonly untilS: number
  readonly isEnded: boolean
  readonly isDisputed: boolean
  readonly outcome: (typeof REVIEW_OUTCOMES)[number]
}

/** All emergencies, in the order in which they were declared. */
export function foldEmergencies(events: readonly DatedEvent[]): EmergencyOnChain[] {
  const found = new Map<string, EmergencyOnChain>()
  const change = (id: string, fields: (known: EmergencyOnChain) => Partial<EmergencyOnChain>): void => {
    const known = found.get(id)
    if (known != null) found.set(id, { ...known, ...fields(known) })
  }
  for (const { event, timeS } of events) {
    if (event.name === 'GlassBroken') {
      const { emergency: id, patient, credential, secondCredential, salt, reason, expiresAt: untilS } = event
      const open = { isEnded: false, isDisputed: false, outcome: 'unreviewed' as const }
      found.set(id, { id, patient, credential, secondCredential, salt, reason, sinceS: timeS, untilS, ...open })
    } else if (event.name === 'EmergencyEnded') {
      change(event.emergency, ({ untilS }) => ({ untilS: Math.min(untilS, timeS), isEnded: true }))
    } else if (event.name === 'EmergencyDisputed') {
      change(event.emergency, () => ({ isDisputed: true }))
    } else if (event.name === 'EmergencyReviewed') {
      change(event.emergency, () => ({ outcome: REVIEW_OUTCOMES[event.outcome] ?? 'unreviewed' }))
    }
  }
  return [...found.values()]
}

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

/** A credential that was issued. */
export interface CredentialOnChain {
  readonly id: Hex
  /** Address, lower-case. */
  readonly holder: Hex
  readonly role: number
  /** Seconds since 1970. */
  readonly notBeforeS: number
  readonly expiresAtS: number
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

/** The credentials of a holder, oldest first. Which of them was revoked since, the contract says when one is used. */
export function credentialsOf(events: readonly DatedEvent[], holder: string): CredentialOnChain[] {
  const found: CredentialOnChain[] = []
  for (const { event } of events) {
    if (event.name !== 'CredentialIssued') continue
    const word = event.terms.toString(16).padStart(64, '0')
    const address: Hex = `0x${word.slice(24)}`
    if (address !== holder.toLowerCase()) continue
    const [role, expiresAtS, notBeforeS] = [word.slice(4, 8), word.slice(8, 16), word.slice(16, 24)].map(hex =>
      Number.parseInt(hex, 16)
    )
    const times = { role: role ?? 0, expiresAtS: expiresAtS ?? 0, notBeforeS: notBeforeS ?? 0 }
    found.push({ id: event.credential, holder: address, ...times })
  }
  return found
}

/** What became of a grant, with the places on the chain that prove it (docs/specs/consent.md). */
import type { ChainPlace, GrantHistory } from '#core/consent/explain.ts'
import type { DatedEvent } from '#core/agent/record-on-chain.ts'

/** An event with its place. */
export interface PlacedEvent extends DatedEvent {
  readonly blockNumber: number
  readonly transactionHash: string
  readonly logIndex: number
}

/**
 * The history of a grant.
 *
 * @param grantId - `0x…`
 * @returns null if the chain has no such grant
 */
export function grantHistoryIn(events: readonly PlacedEvent[], grantId: string): GrantHistory | null {
  let history = null as GrantHistory | null
  for (const each of events) {
    const { event, timeS: atS } = each
    if (!('grantId' in event) || event.grantId !== grantId) continue
    const place: ChainPlace = {
      contract: 'AccessGrants',
      blockNumber: each.blockNumber,
      transactionHash: each.transactionHash,
      logIndex: each.logIndex
    }
    if (event.name === 'Granted') {
      // Told again when it gets a slot of its own: it was granted the first time.
      const { grantedAt = place, claims = [], revoked = null } = history ?? {}
      history = { grantedAt, claims, revoked, terms: event.terms }
    } else if (history == null) continue
    else if (event.name === 'Claimed') history = { ...history, claims: [...history.claims, { atS, place }] }
    else history = { ...history, revoked: { atS, place } }
  }
  return history
}

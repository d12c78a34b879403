/** Granting once through custodians: planned, shared out, and kept as an operation before any of them hears of it. */
import type { Operation, PatientAccount } from '#core/agent/agent-state.ts'
import type { GrantWish } from '#core/agent/patient-grant.ts'
import { planSharedGrant } from '#core/agent/patient-shared-grant.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { shareOneTime } from '#core/custody/one-time.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { outgoing, type Custodian } from '#agent/custody/custodians.ts'

/** Who keeps the shares, and how many must meet. */
export interface CustodyChoice {
  readonly custodians: readonly Custodian[]
  readonly threshold: number
}

/** More than half, and at least two: as many as a group that no two halves of can both open. */
export function usualThreshold(count: number): number {
  return Math.max(2, Math.floor(count / 2) + 1)
}

/**
 * Plans the grant and its shares.
 *
 * @throws SalusError as `planSharedGrant` and `shareOneTime`
 */
export async function planSharing(
  { p, random }: { readonly p: Primitives; readonly random: Random },
  by: { readonly account: PatientAccount; readonly keys: AgentKeys },
  wish: GrantWish,
  { custodians, threshold }: CustodyChoice
): Promise<Pick<PatientAccount, 'state'> & Pick<Operation, 'messages' | 'shares'> & { readonly grantId: Uint8Array }> {
  const planned = planSharedGrant(p, random, by.account.state, wish)
  const { given, keys } = planned
  const { grantId } = given
  const urls = custodians.map(({ url }) => url)
  const grants = planned.state.grants.map(each => (each === given ? { ...given, custodians: urls } : each))
  const state = { ...planned.state, grants }
  const { shares } = await shareOneTime(
    { p, random, sharing: auditedSharing },
    { state, keys: by.keys },
    { document: given.document, expiresAtS: wish.expiresAt },
    { keys, entries: [] },
    { keepers: custodians.map(({ card }) => ({ bundle: card.bundle })), threshold }
  )
  return { state, grantId, messages: [], shares: outgoing(custodians, shares) }
}

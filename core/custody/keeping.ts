/** Which shares a keeper that is a person keeps (docs/specs/guardian-share.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import type { SealedShare } from '#core/custody/sealed-share.ts'

/**
 * The shares to keep once another one came: a higher revision takes the place of all before, which are deleted for good.
 *
 * @param incoming - opened and checked (core/custody/sealed-share.ts)
 * @throws SalusError `SHARE_STALE` if as new a one, or a newer one, is held
 */
export function keepNewest(held: readonly SealedShare[], incoming: SealedShare): SealedShare[] {
  const isSame = ({ plan }: SealedShare): boolean =>
    equalBytes(plan.network, incoming.plan.network) &&
    equalBytes(plan.patient, incoming.plan.patient) &&
    plan.rule === incoming.plan.rule &&
    sameSubject(plan.subject, incoming.plan.subject)
  const known = held.find(isSame)
  if (known != null && known.plan.revision >= incoming.plan.revision) {
    throw new SalusError('SHARE_STALE', 'Refused: a share as new as this one is kept already.')
  }
  return [...held.filter(each => !isSame(each)), incoming]
}

function sameSubject(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a == null || b == null ? a === b : equalBytes(a, b)
}

/** What a message that is not valid yet waits for; as long as the chain says the same of it, judging again is idle. */
import type { Hex } from '#core/chain/events.ts'
import type { ChainView } from '#core/chain/view.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import type { Accepted } from '#core/network/accept.ts'
import { DAY_S } from '#core/network/author-right.ts'

/** A patient, a grant, or a time of the chain in seconds since 1970; `block` where only the next block can tell. */
export type Awaited =
  | { readonly kind: 'patient' | 'grant'; readonly id: Hex }
  | { readonly kind: 'time'; readonly atS: number }
  | { readonly kind: 'block' }

/**
 * What a message waits for.
 *
 * @param code - why it was not taken, a code marked *later* in docs/specs/acceptance.md
 */
export function awaitedBy(code: string, accepted: Accepted, chain: ChainView): Awaited {
  const grantId = grantOf(accepted)
  switch (code) {
    case 'PATIENT_UNKNOWN':
    case 'PATIENT_KEYS':
      return { kind: 'patient', id: toHex(accepted.patient) }
    case 'GRANT_UNKNOWN':
    case 'GRANT_UNCLAIMED':
      return grantId == null ? { kind: 'block' } : { kind: 'grant', id: grantId }
    case 'GRANT_NOT_YET': {
      const grant = grantId == null ? undefined : chain.grant(grantId)
      return grant == null ? { kind: 'block' } : { kind: 'time', atS: unpackTerms(grant.terms).notBefore }
    }
    case 'ENTRY_DAY_FUTURE':
    case 'ROTATION_DAY_FUTURE':
      return { kind: 'time', atS: (dayOf(accepted) - 1) * DAY_S }
    default:
      return { kind: 'block' }
  }
}

/** What the chain says of it now. */
export function stateOf(awaited: Awaited, chain: ChainView): string {
  switch (awaited.kind) {
    case 'patient':
      return chain.patient(awaited.id)?.keyBundle ?? ''
    case 'grant': {
      const grant = chain.grant(awaited.id)
      return grant == null ? '' : `${String(grant.usesLeft)} ${String(grant.revokedAtS)}`
    }
    case 'time':
      return String(chain.blockTimeS >= awaited.atS)
    case 'block':
      return String(chain.blockNumber)
  }
}

function grantOf(accepted: Accepted): Hex | undefined {
  if (accepted.kind === 'capsule') return toHex(accepted.grantId)
  return accepted.kind === 'entry' && accepted.header.grant != null ? toHex(accepted.header.grant) : undefined
}

function dayOf(accepted: Accepted): number {
  if (accepted.kind === 'entry') return accepted.header.day
  return accepted.kind === 'rotation' ? accepted.day : 0
}

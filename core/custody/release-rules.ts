/** When a custodian hands a share on: what the chain and the request must say (docs/specs/custody.md). Pure; throws where it does not. */
import { SalusError } from '#core/error.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { ChainView } from '#core/chain/view.ts'
import { equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import type { DecodedSharePlan } from '#core/custody/plan.ts'
import type { ReadRequest } from '#core/grant/read-request.ts'
import { RIGHT_READ } from '#core/grant/terms.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { checkBinding, keyBindingDomain } from '#core/identity/key-binding.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { CLAIM_WINDOW_S, checkRight } from '#core/network/author-right.ts'

/** What requests are judged by. */
export interface ReleaseContext {
  readonly deployment: Deployment
  readonly chain: ChainView
  /** The later of the chain's time and the custodian's clock, seconds since 1970. */
  readonly nowS: number
  /** Age from which a claim's block counts as final, seconds of the chain's time. */
  readonly finalityS: number
}

/** To whom a share goes. */
export interface Recipient {
  /** Encoded key bundle. */
  readonly bundle: Uint8Array
  /** The address that the bundle is bound to, 20 bytes. */
  readonly address: Uint8Array
  /** When the right to the share ends, seconds since 1970. */
  readonly untilS: number
}

/**
 * To whom a share goes under its plan's rule.
 *
 * @throws SalusError the codes of {@link judgeClaim} and {@link judgeResponder}; `SHARE_RULE` of a share that nodes do not release
 */
export function judgeRelease(plan: DecodedSharePlan, request: ReadRequest, context: ReleaseContext): Recipient {
  if (!equalBytes(request.patient, plan.patient)) {
    throw new SalusError('CUSTODY_UNKNOWN', 'This custodian keeps no share for this request.')
  }
  if (plan.rule === 'claim') return judgeClaim(plan, request, context)
  if (plan.rule === 'glass') return judgeResponder(request, context)
  throw new SalusError('SHARE_RULE', 'Refused: a custodian does not release a share of this kind.')
}

/**
 * A one-time grant: claimed in a block that counts as final, ten minutes ago at most since it does, not revoked, and asked for by
 * its grantee.
 *
 * @throws SalusError `CUSTODY_UNKNOWN` (of another grant), `CUSTODY_NOT_FINAL` (claimed too short a time ago), and the codes of the rules
 * that entries and read requests share: `GRANT_UNKNOWN`, `GRANT_REVOKED`, `GRANT_EXPIRED`, `GRANT_UNCLAIMED`, `GRANT_SPENT`,
 * `BINDING_*`, `EVIDENCE_*`
 */
function judgeClaim(plan: DecodedSharePlan, request: ReadRequest, context: ReleaseContext): Recipient {
  const { chain, nowS, finalityS } = context
  const id = request.grant
  if (id == null || plan.subject == null || !equalBytes(id, plan.subject)) {
    throw new SalusError('CUSTODY_UNKNOWN', 'This custodian keeps no share for this request.')
  }
  // What ends a right ends it at once; only the claim's ten minutes begin when its block is final.
  const now = { fromS: nowS - finalityS, toS: nowS }
  const right = checkRight(request, request.evidence, { ...context, right: RIGHT_READ, span: now, past: false })
  if ('verdict' in right) throw refusal(right.code)
  const grant = chain.grant(toHex(id))
  const terms = right.terms
  if (grant == null || terms == null) throw refusal('GRANT_UNKNOWN')
  if (grant.revokedAtS != null) throw refusal('GRANT_REVOKED')
  if (nowS >= terms.expiresAt) throw refusal('GRANT_EXPIRED')
  const evidence = decodeEvidence(request.evidence)
  if ((evidence.binding?.notAfter ?? 0) < nowS) throw refusal('BINDING_EXPIRED')
  const claimedAtS = grant.claimsS.at(-1)
  if (claimedAtS == null) throw refusal('GRANT_UNCLAIMED')
  if (claimedAtS + finalityS > chain.blockTimeS) {
    throw new SalusError('CUSTODY_NOT_FINAL', 'The claim is in too new a block; ask again when it is final.')
  }
  const untilS = Math.min(terms.expiresAt, claimedAtS + finalityS + CLAIM_WINDOW_S)
  return { bundle: evidence.bundle, address: terms.grantee, untilS }
}

/**
 * An emergency that is declared on the chain and not over, of the patient that the request names, asked for by the holder of one of its credentials. It
 * need not be final: minutes count, and the receipt stays whatever becomes of the block.
 *
 * @throws SalusError `EMERGENCY_UNKNOWN`, `EMERGENCY_OVER`, `EMERGENCY_RESPONDER` (asked for by somebody else), `BINDING_*`, `EVIDENCE_*`
 */
export function judgeResponder(request: ReadRequest, context: Omit<ReleaseContext, 'finalityS'>): Recipient {
  const { chain, deployment, nowS } = context
  const emergency = request.grant == null ? undefined : chain.emergency(toHex(request.grant))
  if (emergency?.patient !== toHex(request.patient)) {
    throw new SalusError('EMERGENCY_UNKNOWN', 'This node knows of no such emergency of this patient; try again soon.')
  }
  if (nowS >= emergency.expiresAtS) throw new SalusError('EMERGENCY_OVER', 'The emergency is over.')
  const evidence = decodeEvidence(request.evidence)
  if (!equalBytes(decodeKeyBundle(evidence.bundle).sign, request.author)) throw refusal('EVIDENCE_AUTHOR')
  const domain = keyBindingDomain(deployment.chainId, deployment.contracts.AccessGrants.address)
  for (const credential of [emergency.credential, emergency.secondCredential]) {
    const holder = chain.credential(credential)?.holder
    if (holder == null || !isBoundTo(holder)) continue
    return { bundle: evidence.bundle, address: fromHex(holder, 20), untilS: emergency.expiresAtS }
  }
  throw new SalusError('EMERGENCY_RESPONDER', 'Refused: none of the emergency’s responders asks.')

  function isBoundTo(address: string): boolean {
    try {
      checkBinding(domain, evidence, { address, nowS })
      return true
    } catch (error) {
      if (error instanceof SalusError && error.code === 'BINDING_ADDRESS') return false
      throw error
    }
  }
}

function refusal(code: string): SalusError {
  return new SalusError(code, 'The custodian does not release the share; docs/errors.md explains the code.')
}

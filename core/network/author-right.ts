/** Who an author is and what the chain allows it: the rules of docs/specs/acceptance.md that entries and read requests share. */
import type { Deployment } from '#core/chain/deployment.ts'
import type { ChainView, GrantOnChain } from '#core/chain/view.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { UNLIMITED_USES, unpackTerms, type Terms } from '#core/grant/terms.ts'
import { decodeEvidence, type Evidence } from '#core/identity/evidence.ts'
import { keyBindingDomain, recoverBindingAddress } from '#core/identity/key-binding.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'

/** Why something is not taken; `ignore` is nobody's fault, `reject` is the sender's. */
export interface Refusal {
  readonly verdict: 'ignore' | 'reject'
  /** Stable code (docs/errors.md). */
  readonly code: string
  /** It may be taken later, when this node has followed the chain further. */
  readonly retry?: boolean
}

/** Who says that it may do something in a patient's record. */
export interface Claim {
  /** Patient pseudonym, 32 bytes. */
  readonly patient: Uint8Array
  /** Ed25519 public key, 32 bytes. */
  readonly author: Uint8Array
  /** Grant id, or null where the author is the patient. */
  readonly grant: Uint8Array | null
}

/** What the claim is judged by. */
export interface RightContext {
  readonly deployment: Deployment
  readonly chain: ChainView
  /** `RIGHT_READ` or `RIGHT_WRITE` (core/grant/terms.ts). */
  readonly right: number
  /** The right must be there at some moment of this span, seconds since 1970; the newest block's time for what is new. */
  readonly span: Span
  /** For what was written long ago and comes from another peer's log: keys and grants that have ended since still count. */
  readonly past: boolean
}

/** A span of time, both ends included, in seconds since 1970. */
export interface Span {
  readonly fromS: number
  readonly toS: number
}

/** How long a claim of a counted grant opens it, seconds of the chain's time. */
export const CLAIM_WINDOW_S = 600

/** Seconds of a day. */
export const DAY_S = 86_400

/**
 * Checks that the evidence is the author's and that the chain gives the author the right.
 *
 * @param evidenceBytes - encoded evidence (docs/specs/identity.md)
 * @returns a refusal, or the terms of the grant (null for the patient)
 * @throws SalusError the codes of `decodeEvidence` and `decodeKeyBundle`
 */
export function checkRight(
  claim: Claim,
  evidenceBytes: Uint8Array,
  context: RightContext
): Refusal | { terms: Terms | null } {
  const evidence = decodeEvidence(evidenceBytes)
  // [REJECT] The evidence's key bundle has the author's key as its signing key.
  if (!equalBytes(decodeKeyBundle(evidence.bundle).sign, claim.author)) return reject('EVIDENCE_AUTHOR')
  return claim.grant == null
    ? (checkPatient(claim.patient, evidence.bundle, context) ?? { terms: null })
    : checkGrantee(claim.patient, claim.grant, evidence, context)
}

/**
 * Checks that a key bundle is the patient's: the present one, or, of what is past, one that was replaced no earlier than the
 * span begins; `undefined` if it is.
 */
export function checkPatient(
  patient: Uint8Array,
  bundle: Uint8Array,
  { chain, past, span }: Pick<RightContext, 'chain' | 'past' | 'span'>
): Refusal | undefined {
  // [IGNORE] The patient is registered; it may be in a block that this node has not seen.
  const record = chain.patient(toHex(patient))
  if (record == null) return notYet('PATIENT_UNKNOWN')
  // [IGNORE] The bundle's keccak-256 is the patient's key bundle on the chain; a newer one may be on its way.
  const digest = toHex(keyBundleDigest(bundle))
  const wasThen = record.pastKeyBundles.some(each => each.digest === digest && span.fromS <= each.untilS)
  const known = digest === record.keyBundle || (past && wasThen)
  return known ? undefined : notYet('PATIENT_KEYS')
}

function checkGrantee(
  patient: Uint8Array,
  grantId: Uint8Array,
  evidence: Evidence,
  context: RightContext
): Refusal | { terms: Terms } {
  const { deployment, chain, right, span } = context
  // [IGNORE] The grant is on the chain; it may be in a block that this node has not seen.
  const grant = chain.grant(toHex(grantId))
  if (grant == null) return notYet('GRANT_UNKNOWN')
  // [REJECT] The grant is of the patient that is claimed.
  if (grant.patient !== toHex(patient)) return reject('GRANT_PATIENT')
  const ended = endOf(grant, span)
  if (ended != null) return ended
  const terms = unpackTerms(grant.terms)
  // [REJECT] The grant gives the right.
  if ((terms.rights & right) === 0) return reject('GRANT_NO_RIGHT')
  const { AccessGrants } = deployment.contracts
  // [REJECT] The key binding was signed by the grant's grantee.
  const signer = recoverBindingAddress(keyBindingDomain(deployment.chainId, AccessGrants.address), evidence)
  if (signer !== toHex(terms.grantee)) return reject('BINDING_ADDRESS')
  // [IGNORE] The key binding has not expired.
  if ((evidence.binding?.notAfter ?? 0) < span.fromS) return ignore('BINDING_EXPIRED')
  return { terms }
}

/** Whether the grant does not hold at a moment; all of these are what an honest peer may not have seen yet. */
function endOf(grant: GrantOnChain, { fromS, toS }: Span): Refusal | undefined {
  // [IGNORE] The grant was not revoked before.
  if (grant.revokedAtS != null && grant.revokedAtS <= fromS) return ignore('GRANT_REVOKED')
  const { notBefore, expiresAt, uses } = unpackTerms(grant.terms)
  // [IGNORE] The grant has begun and has not expired.
  if (toS < notBefore) return notYet('GRANT_NOT_YET')
  if (fromS >= expiresAt) return ignore('GRANT_EXPIRED')
  // [IGNORE] A counted grant was claimed within the ten minutes before; the claim may be in a block yet to be seen.
  if (uses === UNLIMITED_USES || grant.claimsS.some(atS => atS <= toS && fromS < atS + CLAIM_WINDOW_S)) return undefined
  return grant.usesLeft === 0 ? ignore('GRANT_SPENT') : notYet('GRANT_UNCLAIMED')
}

/** A refusal that is the sender's fault. */
export function reject(code: string): Refusal {
  return { verdict: 'reject', code }
}

/** A refusal that is nobody's fault. */
export function ignore(code: string): Refusal {
  return { verdict: 'ignore', code }
}

/** A refusal that may end when this node has followed the chain further. */
export function notYet(code: string): Refusal {
  return { verdict: 'ignore', code, retry: true }
}

/** The request that a new device makes to guardians, and what a guardian answers (docs/specs/guardian-share.md). */
import type { TypedDataDomain } from 'ethers'
import { SalusError } from '#core/error.ts'
import type { ChainView } from '#core/chain/view.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace } from '#core/encoding/place.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { requireRecovered } from '#core/custody/guardians.ts'
import { sealRelease } from '#core/custody/release.ts'
import { openShare, type SealedShare } from '#core/custody/sealed-share.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_EVIDENCE_BYTES, decodeEvidence, type Evidence } from '#core/identity/evidence.ts'
import { checkBinding } from '#core/identity/key-binding.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'

const AREA = 'RECOVERY_REQUEST'
const MAX_BYTES = MAX_EVIDENCE_BYTES + 256

/** Who asks guardians for their shares: the account that the chain's recovery named, by the keys it bound to itself. */
export interface RecoveryRequest {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** Encoded evidence: the new device's key bundle, bound by the recovered account. */
  readonly evidence: Uint8Array
}

/** The bytes of a request. The binding inside is its signature. */
export function encodeRecoveryRequest(request: RecoveryRequest): Uint8Array {
  return encodeCanonical({ v: 1, ...request })
}

/**
 * Reads a request for shares of this patient.
 *
 * @throws SalusError `RECOVERY_REQUEST_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeRecoveryRequest(
  bytes: Uint8Array,
  expected: { readonly network?: Uint8Array; readonly patient?: Uint8Array } = {}
): RecoveryRequest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'patient', 'evidence'])
  const evidence = readBytes(map['evidence'], AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES })
  return { ...readPlace(map, AREA, expected), evidence }
}

/** How much longer than the approvals the request's keys hold: no delay of the chain is longer. */
export const RECOVERY_REQUEST_TAIL_S: number = 30 * 86_400

/** Until when the chain takes approvals of a request, seconds since 1970: it follows from the binding, so that all sign the same. */
export function recoveryDeadlineS({ binding }: Pick<Evidence, 'binding'>): number {
  return Math.max(0, (binding?.notAfter ?? 0) - RECOVERY_REQUEST_TAIL_S)
}

/** What a guardian judges a request by. */
export interface GuardianView {
  readonly chain: ChainView
  /** Time of the newest block that counts as final, seconds since 1970. */
  readonly finalS: number
  /** Seconds since 1970. */
  readonly nowS: number
  /** Domain of key bindings (core/identity/key-binding.ts). */
  readonly bindings: TypedDataDomain
}

/**
 * A guardian's share, re-sealed to the new device, if the chain's recovery is final and names the account that bound the
 * device's keys.
 *
 * @throws SalusError `RECOVERY_REQUEST_*`, `EVIDENCE_*`, `BINDING_*`, `RECOVERY_NOT_FINAL`, `RECOVERY_OVER`, `RECOVERY_UNSUPPORTED`,
 * `SHARE_RULE` (not a guardian's share), and as `openShare` and `sealRelease`
 */
export async function releaseToRecovered(
  tools: { readonly p: Primitives; readonly random: Random },
  held: SealedShare,
  requestBytes: Uint8Array,
  view: GuardianView,
  keeper: AgentKeys
): Promise<Uint8Array> {
  const { p, random } = tools
  const { plan, index } = held
  if (plan.rule !== 'recovery') throw new SalusError('SHARE_RULE', 'Refused: this share is not for a recovery.')
  const request = decodeRecoveryRequest(requestBytes, plan)
  const address = requireRecovered(view.chain, plan.patient, view.finalS)
  const evidence = decodeEvidence(request.evidence)
  checkBinding(view.bindings, evidence, { address: toHex(address), nowS: view.nowS })
  const { share } = await openShare(p, held, keeper)
  return await sealRelease(p, random, {
    header: { plan: p.sha256(plan.bytes), index, request: p.sha256(requestBytes), receipt: null },
    share,
    to: preferredKemKey(decodeKeyBundle(evidence.bundle)),
    keeper
  })
}

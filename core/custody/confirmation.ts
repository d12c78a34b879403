/** A keeper's signed word that it holds its share, and none from before (docs/specs/guardian-share.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { MAX_SHARES, type DecodedSharePlan } from '#core/custody/plan.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'

const AREA = 'SHARE_CONFIRMATION'
const LABEL = 'salus/share-confirmation/1'

/** The most bytes a confirmation may have. */
export const MAX_SHARE_CONFIRMATION_BYTES = 512

/** What a keeper confirms: it opened the share, checked it, keeps it, and deleted those of lower revisions. */
export interface Confirmation {
  /** SHA-256 of the encoded plan. */
  readonly plan: Uint8Array
  readonly index: number
  /** Milliseconds since 1970-01-01, by the keeper's clock. */
  readonly atMs: number
  /** The keeper's Ed25519 public key. */
  readonly keeper: Uint8Array
}

function fieldsOf({ plan, index, atMs, keeper }: Confirmation): Record<string, unknown> {
  return { v: 1, plan, index, at: atMs, keeper }
}

/** The bytes of a signed confirmation. */
export function signConfirmation(
  p: Primitives,
  held: { readonly plan: Pick<DecodedSharePlan, 'bytes'>; readonly index: number },
  atMs: number,
  keeper: Pick<AgentKeys, 'signSeed' | 'bundle'>
): Uint8Array {
  const plan = p.sha256(held.plan.bytes)
  const fields = fieldsOf({ plan, index: held.index, atMs, keeper: keeper.bundle.sign })
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(keeper.signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a confirmation and checks that this keeper gave it for its share of this plan.
 *
 * @param expected - the plan, the share's number and the keeper's signing key, as the patient chose them
 * @throws SalusError `SHARE_CONFIRMATION_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `SHARE_CONFIRMATION_OTHER` (of another share, plan or keeper), `SHARE_CONFIRMATION_SIGNATURE`
 */
export function readConfirmation(
  p: Primitives,
  bytes: Uint8Array,
  expected: { readonly planBytes: Uint8Array; readonly index: number; readonly keeper: Uint8Array }
): Confirmation {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SHARE_CONFIRMATION_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'plan', 'index', 'at', 'keeper', 'sig'])
  const confirmation = {
    plan: readBytes(map['plan'], AREA, 'plan', 32),
    index: readUint(map['index'], AREA, 'index', MAX_SHARES - 1),
    atMs: readUint(map['at'], AREA, 'at'),
    keeper: readBytes(map['keeper'], AREA, 'keeper', 32)
  }
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  const isExpected =
    equalBytes(confirmation.plan, p.sha256(expected.planBytes)) &&
    confirmation.index === expected.index &&
    equalBytes(confirmation.keeper, expected.keeper)
  if (!isExpected) {
    throw new SalusError('SHARE_CONFIRMATION_OTHER', 'Refused: this confirms another share, or another keeper gave it.')
  }
  if (!p.ed25519Verify(confirmation.keeper, signingInput(LABEL, fieldsOf(confirmation)), signature)) {
    throw new SalusError('SHARE_CONFIRMATION_SIGNATURE', 'Refused: the keeper did not sign this confirmation.')
  }
  return confirmation
}

/** What a guardian hands to its patient: to whom its share is sealed, and who approves recoveries (docs/specs/guardian-share.md). */
import type { TypedDataDomain } from 'ethers'
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Guardian } from '#core/custody/guardians.ts'
import { MAX_EVIDENCE_BYTES, decodeEvidence } from '#core/identity/evidence.ts'
import { checkBinding } from '#core/identity/key-binding.ts'

const AREA = 'GUARDIAN_CARD'
const MAX_BYTES = MAX_EVIDENCE_BYTES + 128

/** A guardian's card; the binding inside the evidence is its signature. */
export interface GuardianCard {
  readonly network: Uint8Array
  /** Address of the guardian's wallet, 20 bytes. */
  readonly address: Uint8Array
  /** Encoded evidence: the guardian's key bundle, bound by that wallet. */
  readonly evidence: Uint8Array
}

/** The bytes of a card. */
export function encodeGuardianCard(card: GuardianCard): Uint8Array {
  return encodeCanonical({ v: 1, ...card })
}

/**
 * Reads a card and checks that the wallet bound the keys.
 *
 * @throws SalusError `GUARDIAN_CARD_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `GUARDIAN_CARD_NETWORK`, `EVIDENCE_*`, `BINDING_*`, `KEY_BUNDLE_*`
 */
export function readGuardianCard(
  bytes: Uint8Array,
  expected: { readonly network: Uint8Array; readonly bindings: TypedDataDomain; readonly nowS: number }
): Guardian {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'address', 'evidence'])
  const address = readBytes(map['address'], AREA, 'address', 20)
  if (!equalBytes(readBytes(map['network'], AREA, 'network', 32), expected.network)) {
    throw new SalusError('GUARDIAN_CARD_NETWORK', 'Refused: this guardian belongs to another network.')
  }
  const evidence = decodeEvidence(readBytes(map['evidence'], AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES }))
  checkBinding(expected.bindings, evidence, { address: toHex(address), nowS: expected.nowS })
  return { address, bundle: evidence.bundle }
}

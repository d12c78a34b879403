/** A rule pack with the signature of whoever answers for it (docs/specs/rule-pack.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import type { RulePack } from '#core/clinical/rule-pack.ts'
import { MAX_PACK_BYTES, decodeRulePack, encodeRulePack } from '#core/clinical/rule-pack-form.ts'

const AREA = 'SIGNED_PACK'
const LABEL = 'salus/rule-pack/1'

/** A pack that may be used. */
export interface TrustedPack {
  readonly pack: RulePack
  /** SHA-256 of the pack's bytes, named in every alert. */
  readonly digest: Uint8Array
}

/** The bytes of a signed pack. */
export function signRulePack(p: Primitives, pack: RulePack, signSeed: Uint8Array): Uint8Array {
  const fields = { v: 1, pack: encodeRulePack(pack), signer: p.ed25519PublicKey(signSeed) }
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a signed pack and trusts it if one of the keys signed it.
 *
 * @param signers - Ed25519 public keys that the organisation trusts with its rules
 * @throws SalusError `SIGNED_PACK_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `SIGNED_PACK_SIGNER`, `SIGNED_PACK_SIGNATURE`, `RULE_PACK_*`
 */
export function openRulePack(p: Primitives, bytes: Uint8Array, signers: readonly Uint8Array[]): TrustedPack {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PACK_BYTES + 256 })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'pack', 'signer', 'sig'])
  const pack = readBytes(map['pack'], AREA, 'pack', { min: 1, max: MAX_PACK_BYTES })
  const signer = readBytes(map['signer'], AREA, 'signer', 32)
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  if (!signers.some(each => equalBytes(each, signer))) {
    throw new SalusError('SIGNED_PACK_SIGNER', 'Refused: nobody here trusts the signer of this rule pack.')
  }
  if (!p.ed25519Verify(signer, signingInput(LABEL, { v: 1, pack, signer }), signature)) {
    throw new SalusError('SIGNED_PACK_SIGNATURE', 'Refused: the signature of the rule pack does not match.')
  }
  return trustPack(p, pack)
}

/**
 * A pack by its bytes alone: the one that a program ships, or that a replay reads beside the log.
 *
 * @throws SalusError `RULE_PACK_*`
 */
export function trustPack(p: Primitives, bytes: Uint8Array): TrustedPack {
  return { pack: decodeRulePack(bytes), digest: p.sha256(bytes) }
}

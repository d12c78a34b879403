/** What an author sends along so that others can tie its signing key to the chain (docs/specs/identity.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_KEY_BUNDLE_BYTES } from '#core/identity/key-bundle.ts'

const AREA = 'EVIDENCE'
const MAX_SIGNATURE_BYTES = 1024

/** The most bytes evidence may have. */
export const MAX_EVIDENCE_BYTES: number = MAX_KEY_BUNDLE_BYTES + MAX_SIGNATURE_BYTES + 128

/** A grantee's statement, signed by its address, that a key bundle is its own. */
export interface KeyBinding {
  /** Seconds since 1970-01-01 after which the statement no longer holds. */
  readonly notAfter: number
  /** EIP-712 signature over `KeyBinding{bytes32 keyBundle,uint256 notAfter}`. */
  readonly signature: Uint8Array
}

/** A key bundle, and the binding that ties it to an address; without one the author is the patient. */
export interface Evidence {
  readonly bundle: Uint8Array
  readonly binding?: KeyBinding
}

/** The canonical bytes of evidence. */
export function encodeEvidence({ bundle, binding }: Evidence): Uint8Array {
  return encodeCanonical({
    v: 1,
    bundle,
    binding: binding == null ? null : { notAfter: binding.notAfter, signature: binding.signature }
  })
}

/**
 * Reads evidence; the bundle inside is decoded by `decodeKeyBundle`.
 *
 * @throws SalusError `EVIDENCE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_EVIDENCE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'bundle', 'binding'])
  const bundle = readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES })
  return map['binding'] === null ? { bundle } : { bundle, binding: readBinding(map['binding']) }
}

function readBinding(value: unknown): KeyBinding {
  const map = readMap(value, AREA, ['notAfter', 'signature'])
  return {
    notAfter: readUint(map['notAfter'], AREA, 'notAfter'),
    signature: readBytes(map['signature'], AREA, 'signature', { min: 1, max: MAX_SIGNATURE_BYTES })
  }
}

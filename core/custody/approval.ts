/** The bytes of a guardian's approval of a recovery, on its way to the new device (docs/specs/guardian-share.md). */
import { fromHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Approval } from '#core/custody/guardian-calls.ts'
import { toHex } from '#core/encoding/bytes.ts'

const AREA = 'RECOVERY_APPROVAL'
const MAX_BYTES = 1024
/** A tree of at most 32 leaves is no deeper. */
const MAX_PROOF = 5

/** The bytes of an approval; the chain judges its signature. */
export function encodeApproval({ signature, ...rest }: Approval): Uint8Array {
  return encodeCanonical({ v: 1, ...rest, sig: fromHex(signature) })
}

/**
 * Reads an approval.
 *
 * @throws SalusError `RECOVERY_APPROVAL_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeApproval(bytes: Uint8Array): Approval {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'guardian', 'salt', 'proof', 'sig'])
  return {
    guardian: readBytes(map['guardian'], AREA, 'guardian', 20),
    salt: readBytes(map['salt'], AREA, 'salt', 32),
    proof: readList(map['proof'], AREA, 'proof', MAX_PROOF, item => readBytes(item, AREA, 'proof', 32)),
    signature: toHex(readBytes(map['sig'], AREA, 'sig', 65))
  }
}

/** What an erasure that a node hands out says, if the patient said it (docs/specs/erasure.md). */
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeErasure, verifyErasure } from '#core/custody/erasure.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'

/** Names of the headers that an erasure names; none where it is no word of the patient’s. */
export function namesErased(
  p: Primitives,
  bytes: Uint8Array,
  { network, patient, keyBundles }: { readonly network: Uint8Array } & Pick<RecordOnChain, 'patient' | 'keyBundles'>
): string[] {
  try {
    const erasure = decodeErasure(bytes, { network, patient })
    const digest = keyBundleDigest(erasure.bundle)
    const isNamed = keyBundles.some(named => equalBytes(named.digest, digest))
    return isNamed && verifyErasure(p, erasure) ? erasure.entries.map(String) : []
  } catch (error) {
    if (isSalusError(error)) return []
    throw error
  }
}

/** The log of a gateway's devices: digests only, so that it can be shown and anchored (docs/specs/provisioning.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { leafHash } from '#core/batch/merkle.ts'
import { appendLeaf, createTree, rangeOf, rangeRoot } from '#core/batch/tree.ts'

const REVOKED_LABEL = 'salus/sensor-revoked/1'

/** What is logged when a device is revoked. @param record - digest of the device's record, 32 bytes */
export function revocationDigest(p: Pick<Primitives, 'sha256'>, record: Uint8Array): Uint8Array {
  return p.sha256(signingInput(REVOKED_LABEL, { record }))
}

/** Root of the RFC 6962 tree over the digests, oldest first; 32 bytes. */
export function registryRoot(p: Pick<Primitives, 'sha256'>, digests: readonly Uint8Array[]): Uint8Array {
  const tree = createTree()
  for (const digest of digests) appendLeaf(p, tree, leafHash(p, digest))
  return rangeRoot(p, rangeOf(tree))
}

/** The tree of a patient's guardians, of which the chain keeps the root (docs/specs/contracts-patients.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, toHex } from '#core/encoding/bytes.ts'

/** Root and proofs of a tree with sorted pairs; a last node without a partner goes up as it is. */
export interface GuardianTree {
  readonly root: Uint8Array
  readonly leaves: readonly Uint8Array[]
}

/**
 * Leaf of one guardian: hashed twice, so that no inner node can pass for one.
 *
 * @param guardian - id of its signer, 20 bytes
 * @param salt - 32 random bytes, which keep the chain from telling who it is
 */
export function guardianLeaf(patient: Uint8Array, guardian: Uint8Array, salt: Uint8Array): Uint8Array {
  return keccak_256(keccak_256(concat(patient, new Uint8Array(12), guardian, salt)))
}

/**
 * The tree over leaves in the order given.
 *
 * @throws SalusError `GUARDIANS_NONE` without leaves
 */
export function guardianTree(leaves: readonly Uint8Array[]): GuardianTree {
  let level = leaves
  while (level.length > 1) level = above(level)
  const [root] = level
  if (root == null) throw new SalusError('GUARDIANS_NONE', 'There are no guardians; name at least two.')
  return { root, leaves }
}

/**
 * The path of a leaf to the root, as `openRecovery` takes it.
 *
 * @throws SalusError `GUARDIAN_LEAF` if the tree has no such leaf
 */
export function guardianProof({ leaves }: Pick<GuardianTree, 'leaves'>, leaf: Uint8Array): Uint8Array[] {
  let place = leaves.findIndex(each => equalBytes(each, leaf))
  if (place < 0) throw new SalusError('GUARDIAN_LEAF', 'This guardian is not among the patient’s guardians.')
  const proof: Uint8Array[] = []
  for (let level = leaves; level.length > 1; level = above(level)) {
    const partner = level[place % 2 === 0 ? place + 1 : place - 1]
    if (partner != null) proof.push(partner)
    place = Math.floor(place / 2)
  }
  return proof
}

function above(level: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const pair = level.slice(i, i + 2).sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
    const [only] = pair
    if (pair.length === 1 && only != null) out.push(only)
    else out.push(keccak_256(concat(...pair)))
  }
  return out
}

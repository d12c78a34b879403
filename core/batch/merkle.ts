/**
 * Merkle tree hashes and proofs of RFC 6962 and RFC 9162, section 2.1, over SHA-256 (docs/specs/merkle.md).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'

type Hash = Pick<Primitives, 'sha256'>

/** Longest proof of a tree of at most 2^48 leaves. */
export const MAX_PROOF_HASHES = 48

/** Hash of a leaf: SHA-256(0x00 ‖ data). */
export function leafHash(p: Hash, data: Uint8Array): Uint8Array {
  const input = new Uint8Array(data.length + 1)
  input.set(data, 1)
  return p.sha256(input)
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(p: Hash, left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(65)
  input[0] = 1
  input.set(left, 1)
  input.set(right, 33)
  return p.sha256(input)
}

/** Root of the tree without leaves. */
export function emptyRoot(p: Hash): Uint8Array {
  return p.sha256(new Uint8Array(0))
}

/** Largest power of two smaller than `n`, for `n` > 1. */
export function splitPoint(n: number): number {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}

/**
 * Checks that a leaf stands at `index` of the tree with this size and root (RFC 9162, 2.1.3.2).
 *
 * @param leaf - the leaf's hash
 * @param path - from the leaf upwards; a path of another length than the tree demands is refused
 */
export function verifyInclusion(p: Hash, { leaf, index, size, path, root }: InclusionClaim): boolean {
  if (index < 0 || index >= size) return false
  let first = index
  let last = size - 1
  let hash = leaf
  for (const sibling of path) {
    if (last === 0) return false
    if (first % 2 === 1 || first === last) {
      hash = nodeHash(p, sibling, hash)
      while (first % 2 === 0 && first !== 0) {
        first = first / 2
        last = Math.floor(last / 2)
      }
    } else {
      hash = nodeHash(p, hash, sibling)
    }
    first = Math.floor(first / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && equalBytes(hash, root)
}

/** What an inclusion proof claims. */
export interface InclusionClaim {
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly path: readonly Uint8Array[]
  readonly root: Uint8Array
}

/**
 * Checks that the tree of `size` leaves continues the one of `firstSize` leaves (RFC 9162, 2.1.4.2); the path is empty
 * exactly when both are the same, or when the first has no leaves.
 */
export function verifyConsistency(p: Hash, { firstSize, firstRoot, size, root, path }: ConsistencyClaim): boolean {
  if (firstSize < 0 || firstSize > size) return false
  if (firstSize === size) return path.length === 0 && equalBytes(firstRoot, root)
  if (firstSize === 0) return path.length === 0 && equalBytes(firstRoot, emptyRoot(p))
  let first = firstSize - 1
  let last = size - 1
  while (first % 2 === 1) {
    first = Math.floor(first / 2)
    last = Math.floor(last / 2)
  }
  // A first tree that is complete is itself the first node; otherwise the path brings it.
  const nodes = first === 0 ? [firstRoot, ...path] : path
  const [start, ...rest] = nodes
  if (start == null) return false
  let firstHash = start
  let hash = start
  for (const sibling of rest) {
    if (last === 0) return false
    if (first % 2 === 1 || first === last) {
      firstHash = nodeHash(p, sibling, firstHash)
      hash = nodeHash(p, sibling, hash)
      while (first % 2 === 0 && first !== 0) {
        first = first / 2
        last = Math.floor(last / 2)
      }
    } else {
      hash = nodeHash(p, hash, sibling)
    }
    first = Math.floor(first / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && equalBytes(firstHash, firstRoot) && equalBytes(hash, root)
}

/** What a consistency proof claims. */
export interface ConsistencyClaim {
  readonly firstSize: number
  readonly firstRoot: Uint8Array
  readonly size: number
  readonly root: Uint8Array
  readonly path: readonly Uint8Array[]
}

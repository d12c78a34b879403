/**
 * An append-only Merkle tree held in packed levels, from which roots and proofs are read. It may start from the peaks
 * of an earlier tree: then it proves every leaf that was appended since, without knowing the ones before.
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { emptyRoot, nodeHash, splitPoint } from '#core/batch/merkle.ts'

const HASH_BYTES = 32

/** The roots of the complete subtrees that a tree consists of, largest first: all that appending needs. */
export interface CompactRange {
  readonly size: number
  readonly peaks: readonly Uint8Array[]
}

/** Complete nodes of one level, from `first` on, packed one behind the other. */
interface Level {
  readonly first: number
  count: number
  nodes: Uint8Array
}

/** A growing tree. Change it through {@link appendLeaf} only. */
export interface Tree {
  size: number
  readonly levels: Level[]
}

/** The range of the tree without leaves. */
export const EMPTY_RANGE: CompactRange = { size: 0, peaks: [] }

/** Number of peaks of a tree: the bits set in its size. */
export function peakCount(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

/**
 * A tree that continues a range.
 *
 * @throws SalusError `MERKLE_RANGE` if the number of peaks does not fit the size
 */
export function createTree(range: CompactRange = EMPTY_RANGE): Tree {
  if (peakCount(range.size) !== range.peaks.length) {
    throw new SalusError('MERKLE_RANGE', 'Refused: the number of peaks does not fit the size of the tree.')
  }
  const tree: Tree = { size: range.size, levels: [] }
  const peaks = [...range.peaks]
  for (let rest = range.size; rest > 0; rest = Math.floor(rest / 2)) {
    const peak = rest % 2 === 1 ? peaks.pop() : undefined
    const level: Level = { first: peak == null ? rest : rest - 1, count: 0, nodes: new Uint8Array(0) }
    if (peak != null) push(level, peak)
    tree.levels.push(level)
  }
  return tree
}

/** Appends the hash of a leaf and every inner node that it completes; returns the leaf's index. */
export function appendLeaf(p: Pick<Primitives, 'sha256'>, tree: Tree, leaf: Uint8Array): number {
  let node = leaf
  let index = tree.size
  for (let depth = 0; ; depth++) {
    const level = (tree.levels[depth] ??= { first: 0, count: 0, nodes: new Uint8Array(0) })
    push(level, node)
    if (index % 2 === 0) break
    node = nodeHash(p, nodeAt(tree, depth, index - 1), node)
    index = (index - 1) / 2
  }
  return tree.size++
}

/** The peaks of a tree's first `size` leaves. */
export function rangeOf(tree: Tree, size: number = tree.size): CompactRange {
  const peaks: Uint8Array[] = []
  let rest = size
  for (let depth = 0; rest > 0; depth++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) peaks.unshift(nodeAt(tree, depth, rest - 1).slice())
  }
  return { size, peaks }
}

/** Root of a range. */
export function rangeRoot(p: Pick<Primitives, 'sha256'>, { peaks }: CompactRange): Uint8Array {
  const last = peaks.at(-1)
  if (last == null) return emptyRoot(p)
  return peaks.slice(0, -1).reduceRight((right, left) => nodeHash(p, left, right), last)
}

/**
 * Inclusion proof PATH(index, D[size]) of RFC 9162, 2.1.3.1, from the leaf upwards.
 *
 * @throws SalusError `MERKLE_INDEX` if the leaf is not in the tree, or lies before the range that the tree continues
 */
export function inclusionProof(
  p: Pick<Primitives, 'sha256'>,
  tree: Tree,
  index: number,
  size: number = tree.size
): Uint8Array[] {
  if (!(index >= 0 && index < size && size <= tree.size)) outside()
  const path: Uint8Array[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitPoint(end - start)
    if (index < middle) {
      path.push(subtreeHash(p, tree, middle, end))
      end = middle
    } else {
      path.push(subtreeHash(p, tree, start, middle))
      start = middle
    }
  }
  return path.reverse()
}

/**
 * Consistency proof PROOF(firstSize, D[size]) of RFC 9162, 2.1.4.1.
 *
 * @throws SalusError `MERKLE_INDEX` if the sizes are out of order or lie before the range that the tree continues
 */
export function consistencyProof(
  p: Pick<Primitives, 'sha256'>,
  tree: Tree,
  firstSize: number,
  size: number = tree.size
): Uint8Array[] {
  if (!(firstSize >= 0 && firstSize <= size && size <= tree.size)) outside()
  const path: Uint8Array[] = []
  if (firstSize === 0 || firstSize === size) return path
  let start = 0
  let end = size
  // Down to the subtree that ends where the first tree ends; it is left out only while it is the first tree itself.
  while (end !== firstSize) {
    const middle = start + splitPoint(end - start)
    if (firstSize <= middle) {
      path.push(subtreeHash(p, tree, middle, end))
      end = middle
    } else {
      path.push(subtreeHash(p, tree, start, middle))
      start = middle
    }
  }
  if (start !== 0) path.push(subtreeHash(p, tree, start, end))
  return path.reverse()
}

/**
 * Root of a complete subtree.
 *
 * @param start - its first leaf, a multiple of `width`
 * @param width - its leaves, a power of two
 * @throws SalusError `MERKLE_INDEX` if the tree does not hold all of it
 */
export function subtreeRoot(p: Pick<Primitives, 'sha256'>, tree: Tree, start: number, width: number): Uint8Array {
  return subtreeHash(p, tree, start, start + width)
}

/** Hash of the subtree over the leaves [start, end), where start is a multiple of the power of two at or above its width. */
function subtreeHash(p: Pick<Primitives, 'sha256'>, tree: Tree, start: number, end: number): Uint8Array {
  let depth = 0
  let width = 1
  while (width < end - start) {
    width *= 2
    depth++
  }
  if (width === end - start) return nodeAt(tree, depth, start / width).slice()
  const middle = start + width / 2
  return nodeHash(p, subtreeHash(p, tree, start, middle), subtreeHash(p, tree, middle, end))
}

function nodeAt(tree: Tree, depth: number, index: number): Uint8Array {
  const level = tree.levels[depth]
  if (level == null || index < level.first || index >= level.first + level.count) outside()
  const offset = (index - level.first) * HASH_BYTES
  return level.nodes.subarray(offset, offset + HASH_BYTES)
}

function push(level: Level, node: Uint8Array): void {
  const offset = level.count * HASH_BYTES
  if (offset + HASH_BYTES > level.nodes.length) {
    const larger = new Uint8Array(Math.max(16 * HASH_BYTES, 2 * level.nodes.length))
    larger.set(level.nodes.subarray(0, offset))
    level.nodes = larger
  }
  level.nodes.set(node, offset)
  level.count++
}

function outside(): never {
  throw new SalusError('MERKLE_INDEX', 'This tree cannot prove that: the leaf or size lies outside of what it holds.')
}

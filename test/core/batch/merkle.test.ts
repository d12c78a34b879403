import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { portablePrimitives as p } from '#core/crypto/portable.ts'
import { concat, fromHex, toHex } from '#core/encoding/bytes.ts'
import { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from '#core/batch/merkle.ts'
import {
  appendLeaf,
  consistencyProof,
  createTree,
  EMPTY_RANGE,
  inclusionProof,
  rangeOf,
  rangeRoot,
  type Tree
} from '#core/batch/tree.ts'
import { expectCode } from '#test/error-code.ts'

interface Vectors {
  leaves: string[]
  emptyRoot: string
  roots: string[]
  inclusion: { index: number; size: number; path: string[] }[]
  consistency: { firstSize: number; size: number; path: string[] }[]
}

const vectors = JSON.parse(await readFile(new URL('../../vectors/merkle.json', import.meta.url), 'utf8')) as Vectors

const hex = (bytes: Uint8Array): string => toHex(bytes).slice(2)

/** MTH(D[n]) exactly as RFC 6962 writes it, and the recursive proofs. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first == null) return emptyRoot(p)
  if (leaves.length === 1) return first
  const k = naiveSplit(leaves.length)
  return nodeHash(p, naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}

function naiveSplit(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1))
}

function naivePath(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return []
  const k = naiveSplit(leaves.length)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  return index < k ? [...naivePath(index, left), naiveRoot(right)] : [...naivePath(index - k, right), naiveRoot(left)]
}

function naiveSubproof(size: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (size === leaves.length) return whole ? [] : [naiveRoot(leaves)]
  const k = naiveSplit(leaves.length)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  return size <= k
    ? [...naiveSubproof(size, left, whole), naiveRoot(right)]
    : [...naiveSubproof(size - k, right, false), naiveRoot(left)]
}

function treeOf(leaves: readonly Uint8Array[]): Tree {
  const tree = createTree()
  for (const leaf of leaves) appendLeaf(p, tree, leaf)
  return tree
}

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => leafHash(p, new Uint8Array([i % 256, i >> 8])))

describe('Merkle tree of RFC 6962 and RFC 9162', () => {
  const leaves = vectors.leaves.map(leaf => leafHash(p, fromHex(leaf)))
  const tree = treeOf(leaves)
  const rootAt = (size: number): Uint8Array => rangeRoot(p, rangeOf(tree, size))

  it('has the reference roots', () => {
    expect(hex(rangeRoot(p, EMPTY_RANGE))).to.equal(vectors.emptyRoot)
    expect(vectors.roots.map((_, i) => hex(rootAt(i + 1)))).to.deep.equal(vectors.roots)
  })

  it('makes and accepts the reference inclusion proofs', () => {
    for (const { index, size, path } of vectors.inclusion) {
      const proof = inclusionProof(p, tree, index, size)
      expect(proof.map(hex)).to.deep.equal(path)
      expect(verifyInclusion(p, { leaf: leaves[index]!, index, size, path: proof, root: rootAt(size) })).to.equal(true)
    }
  })

  it('makes and accepts the reference consistency proofs', () => {
    for (const { firstSize, size, path } of vectors.consistency) {
      const proof = consistencyProof(p, tree, firstSize, size)
      expect(proof.map(hex)).to.deep.equal(path)
      const claim = { firstSize, firstRoot: rootAt(firstSize), size, root: rootAt(size), path: proof }
      expect(verifyConsistency(p, claim)).to.equal(true)
    }
  })

  it('agrees with the recursive definition for every size up to 70', () => {
    const all = leavesOf(70)
    const large = treeOf(all)
    for (let size = 1; size <= all.length; size++) {
      const part = all.slice(0, size)
      expect(hex(rangeRoot(p, rangeOf(large, size)))).to.equal(hex(naiveRoot(part)))
      const index = (size * 7) % size
      expect(inclusionProof(p, large, index, size).map(hex)).to.deep.equal(naivePath(index, part).map(hex))
      const first = Math.max(1, (size * 5) % size)
      expect(consistencyProof(p, large, first, size).map(hex)).to.deep.equal(
        first === size ? [] : naiveSubproof(first, part, true).map(hex)
      )
    }
  })

  it('proves every leaf and every earlier size of any tree, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat(), fc.nat(), (size, i, m, flip) => {
        const all = leavesOf(size)
        const any = treeOf(all)
        const root = rangeRoot(p, rangeOf(any))
        const index = i % size
        const path = inclusionProof(p, any, index)
        const claim = { leaf: all[index]!, index, size, path, root }
        expect(verifyInclusion(p, claim)).to.equal(true)
        expect(verifyInclusion(p, { ...claim, path: [...path, root] })).to.equal(false)
        if (size > 1) {
          expect(verifyInclusion(p, { ...claim, index: (index + 1) % size })).to.equal(false)
          expect(verifyInclusion(p, { ...claim, path: path.slice(1) })).to.equal(false)
          expect(verifyInclusion(p, { ...claim, path: flipped(path, flip) })).to.equal(false)
        }
        const firstSize = 1 + (m % size)
        const firstRoot = rangeRoot(p, rangeOf(any, firstSize))
        const proof = consistencyProof(p, any, firstSize)
        const consistency = { firstSize, firstRoot, size, root, path: proof }
        expect(verifyConsistency(p, consistency)).to.equal(true)
        expect(verifyConsistency(p, { ...consistency, path: [...proof, root] })).to.equal(false)
        expect(verifyConsistency(p, { ...consistency, firstRoot: leafHash(p, root) })).to.equal(false)
        if (proof.length > 0) {
          expect(verifyConsistency(p, { ...consistency, path: flipped(proof, flip) })).to.equal(false)
          expect(verifyConsistency(p, { ...consistency, path: proof.slice(1) })).to.equal(false)
        }
      })
    )
  })

  it('goes on from the peaks of an earlier tree with the same roots and proofs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 1, max: 60 }), fc.nat(), (before, more, pick) => {
        const all = leavesOf(before + more)
        const whole = treeOf(all)
        const resumed = createTree(rangeOf(whole, before))
        for (const leaf of all.slice(before)) appendLeaf(p, resumed, leaf)
        expect(hex(rangeRoot(p, rangeOf(resumed)))).to.equal(hex(rangeRoot(p, rangeOf(whole))))
        const index = before + (pick % more)
        expect(inclusionProof(p, resumed, index).map(hex)).to.deep.equal(inclusionProof(p, whole, index).map(hex))
        expect(consistencyProof(p, resumed, index + 1).map(hex)).to.deep.equal(
          consistencyProof(p, whole, index + 1).map(hex)
        )
        if (before > 0) {
          expect(consistencyProof(p, resumed, before).map(hex)).to.deep.equal(
            consistencyProof(p, whole, before).map(hex)
          )
        }
      })
    )
  })

  it('names what it cannot prove', async () => {
    await expectCode('MERKLE_INDEX', () => inclusionProof(p, tree, 8))
    await expectCode('MERKLE_INDEX', () => inclusionProof(p, createTree(rangeOf(tree, 4)), 0, 4))
    await expectCode('MERKLE_INDEX', () => consistencyProof(p, tree, 9))
    await expectCode('MERKLE_RANGE', () => createTree({ size: 3, peaks: [leaves[0]!] }))
  })

  it('keeps leaves and inner nodes apart', () => {
    const [a, b] = leaves
    expect(hex(leafHash(p, concat(a!, b!)))).to.not.equal(hex(nodeHash(p, a!, b!)))
  })
})

function flipped(path: readonly Uint8Array[], pick: number): Uint8Array[] {
  const at = pick % path.length
  return path.map((hash, i) => {
    const copy = hash.slice()
    if (i === at) copy[pick % 32]! ^= 1 << (pick % 8)
    return copy
  })
}

import { concat, keccak256 } from 'ethers'

/** Root and proofs of a Merkle tree with sorted pairs, as OpenZeppelin's MerkleProof takes them. */
export interface Tree {
  readonly root: string
  proofOf(leaf: string): string[]
}

/** Makes the tree over leaves in the order given; a last node without a partner goes up as it is. */
export function treeOf(leaves: readonly string[]): Tree {
  const levels: string[][] = [[...leaves]]
  while ((levels.at(-1)?.length ?? 0) > 1) {
    const below = levels.at(-1) ?? []
    const above: string[] = []
    for (let i = 0; i < below.length; i += 2) {
      const pair = below.slice(i, i + 2).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
      above.push(pair.length === 2 ? keccak256(concat(pair)) : (pair[0] ?? ''))
    }
    levels.push(above)
  }
  return {
    root: levels.at(-1)?.[0] ?? '',
    proofOf: leaf => {
      const proof: string[] = []
      let place = leaves.indexOf(leaf)
      for (const level of levels.slice(0, -1)) {
        const partner = level[place ^ 1]
        if (partner != null) proof.push(partner)
        place >>= 1
      }
      return proof
    }
  }
}

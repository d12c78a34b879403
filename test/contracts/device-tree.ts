import { AbiCoder, concat, keccak256 } from 'ethers'

/** A Merkle tree over the ids of devices, with pairs sorted as OpenZeppelin's `MerkleProof` hashes them. */
export interface DeviceTree {
  readonly root: string
  proof(index: number): string[]
}

/** Makes the tree; a node without a partner moves up as it is. */
export function deviceTree(ids: readonly string[]): DeviceTree {
  const levels = [ids.map(leafOf)]
  for (let level = levels[0] ?? []; level.length > 1; levels.push(level)) level = above(level)
  return {
    root: levels.at(-1)?.[0] ?? '',
    proof: index => levels.slice(0, -1).flatMap((level, height) => level[(index >> height) ^ 1] ?? [])
  }
}

function leafOf(id: string): string {
  return keccak256(keccak256(AbiCoder.defaultAbiCoder().encode(['address'], [id])))
}

function above(level: readonly string[]): string[] {
  return Array.from({ length: Math.ceil(level.length / 2) }, (_, index) => {
    const [left = '', right] = level.slice(2 * index)
    return right == null ? left : keccak256(concat(left < right ? [left, right] : [right, left]))
  })
}

import { utf8 } from '#core/encoding/bytes.ts'
import { leafHash } from '#core/batch/merkle.ts'
import { appendLeaf, createTree, rangeOf, rangeRoot, type Tree } from '#core/batch/tree.ts'
import { signCheckpoint, type LogKey } from '#core/tlog/checkpoint.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'

/** A log of the tests. */
export const LOG_SEED: Uint8Array = new Uint8Array(32).fill(1)
export const LOG: LogKey = { origin: 'log.example/one', publicKey: p.ed25519PublicKey(LOG_SEED) }

/** A witness of the tests, by number. */
export function witnessOf(number: number): { name: string; signSeed: Uint8Array; publicKey: Uint8Array } {
  const signSeed = new Uint8Array(32).fill(10 + number)
  return { name: `witness.example/${String(number)}`, signSeed, publicKey: p.ed25519PublicKey(signSeed) }
}

/** The leaf of an entry by number. */
export function leafOf(index: number, salt = ''): Uint8Array {
  return leafHash(p, utf8(`${salt}${String(index)}`))
}

/** A log of so many entries. */
export function logOf(size: number, salt = ''): Tree {
  const tree = createTree()
  for (let i = 0; i < size; i++) appendLeaf(p, tree, leafOf(i, salt))
  return tree
}

/** The signed checkpoint of the first `size` leaves. */
export function checkpointOf(tree: Tree, size: number = tree.size): string {
  return signCheckpoint(p, { origin: LOG.origin, size, root: rangeRoot(p, rangeOf(tree, size)) }, LOG_SEED)
}

/** The event by which `BatchAnchors` keeps the root of a gateway's tree. */
import { equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { keccak256, wordUint } from '#core/proof/keccak.ts'
import type { Log } from '#core/proof/receipt.ts'

const ANCHORED: Uint8Array = keccak256(utf8('Anchored(bytes32,uint32,uint40,bytes32)'))

/** One anchor of a gateway. */
export interface Anchored {
  readonly gateway: Uint8Array
  /** Number of the anchor, from 1; not the number of a batch. */
  readonly sequence: number
  readonly treeSize: number
  readonly root: Uint8Array
}

/** The anchor in a log of the contract at `contract`, or undefined if it is another event or another contract's. */
export function readAnchored({ address, topics, data }: Log, contract: Uint8Array): Anchored | undefined {
  const [name, gateway, sequenceWord, ...more] = topics
  if (name == null || gateway == null || sequenceWord == null || more.length > 0) return undefined
  if (!equalBytes(address, contract) || !equalBytes(name, ANCHORED) || data.length !== 64) return undefined
  const sequence = wordUint(sequenceWord)
  const treeSize = wordUint(data.subarray(0, 32))
  if (sequence == null || treeSize == null) return undefined
  return { gateway, sequence, treeSize, root: data.slice(32) }
}

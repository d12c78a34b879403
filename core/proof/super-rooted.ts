/** The event by which `BatchAnchors` keeps the root over the heads of many gateways. */
import { equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { keccak256, wordUint } from '#core/proof/keccak.ts'
import type { Log } from '#core/proof/receipt.ts'

const SUPER_ROOTED: Uint8Array = keccak256(utf8('SuperRooted(address,uint40,uint32,bytes32)'))

/** One super-root of an aggregator. */
export interface SuperRooted {
  /** 20 bytes. */
  readonly aggregator: Uint8Array
  /** Number of the super-root, from 1. */
  readonly epoch: number
  /** Heads in the tree. */
  readonly count: number
  readonly root: Uint8Array
}

/** The super-root in a log of the contract at `contract`, or undefined if it is another event or another contract's. */
export function readSuperRooted({ address, topics, data }: Log, contract: Uint8Array): SuperRooted | undefined {
  const [name, aggregator, epochWord, ...more] = topics
  if (name == null || aggregator == null || epochWord == null || more.length > 0) return undefined
  if (!equalBytes(address, contract) || !equalBytes(name, SUPER_ROOTED) || data.length !== 64) return undefined
  const epoch = wordUint(epochWord)
  const count = wordUint(data.subarray(0, 32))
  if (epoch == null || count == null) return undefined
  return { aggregator: aggregator.slice(12), epoch, count, root: data.slice(32) }
}

/** Block headers of Ethereum: from JSON-RPC to RLP, from RLP to what a proof needs, and their hash. */
import { RLP } from '@ethereumjs/rlp'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { keccak256, wordUint } from '#core/proof/keccak.ts'

/** Most bytes of a header in RLP: 15 fields of the yellow paper, those of later forks, room for more of them. */
export const MAX_BLOCK_HEADER_BYTES = 2048

/** In the order of the header; those behind `nonce` came with later forks, one after the other. */
const FIELDS = [
  ['parentHash', 'data'],
  ['sha3Uncles', 'data'],
  ['miner', 'data'],
  ['stateRoot', 'data'],
  ['transactionsRoot', 'data'],
  ['receiptsRoot', 'data'],
  ['logsBloom', 'data'],
  ['difficulty', 'quantity'],
  ['number', 'quantity'],
  ['gasLimit', 'quantity'],
  ['gasUsed', 'quantity'],
  ['timestamp', 'quantity'],
  ['extraData', 'data'],
  ['mixHash', 'data'],
  ['nonce', 'data'],
  ['baseFeePerGas', 'quantity'],
  ['withdrawalsRoot', 'data'],
  ['blobGasUsed', 'quantity'],
  ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot', 'data'],
  ['requestsHash', 'data']
] as const

const RECEIPTS_ROOT = 5
const NUMBER = 8
const TIMESTAMP = 11

/** What a proof needs of a block. */
export interface BlockFacts {
  readonly hash: Uint8Array
  readonly receiptsRoot: Uint8Array
  readonly number: number
  /** Seconds since 1970. */
  readonly timeS: number
}

/**
 * RLP of a block header from the answer of `eth_getBlockByHash`.
 *
 * @throws SalusError `PROOF_BLOCK` if the fields do not hash to the block's hash: the chain has another form of header
 * @see https://ethereum.github.io/execution-specs/
 */
export function encodeBlockHeader(block: Readonly<Record<string, unknown>>): Uint8Array {
  const items: Uint8Array[] = []
  for (const [name, kind] of FIELDS) {
    const value = block[name]
    if (typeof value !== 'string') break
    items.push(kind === 'data' ? fromHex(value) : quantity(value))
  }
  const bytes = RLP.encode(items)
  if (toHex(keccak256(bytes)) !== block['hash']) {
    throw new SalusError('PROOF_BLOCK', 'The block does not hash to its own hash: this chain has another block header.')
  }
  return bytes
}

/** A JSON-RPC quantity as RLP has it: big-endian without leading zeros, zero as the empty string. */
export function quantity(text: string): Uint8Array {
  const digits = text.slice(2).replace(/^0+/, '')
  return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)
}

/** Hash and facts of a block header in RLP, or undefined if it is none. */
export function readBlockHeader(bytes: Uint8Array): BlockFacts | undefined {
  const items = decodeList(bytes)
  const [receiptsRoot, number, time] = [items?.[RECEIPTS_ROOT], items?.[NUMBER], items?.[TIMESTAMP]]
  if (!isWord(receiptsRoot) || !(number instanceof Uint8Array) || !(time instanceof Uint8Array)) return undefined
  const [numberValue, timeS] = [wordUint(number), wordUint(time)]
  if (numberValue == null || timeS == null) return undefined
  return { hash: keccak256(bytes), receiptsRoot, number: numberValue, timeS }
}

/** The items of an RLP list, or undefined if the bytes are not exactly one. */
export function decodeList(bytes: Uint8Array): unknown[] | undefined {
  try {
    const value: unknown = RLP.decode(bytes)
    return Array.isArray(value) ? (value as unknown[]) : undefined
  } catch {
    // The library throws for whatever is not RLP; the caller names what was expected there.
    return undefined
  }
}

function isWord(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 32
}

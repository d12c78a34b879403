/** The root over a block's receipts, recomputed: with it the logs of a block are proven whole (docs/specs/chain-index.md). */
import { keccak256 } from 'ethers'
import { minimal } from '#core/chain/block-header.ts'
import type { Hex } from '#core/chain/events.ts'
import { encodeRlp, type RlpValue } from '#core/chain/rlp.ts'

/** A receipt as `eth_getBlockReceipts` gives it, as far as it is hashed. */
export interface ReceiptFields {
  readonly type?: string | undefined
  readonly status: string
  readonly cumulativeGasUsed: string
  readonly logsBloom: string
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[]
  /** Of a deposit of the OP Stack; hashed where it has a version. */
  readonly depositNonce?: string | undefined
  readonly depositReceiptVersion?: string | undefined
}

/** Of transactions that an OP Stack chain takes from the chain below it. */
const DEPOSIT_TYPE = 0x7e

interface Leaf {
  /** Half-bytes, one hexadecimal digit each. */
  readonly path: string
  readonly value: string
}

/**
 * Root of the tree over receipts in the order of their transactions; all fields must be hexadecimal of whole bytes, or quantities.
 */
export function receiptsRoot(receipts: readonly ReceiptFields[]): Hex {
  const leaves = receipts.map((receipt, index) => ({ path: pathOf(index), value: encodeReceipt(receipt) }))
  leaves.sort((a, b) => (a.path < b.path ? -1 : 1))
  return keccak256(encodeRlp(nodeOf(leaves, 0))) as Hex
}

function pathOf(index: number): string {
  return encodeRlp(minimal(`0x${index.toString(16)}`)).slice(2)
}

function encodeReceipt(receipt: ReceiptFields): string {
  const { type = '0x0', status, cumulativeGasUsed, logsBloom, logs } = receipt
  const fields = encodeRlp([
    minimal(status),
    minimal(cumulativeGasUsed),
    logsBloom,
    logs.map(({ address, topics, data }) => [address, topics, data]),
    ...depositFields(receipt)
  ])
  return Number(type) === 0 ? fields : `${minimal(type)}${fields.slice(2)}`
}

/** Those before its Canyon upgrade have a nonce that is not hashed. */
function depositFields({ type, depositNonce, depositReceiptVersion }: ReceiptFields): string[] {
  if (Number(type) !== DEPOSIT_TYPE || depositReceiptVersion == null) return []
  return [minimal(depositNonce ?? '0x0'), minimal(depositReceiptVersion)]
}

/** The node over leaves in the order of their paths, of which all agree up to `depth`. */
function nodeOf(leaves: readonly Leaf[], depth: number): RlpValue {
  const [first, ...others] = leaves
  if (first == null) return '0x'
  if (others.length === 0) return [compact(first.path.slice(depth), true), first.value]
  const shared = sharedLength(first.path, leaves.at(-1)?.path ?? '', depth)
  if (shared > depth) return [compact(first.path.slice(depth, shared), false), reference(nodeOf(leaves, shared))]
  // No path is the beginning of another: RLP says how long each is.
  const children = Array.from({ length: 16 }, (_, digit) => {
    const below = leaves.filter(({ path }) => path[depth] === digit.toString(16))
    return below.length === 0 ? '0x' : reference(nodeOf(below, depth + 1))
  })
  return [...children, '0x']
}

/** A node within another: itself while it is short, its hash otherwise. */
function reference(node: RlpValue): RlpValue {
  const encoded = encodeRlp(node)
  return encoded.length < 2 + 64 ? node : keccak256(encoded)
}

/** Half-bytes as bytes, with a mark for the kind of node and for an odd number of them. */
function compact(path: string, isLeaf: boolean): string {
  const kind = isLeaf ? 2 : 0
  return path.length % 2 === 0 ? `0x${String(kind)}0${path}` : `0x${String(kind + 1)}${path}`
}

/** Up to where the first and the last path agree; those between do as well, being in order. */
function sharedLength(first: string, last: string, from: number): number {
  let at = from
  while (at < first.length && first[at] === last[at]) at++
  return at
}

/** Receipts of Ethereum and their Merkle Patricia proofs under a block's receipts root. */
import { createMerkleProof, createMPT, verifyMerkleProof } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { concat, equalBytes, fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeList, quantity } from '#core/proof/block.ts'
import { keccak256 } from '#core/proof/keccak.ts'

/** Most nodes of a proof: keys are RLP of a transaction's index, at most four bytes. */
export const MAX_PROOF_NODES = 12

/** Most bytes of one node: the last holds a whole receipt. */
export const MAX_NODE_BYTES: number = 64 * 1024

/** One event of a transaction. */
export interface Log {
  readonly address: Uint8Array
  readonly topics: readonly Uint8Array[]
  readonly data: Uint8Array
}

/** A receipt as JSON-RPC gives it; only what is hashed. */
export interface RpcReceipt {
  readonly type: string
  readonly status: string
  readonly cumulativeGasUsed: string
  readonly logsBloom: string
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[]
}

/**
 * Proves the receipt at `index` of a block from all receipts of the block, in the order of their transactions.
 *
 * @returns trie nodes from the root down
 * @throws SalusError `PROOF_RECEIPT` if the receipts do not hash to `receiptsRoot`
 */
export async function proveReceipt(
  receipts: readonly RpcReceipt[],
  index: number,
  receiptsRoot: Uint8Array
): Promise<Uint8Array[]> {
  const trie = await createMPT()
  for (const [i, receipt] of receipts.entries()) await trie.put(RLP.encode(i), encodeReceipt(receipt))
  if (!equalBytes(trie.root(), receiptsRoot)) {
    throw new SalusError(
      'PROOF_RECEIPT',
      'The receipts do not hash to the block: this chain has another form of receipt.'
    )
  }
  return createMerkleProof(trie, RLP.encode(index))
}

/**
 * The events of the receipt at `index`, or undefined if the nodes do not prove a receipt of a transaction that
 * succeeded.
 *
 * @see https://eips.ethereum.org/EIPS/eip-2718 for typed receipts
 */
export async function readReceipt(
  receiptsRoot: Uint8Array,
  index: number,
  nodes: readonly Uint8Array[]
): Promise<Log[] | undefined> {
  const [root] = nodes
  // Cheap before dear: a damaged root is seen without building a trie.
  if (root == null || !equalBytes(keccak256(root), receiptsRoot)) return undefined
  let receipt: Uint8Array | null
  try {
    receipt = await verifyMerkleProof(RLP.encode(index), [...nodes], { root: receiptsRoot })
  } catch {
    // The library throws a plain error for any damage; the caller names it.
    return undefined
  }
  return receipt == null ? undefined : logsOf(receipt)
}

function encodeReceipt({ type, status, cumulativeGasUsed, logsBloom, logs }: RpcReceipt): Uint8Array {
  const body = RLP.encode([
    quantity(status),
    quantity(cumulativeGasUsed),
    fromHex(logsBloom),
    logs.map(({ address, topics, data }) => [fromHex(address), topics.map(topic => fromHex(topic)), fromHex(data)])
  ])
  const prefix = quantity(type)
  return prefix.length === 0 ? body : concat(prefix, body)
}

function logsOf(receipt: Uint8Array): Log[] | undefined {
  const typed = (receipt[0] ?? 0) < 0x80
  const items = decodeList(typed ? receipt.subarray(1) : receipt)
  const [status, , , logs] = items ?? []
  if (!(status instanceof Uint8Array) || status.length !== 1 || status[0] !== 1 || !Array.isArray(logs))
    return undefined
  const read = (logs as unknown[]).map(logOf)
  return read.every(log => log != null) ? read : undefined
}

function logOf(value: unknown): Log | undefined {
  if (!Array.isArray(value)) return undefined
  const [address, topics, data] = value as unknown[]
  if (!(address instanceof Uint8Array) || !(data instanceof Uint8Array) || !Array.isArray(topics)) return undefined
  const words = (topics as unknown[]).filter(topic => topic instanceof Uint8Array)
  return words.length === topics.length ? { address, topics: words, data } : undefined
}

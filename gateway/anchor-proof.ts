/** Fetches from a chain what proves one of a gateway's anchors. Any past anchor can be proven: receipts do not change. */
import type { Deployment } from '#core/chain/deployment.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { AnchorProof } from '#core/batch/bundle.ts'
import { readAnchored, type Anchored } from '#core/proof/anchored.ts'
import { encodeBlockHeader, readBlockHeader } from '#core/proof/block.ts'
import { keccak256 } from '#core/proof/keccak.ts'
import { proveReceipt, type RpcReceipt } from '#core/proof/receipt.ts'
import type { RpcSender } from '#node/chain/chain-rpc.ts'
import { pagesBackwards } from '#node/chain/log-pages.ts'

const ANCHORED: string = toHex(keccak256(utf8('Anchored(bytes32,uint32,uint40,bytes32)')))

/** A log as JSON-RPC gives it; only what is used. */
export interface RpcLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockHash: string
  readonly transactionIndex: string
  readonly logIndex: string
}

type PlacedReceipt = Omit<RpcReceipt, 'logs'> & { readonly logs: readonly RpcLog[] }

/** An anchor with its proof. */
export interface ProvenAnchor {
  readonly anchored: Anchored
  readonly proof: AnchorProof
}

/**
 * The first anchor of a gateway whose tree has at least `treeSize` leaves.
 *
 * @param gateway - id, 32 bytes
 * @throws SalusError `PROOF_NO_ANCHOR` if there is none yet; `PROOF_BLOCK`, `PROOF_RECEIPT` if the endpoint's answers do not
 * hash to what they should; `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED` if it does not give its logs
 */
export async function fetchAnchor(
  rpc: RpcSender,
  deployment: Deployment,
  gateway: Uint8Array,
  treeSize: number
): Promise<ProvenAnchor> {
  const first = await firstAnchor(rpc, deployment, gateway, treeSize)
  if (first != null) return { anchored: first.anchored, proof: await proveLog(rpc, first.log) }
  throw new SalusError('PROOF_NO_ANCHOR', 'This batch is not anchored yet; try again after the next anchor.')
}

const SUPER_ROOTED: string = toHex(keccak256(utf8('SuperRooted(address,uint40,uint32,bytes32)')))

/**
 * Proves that the chain has a super-root.
 *
 * @param place - whose, of which epoch, in which block
 * @throws SalusError as {@link fetchAnchor}
 */
export async function fetchSuperRoot(
  rpc: RpcSender,
  deployment: Deployment,
  place: { readonly aggregator: Uint8Array; readonly epoch: number; readonly blockNumber: number }
): Promise<AnchorProof> {
  const { address } = deployment.contracts.BatchAnchors
  const block = toQuantity(place.blockNumber)
  const topics = [
    SUPER_ROOTED,
    `0x${toHex(place.aggregator).slice(2).padStart(64, '0')}`,
    `0x${place.epoch.toString(16).padStart(64, '0')}`
  ]
  const [log] = (await rpc.send('eth_getLogs', [{ address, topics, fromBlock: block, toBlock: block }])) as RpcLog[]
  if (log == null) throw new SalusError('PROOF_NO_ANCHOR', 'The chain does not have this super-root; try again later.')
  return proveLog(rpc, log)
}

/** Trees only grow: going back from the newest anchor, the last one before a smaller tree is the first that has the leaves. */
async function firstAnchor(
  rpc: RpcSender,
  deployment: Deployment,
  gateway: Uint8Array,
  treeSize: number
): Promise<{ readonly anchored: Anchored; readonly log: RpcLog } | undefined> {
  const { address } = deployment.contracts.BatchAnchors
  const filter = { address, topics: [ANCHORED, toHex(gateway)] }
  const read = async (fromBlock: number, toBlock: number): Promise<RpcLog[]> =>
    (await rpc.send('eth_getLogs', [
      { ...filter, fromBlock: toQuantity(fromBlock), toBlock: toQuantity(toBlock) }
    ])) as RpcLog[]
  const head = Number(await rpc.send('eth_blockNumber', []))
  let first: { readonly anchored: Anchored; readonly log: RpcLog } | undefined
  for await (const page of pagesBackwards(read, { fromBlock: deployment.blockNumber, toBlock: head })) {
    for (const log of page.toReversed()) {
      const anchored = readAnchored(bytesOf(log), fromHex(address, 20))
      if (anchored == null) continue
      if (anchored.treeSize < treeSize) return first
      first = { anchored, log }
    }
  }
  return first
}

function toQuantity(value: number): string {
  return `0x${value.toString(16)}`
}

/**
 * Proves that a block holds a log, of an anchor or a super-root.
 *
 * @throws SalusError as {@link fetchAnchor}
 */
export async function proveLog(rpc: RpcSender, log: RpcLog): Promise<AnchorProof> {
  const fields = (await rpc.send('eth_getBlockByHash', [log.blockHash, false])) as Record<string, unknown>
  const receipts = (await rpc.send('eth_getBlockReceipts', [log.blockHash])) as PlacedReceipt[]
  const block = encodeBlockHeader(fields)
  const facts = readBlockHeader(block)
  const transaction = Number(log.transactionIndex)
  const inReceipt = receipts[transaction]?.logs.findIndex(each => each.logIndex === log.logIndex) ?? -1
  if (facts == null || inReceipt < 0) {
    throw new SalusError('PROOF_RECEIPT', 'The chain’s endpoint does not give the receipt of the anchor.')
  }
  const receipt = await proveReceipt(receipts, transaction, facts.receiptsRoot)
  return { blockHash: facts.hash, block, transaction, receipt, log: inReceipt }
}

function bytesOf({ address, topics, data }: RpcLog): Parameters<typeof readAnchored>[0] {
  return { address: fromHex(address), topics: topics.map(topic => fromHex(topic)), data: fromHex(data) }
}

/** The few JSON-RPC questions that following a chain takes, with answers checked and bounded. */
import { isError, keccak256, type JsonRpcProvider } from 'ethers'
import { headerHash } from '#core/chain/block-header.ts'
import { isBloom } from '#core/chain/bloom.ts'
import type { ChainLog, Hex } from '#core/chain/events.ts'
import type { ReceiptFields } from '#core/chain/receipts.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { createHttpTransport } from '#node/chain/http-rpc.ts'
import { BoundedProvider, type RpcPoster } from '#node/chain/provider.ts'

/** A block as far as following needs it. */
export interface BlockHeader {
  readonly number: number
  readonly hash: Hex
  readonly parentHash: Hex
  /** Seconds since 1970. */
  readonly timeS: number
  readonly logsBloom: string
  readonly receiptsRoot: Hex
}

/** A log with its place. */
export interface PlacedLog extends ChainLog {
  readonly blockNumber: number
  readonly blockHash: Hex
  /** Of its block, seconds since 1970; not every endpoint says it with the log. */
  readonly timeS?: number | undefined
  readonly transactionHash: Hex
  readonly logIndex: number
}

/** Blocks that are known by a name. */
export type BlockTag = 'safe' | 'finalized'

/** What a chain's questions may be told. */
export interface ChainRpcInit {
  /** Recomputes the hash of each header, which only chains with Ethereum's own headers stand; not unless told. */
  readonly checkHeaders?: boolean
}

/** Questions to a chain; each throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED` or `CHAIN_ANSWER_TOO_LARGE`. */
export interface ChainRpc {
  chainId(): Promise<number>
  headNumber(): Promise<number>
  /**
   * `undefined` where the chain has no such block.
   *
   * @throws SalusError also `CHAIN_HEADER_FORGED`, where hashes are recomputed
   */
  header(block: number): Promise<BlockHeader | undefined>
  /** The hash that it names for a block, and whether that is the hash of the header it gives. */
  claim(block: number): Promise<HeaderClaim | undefined>
  /** The number of a block that it knows by a name; a header of it would prove nothing about the name. */
  numberOf(tag: BlockTag): Promise<number | undefined>
  /** keccak256 of an address's code; of no bytes where there is none. */
  codeHash(address: string): Promise<Hex>
  /** Logs of exactly this block. */
  logsOf(hash: Hex, addresses: readonly string[]): Promise<PlacedLog[]>
  /** Logs of a range of blocks, both ends included. */
  logsIn(from: number, to: number, addresses: readonly string[]): Promise<PlacedLog[]>
  /** All receipts of a block with its logs, in their order; `undefined` where the endpoint does not give them. */
  receipts(block: BlockHeader): Promise<BlockReceipts | undefined>
}

/** The receipts of one block as they are hashed, and the logs in them. */
export interface BlockReceipts {
  readonly fields: readonly ReceiptFields[]
  readonly logs: readonly PlacedLog[]
}

/** A hash for which an endpoint gave a header. */
export interface HeaderClaim {
  readonly hash: Hex
  readonly isProven: boolean
}

/** What sends a JSON-RPC request: ethers' JSON-RPC provider does. */
export interface RpcSender {
  send(method: string, params: unknown[]): Promise<unknown>
}

const HEX_NUMBER = /^0x[0-9a-f]{1,13}$/
const HASH = /^0x[0-9a-f]{64}$/
const BYTES = /^0x[0-9a-fA-F]*$/
/** Of one log. */
const MAX_TOPICS = 4

/**
 * An ethers provider with bounded waiting and bounded answers.
 *
 * @param to - URL of an HTTP JSON-RPC endpoint, or what sends to one or several
 */
export function createProvider(to: string | RpcPoster, chainId: number, timeoutMs = 15_000): JsonRpcProvider {
  return new BoundedProvider(typeof to === 'string' ? createHttpTransport(to, { timeoutMs }) : to, chainId)
}

/** Questions over a sender. */
export function createChainRpc(provider: RpcSender, { checkHeaders = false }: ChainRpcInit = {}): ChainRpc {
  const ask = async (method: string, params: unknown[]): Promise<unknown> => {
    try {
      return await provider.send(method, params)
    } catch (cause) {
      throw rpcError(cause)
    }
  }
  const logs = async (filter: Record<string, unknown>): Promise<PlacedLog[]> => {
    const answer = await ask('eth_getLogs', [filter])
    if (!Array.isArray(answer)) throw badAnswer()
    return answer.map(readLog).sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
  }
  const blockAt = async (block: number) => {
    const answer = await ask('eth_getBlockByNumber', [toQuantity(block), false])
    if (answer == null) return undefined
    const header = readHeader(answer)
    if (header.number !== block) throw badAnswer()
    return { header, isProven: () => headerHash(answer as Record<string, unknown>) === header.hash }
  }
  return {
    chainId: async () => readNumber(await ask('eth_chainId', [])),
    headNumber: async () => readNumber(await ask('eth_blockNumber', [])),
    header: async block => {
      const found = await blockAt(block)
      if (found != null && checkHeaders && !found.isProven()) throw forgedHeader()
      return found?.header
    },
    claim: async block => {
      const found = await blockAt(block)
      return found == null ? undefined : { hash: found.header.hash, isProven: found.isProven() }
    },
    numberOf: async tag => {
      const answer = await ask('eth_getBlockByNumber', [tag, false])
      return answer == null ? undefined : readHeader(answer).number
    },
    codeHash: async address => {
      const code = await ask('eth_getCode', [address, 'latest'])
      if (typeof code !== 'string') throw badAnswer()
      return keccak256(code) as Hex
    },
    logsOf: async (blockHash, address) => logs({ blockHash, address }),
    logsIn: async (from, to, address) => logs({ fromBlock: toQuantity(from), toBlock: toQuantity(to), address }),
    receipts: async ({ hash }) => {
      const answer = await ask('eth_getBlockReceipts', [hash]).catch((error: unknown) => {
        // Not every endpoint gives them; one that is away says nothing about it.
        if (isSalusError(error, 'CHAIN_RPC_FAILED')) return null
        throw error
      })
      return answer == null ? undefined : readReceipts(answer)
    }
  }
}

/** What a failed request means: the endpoint is away, or it answered with an error. */
export function rpcError(cause: unknown): SalusError {
  if (cause instanceof SalusError) return cause
  const answered =
    isError(cause, 'UNKNOWN_ERROR') || isError(cause, 'CALL_EXCEPTION') || isError(cause, 'UNSUPPORTED_OPERATION')
  return answered
    ? new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint answered with an error; see the cause.', { cause })
    : new SalusError('CHAIN_UNREACHABLE', 'The RPC endpoint does not answer; check its address and that it runs.', {
        cause
      })
}

function badAnswer(): SalusError {
  return new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint gave an answer that Ethereum does not define.')
}

function forgedHeader(): SalusError {
  return new SalusError(
    'CHAIN_HEADER_FORGED',
    'The RPC endpoint gave a block whose hash is not that of its header; use another, or trust headers on such a chain.'
  )
}

function toQuantity(value: number): string {
  return `0x${value.toString(16)}`
}

function readNumber(value: unknown): number {
  if (typeof value !== 'string' || !HEX_NUMBER.test(value)) throw badAnswer()
  return Number(value)
}

function readHash(value: unknown): Hex {
  if (typeof value !== 'string' || !HASH.test(value)) throw badAnswer()
  return value as Hex
}

function readHeader(value: unknown): BlockHeader {
  if (typeof value !== 'object' || value == null) throw badAnswer()
  const { number, hash, parentHash, timestamp, logsBloom, receiptsRoot } = value as Record<string, unknown>
  if (!isBloom(logsBloom)) throw badAnswer()
  return {
    logsBloom,
    receiptsRoot: readHash(receiptsRoot),
    number: readNumber(number),
    hash: readHash(hash),
    parentHash: readHash(parentHash),
    timeS: readNumber(timestamp)
  }
}

function readLog(value: unknown): PlacedLog {
  if (typeof value !== 'object' || value == null) throw badAnswer()
  const { address, topics, data, transactionHash, logIndex, ...block } = value as Record<string, unknown>
  const { blockNumber, blockHash, blockTimestamp } = block
  if (!isBytes(address) || address.length !== 42 || !isBytes(data)) throw badAnswer()
  if (!Array.isArray(topics) || topics.length > MAX_TOPICS) throw badAnswer()
  return {
    address,
    data,
    topics: topics.map(readHash),
    blockNumber: readNumber(blockNumber),
    blockHash: readHash(blockHash),
    timeS: isQuantity(blockTimestamp) ? Number(blockTimestamp) : undefined,
    transactionHash: readHash(transactionHash),
    logIndex: readNumber(logIndex)
  }
}

function readReceipts(value: unknown): BlockReceipts {
  if (!Array.isArray(value)) throw badAnswer()
  const found: PlacedLog[] = []
  const fields = value.map((receipt: unknown): ReceiptFields => {
    if (typeof receipt !== 'object' || receipt == null) throw badAnswer()
    const { status, cumulativeGasUsed, logsBloom, logs, ...more } = receipt as Record<string, unknown>
    if (!isQuantity(status) || !isQuantity(cumulativeGasUsed) || !isBloom(logsBloom) || !Array.isArray(logs)) {
      throw badAnswer()
    }
    const read = logs.map(readLog)
    found.push(...read)
    const { type, depositNonce, depositReceiptVersion } = more
    const optional = {
      // Some write the digits of the type large.
      type: readOptional(typeof type === 'string' ? type.toLowerCase() : type),
      depositNonce: readOptional(depositNonce),
      depositReceiptVersion: readOptional(depositReceiptVersion)
    }
    return { ...optional, status, cumulativeGasUsed, logsBloom, logs: read }
  })
  return { fields, logs: found }
}

function readOptional(value: unknown): string | undefined {
  if (value == null) return undefined
  if (!isQuantity(value)) throw badAnswer()
  return value
}

function isQuantity(value: unknown): value is string {
  return typeof value === 'string' && HEX_NUMBER.test(value)
}

function isBytes(value: unknown): value is string {
  return typeof value === 'string' && value.length % 2 === 0 && BYTES.test(value)
}

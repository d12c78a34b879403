/** The few JSON-RPC questions that following a chain takes, with answers checked and bounded. */
import { FetchRequest, JsonRpcProvider, Network, isError, keccak256 } from 'ethers'
import type { ChainLog, Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'

/** A block as far as following needs it. */
export interface BlockHeader {
  readonly number: number
  readonly hash: Hex
  readonly parentHash: Hex
  /** Seconds since 1970. */
  readonly timeS: number
}

/** A log with its place. */
export interface PlacedLog extends ChainLog {
  readonly blockNumber: number
  readonly transactionHash: Hex
  readonly logIndex: number
}

/** Questions to a chain; each throws SalusError `CHAIN_UNREACHABLE` or `CHAIN_RPC_FAILED`. */
export interface ChainRpc {
  chainId(): Promise<number>
  headNumber(): Promise<number>
  /** `undefined` where the chain has no such block. */
  header(number: number): Promise<BlockHeader | undefined>
  /** keccak256 of an address's code; of no bytes where there is none. */
  codeHash(address: string): Promise<Hex>
  /** Logs of exactly this block. */
  logsOf(hash: Hex, addresses: readonly string[]): Promise<PlacedLog[]>
  /** Logs of a range of blocks, both ends included. */
  logsIn(from: number, to: number, addresses: readonly string[]): Promise<PlacedLog[]>
}

/** What sends a JSON-RPC request: ethers' JSON-RPC provider does. */
export interface RpcSender {
  send(method: string, params: unknown[]): Promise<unknown>
}

const HEX_NUMBER = /^0x[0-9a-f]{1,13}$/
const HASH = /^0x[0-9a-f]{64}$/

/**
 * An ethers provider that asks the network for nothing on its own: no detection, no polling, bounded waiting.
 *
 * @param url - HTTP JSON-RPC endpoint
 */
export function createProvider(url: string, chainId: number, timeoutMs = 15_000): JsonRpcProvider {
  const request = new FetchRequest(url)
  request.timeout = timeoutMs
  const network = Network.from(chainId)
  // Without cache: a nonce or block number that is 250 ms old is a wrong one here.
  const options = { staticNetwork: network, cacheTimeout: -1, batchStallTime: 0, pollingInterval: 250 }
  return new JsonRpcProvider(request, network, options)
}

/** Questions over a sender. */
export function createChainRpc(provider: RpcSender): ChainRpc {
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
  return {
    chainId: async () => readNumber(await ask('eth_chainId', [])),
    headNumber: async () => readNumber(await ask('eth_blockNumber', [])),
    header: async number => {
      const block = await ask('eth_getBlockByNumber', [toQuantity(number), false])
      return block == null ? undefined : readHeader(block)
    },
    codeHash: async address => {
      const code = await ask('eth_getCode', [address, 'latest'])
      if (typeof code !== 'string') throw badAnswer()
      return keccak256(code) as Hex
    },
    logsOf: async (blockHash, address) => logs({ blockHash, address }),
    logsIn: async (from, to, address) => logs({ fromBlock: toQuantity(from), toBlock: toQuantity(to), address })
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
  const { number, hash, parentHash, timestamp } = value as Record<string, unknown>
  return {
    number: readNumber(number),
    hash: readHash(hash),
    parentHash: readHash(parentHash),
    timeS: readNumber(timestamp)
  }
}

function readLog(value: unknown): PlacedLog {
  const { address, topics, data, blockNumber, transactionHash, logIndex } = value as Record<string, unknown>
  if (typeof address !== 'string' || typeof data !== 'string' || !Array.isArray(topics)) throw badAnswer()
  return {
    address,
    data,
    topics: topics.map(readHash),
    blockNumber: readNumber(blockNumber),
    transactionHash: readHash(transactionHash),
    logIndex: readNumber(logIndex)
  }
}

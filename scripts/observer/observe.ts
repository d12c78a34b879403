/** Everything that somebody who only watches the chain gets to see (docs/privacy.md). */
import { concat, getBytes, type Block, type JsonRpcProvider, type TransactionResponse } from 'ethers'
import { SalusError } from '#core/error.ts'

/** Where in a transaction bytes were seen. */
export type Place = 'calldata' | 'log' | 'storage'

/** Bytes that a transaction leaves for everybody to read. */
export interface SeenPart {
  readonly place: Place
  readonly bytes: Uint8Array
}

/** One transaction as its observer sees it. */
export interface SeenTransaction {
  readonly hash: string
  readonly blockNumber: number
  /** Of the block, in seconds. */
  readonly time: number
  readonly from: string
  /** `null` where it creates a contract. */
  readonly to: string | null
  /** What it pays to `to`, in wei. */
  readonly value: bigint
  /** What it gives for each unit of gas beyond the base fee, in wei. */
  readonly tip: bigint
  readonly parts: readonly SeenPart[]
}

interface Trace {
  readonly post: Readonly<Record<string, { readonly storage?: Readonly<Record<string, string>> }>>
}

/**
 * Reads calldata, logs and storage writes of every transaction of a range of blocks, oldest first.
 *
 * @param provider - an endpoint with geth's `prestateTracer`, unless storage is left out
 * @throws SalusError `OBSERVER_TRACER`
 */
export async function* observe(
  provider: JsonRpcProvider,
  range: { readonly fromBlock: number; readonly toBlock: number; readonly withStorage?: boolean }
): AsyncGenerator<SeenTransaction> {
  for (let number = range.fromBlock; number <= range.toBlock; number++) {
    const block = await provider.getBlock(number, true)
    if (block == null) continue
    for (const transaction of block.prefetchedTransactions)
      yield await seen(provider, transaction, block, range.withStorage ?? true)
  }
}

async function seen(
  provider: JsonRpcProvider,
  transaction: TransactionResponse,
  block: Block,
  withStorage: boolean
): Promise<SeenTransaction> {
  const { hash, from, to, data, value } = transaction
  const receipt = await provider.getTransactionReceipt(hash)
  const writes = withStorage ? await readWrites(provider, hash) : []
  const part = (place: Place, hex: string): SeenPart => ({ place, bytes: getBytes(hex) })
  return {
    hash,
    blockNumber: block.number,
    time: block.timestamp,
    from,
    to,
    value,
    tip: transaction.maxPriorityFeePerGas ?? transaction.gasPrice,
    parts: [
      part('calldata', data),
      ...(receipt?.logs ?? []).map(log => part('log', concat([...log.topics, log.data]))),
      ...writes.map(([slot, word]) => part('storage', concat([slot, word])))
    ]
  }
}

/** Slots and new words of what a transaction wrote. */
async function readWrites(provider: JsonRpcProvider, hash: string): Promise<[slot: string, word: string][]> {
  try {
    const options = { tracer: 'prestateTracer', tracerConfig: { diffMode: true } }
    const { post } = (await provider.send('debug_traceTransaction', [hash, options])) as Trace
    return Object.values(post).flatMap(({ storage }) => Object.entries(storage ?? {}))
  } catch (cause) {
    throw new SalusError(
      'OBSERVER_TRACER',
      'The endpoint does not answer debug_traceTransaction with the prestateTracer for old blocks; use a node with the debug namespace, or leave storage out.',
      { cause }
    )
  }
}

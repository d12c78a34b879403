/** The logs of one block, proven where the endpoint allows: nothing was left out and nothing invented. */
import { bloomBits, hasBits, mayHoldLog } from '#core/chain/bloom.ts'
import type { FollowedContract } from '#core/chain/events.ts'
import { receiptsRoot } from '#core/chain/receipts.ts'
import { SalusError } from '#core/error.ts'
import type { BlockHeader, BlockReceipts, ChainRpc, PlacedLog } from '#node/chain/chain-rpc.ts'

/** Logs of one block, and what stands for it that there are no others. */
export interface BlockLogs {
  readonly logs: readonly PlacedLog[]
  /** `none`: the endpoint's word. */
  readonly proof: 'bloom' | 'receipts' | 'none'
}

/** Reads logs of some contracts. */
export interface LogReader {
  /** Whether a block can hold any; false proves that it does not. */
  mayHold(header: BlockHeader): boolean
  /**
   * All logs of a block.
   *
   * @throws SalusError `CHAIN_LOGS_FORGED`, and as the questions
   */
  ofBlock(rpc: ChainRpc, header: BlockHeader): Promise<BlockLogs>
  /**
   * Refuses logs of other contracts.
   *
   * @throws SalusError `CHAIN_LOGS_FORGED`
   */
  checkOwn(logs: readonly PlacedLog[]): void
}

/**
 * Makes a reader.
 *
 * @param trustHeaders - believe headers and logs as they are told: for chains whose hashes are not Ethereum's
 */
export function createLogReader(contracts: readonly FollowedContract[], trustHeaders: boolean): LogReader {
  const addresses = contracts.map(({ address }) => address)
  const own = new Set(addresses)
  const filters = contracts.map(({ address, topics }) => ({ bits: bloomBits(address), topics: topics.map(bloomBits) }))
  const isOurs = ({ address }: PlacedLog): boolean => own.has(address.toLowerCase())

  const reader: LogReader = {
    mayHold: ({ logsBloom }) =>
      trustHeaders ||
      filters.some(({ bits, topics }) => hasBits(logsBloom, bits) && topics.some(topic => hasBits(logsBloom, topic))),
    async ofBlock(rpc, header) {
      if (!reader.mayHold(header)) return { logs: [], proof: 'bloom' }
      const receipts = trustHeaders ? undefined : await rpc.receipts(header)
      if (receipts != null) return { logs: provenLogs(header, receipts).filter(isOurs), proof: 'receipts' }
      const logs = await rpc.logsOf(header.hash, addresses)
      reader.checkOwn(logs)
      for (const log of logs) {
        const isThere = log.blockHash === header.hash && log.blockNumber === header.number
        if (!isThere || !(trustHeaders || mayHoldLog(header.logsBloom, log))) throw forgedLogs()
      }
      return { logs, proof: 'none' }
    },
    checkOwn(logs) {
      if (!logs.every(isOurs)) throw forgedLogs()
    }
  }
  return reader
}

/** The logs in receipts whose root is the header's. */
function provenLogs({ number, hash, receiptsRoot: root }: BlockHeader, { fields, logs }: BlockReceipts): PlacedLog[] {
  if (receiptsRoot(fields) !== root) throw forgedLogs()
  // Their place is what their order makes it, whatever the endpoint says of it.
  return logs.map((log, logIndex) => ({ ...log, blockNumber: number, blockHash: hash, logIndex }))
}

/** An endpoint was caught. */
export function forgedLogs(): SalusError {
  return new SalusError('CHAIN_LOGS_FORGED', 'The RPC endpoint gave logs that are not those of the block; use another.')
}

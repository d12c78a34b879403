/** Finds a registry's events and the transactions behind them, in steps that endpoints allow. */
import { Interface, type JsonRpcProvider, type Log, type LogDescription } from 'ethers'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { readRotation } from '#core/firmware/calldata.ts'
import type { Rotation } from '#core/firmware/rotation.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'

/** Indexed values of an event, `null` for any. */
export type IndexedValues = readonly (string | number | null)[]

/** Searches the logs of one registry. */
export interface RegistryLogs {
  /** The newest event with these indexed values. */
  newest(event: string, indexed: IndexedValues, toBlock: number): Promise<LogDescription>
  /** All events with these indexed values, in order. */
  all(event: string, indexed: IndexedValues, toBlock: number): Promise<LogDescription[]>
  /** Calldata of the transaction with the newest such event. */
  calldata(event: string, indexed: IndexedValues, toBlock: number): Promise<string>
  /** The rotations of a manufacturer's keys that came in force, in order. */
  rotations(manufacturer: Hex, toBlock: number): Promise<Rotation[]>
}

/** What the search needs. */
export interface RegistryLogsInit {
  readonly provider: JsonRpcProvider
  /** Address of `FirmwareRegistry`. */
  readonly registry: Hex
  /** Blocks in one search. */
  readonly searchBlocks: number
}

const abi = new Interface(firmwareRegistryAbi)

/** Makes the search; it throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `FIRMWARE_CHAIN_ANSWER`, `FIRMWARE_CALLDATA`. */
export function createRegistryLogs({ provider, registry, searchBlocks }: RegistryLogsInit): RegistryLogs {
  /** Pages of logs, the newest first. */
  async function* pages(event: string, indexed: IndexedValues, newestBlock: number): AsyncGenerator<Log[]> {
    const topics = abi.encodeFilterTopics(event, [...indexed])
    for (let toBlock = newestBlock; toBlock >= 0; toBlock -= searchBlocks) {
      const fromBlock = Math.max(0, toBlock - searchBlocks + 1)
      yield await provider.getLogs({ address: registry, topics, fromBlock, toBlock }).catch((cause: unknown) => {
        throw rpcError(cause)
      })
    }
  }
  const allLogs = async (event: string, indexed: IndexedValues, toBlock: number): Promise<Log[]> => {
    const found: Log[][] = []
    for await (const logs of pages(event, indexed, toBlock)) found.unshift(logs)
    return found.flat()
  }
  const newestLog = async (event: string, indexed: IndexedValues, toBlock: number): Promise<Log> => {
    for await (const logs of pages(event, indexed, toBlock)) {
      const log = logs.at(-1)
      if (log != null) return log
    }
    throw contradiction()
  }
  const calldataOf = async ({ transactionHash }: Log): Promise<string> => {
    const transaction = await provider.getTransaction(transactionHash).catch((cause: unknown) => {
      throw rpcError(cause)
    })
    if (transaction == null) throw contradiction()
    return transaction.data
  }

  return {
    newest: async (event, indexed, toBlock) => parse(await newestLog(event, indexed, toBlock)),
    all: async (event, indexed, toBlock) => (await allLogs(event, indexed, toBlock)).map(parse),
    calldata: async (event, indexed, toBlock) => calldataOf(await newestLog(event, indexed, toBlock)),
    async rotations(manufacturer, toBlock) {
      const proposed = await allLogs('RotationProposed', [manufacturer], toBlock)
      const inForce = await allLogs('KeysetsRotated', [manufacturer], toBlock)
      const rotations: Rotation[] = []
      for (const done of inForce) {
        // What came in force is the last that was proposed before.
        const before = proposed.filter(log => isBefore(log, done)).at(-1)
        if (before == null) throw contradiction()
        const rotation = readRotation(await calldataOf(before))
        rotations.push(rotation)
      }
      return rotations
    }
  }
}

/** What an endpoint says that the registry cannot say. */
export function contradiction(): SalusError {
  return new SalusError(
    'FIRMWARE_CHAIN_ANSWER',
    'The RPC endpoint answered what the registry cannot say; try another endpoint.'
  )
}

function isBefore(a: Log, b: Log): boolean {
  return a.blockNumber < b.blockNumber || (a.blockNumber === b.blockNumber && a.index < b.index)
}

function parse(log: Log): LogDescription {
  let parsed: LogDescription | null = null
  try {
    parsed = abi.parseLog(log)
  } catch {
    // Not the registry's own event: said below.
  }
  if (parsed == null) throw contradiction()
  return parsed
}

/** What a device and a publisher read from `FirmwareRegistry`, over JSON-RPC, at one block. */
import { Contract, Interface, isCallException, toBeHex, zeroPadValue, type Log } from 'ethers'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { readPublication, readRegistration } from '#core/firmware/calldata.ts'
import type { HeadFacts, PublishedRelease, ReleaseStatus } from '#core/firmware/facts.ts'
import { checkModelKeys, type ModelKeys } from '#core/firmware/keyset.ts'
import type { RegistryDomain } from '#core/firmware/release.ts'
import { createChainRpc, createProvider, rpcError } from '#node/chain/chain-rpc.ts'

/** Reads one registry. Nothing it returns is to be believed before `core/firmware/verify.ts` has checked it. */
export interface RegistryReader extends RegistryDomain {
  /** The model's head at the newest block. */
  head(model: Hex): Promise<HeadFacts>
  /** Time of the newest block, seconds since 1970. */
  newestBlockTimeS(): Promise<number>
  /** Where one release stands at a block. */
  status(model: Hex, sequence: number, blockNumber: number): Promise<ReleaseStatus>
  /** Changes of a release's status so far: signed into a hold. */
  revision(model: Hex, sequence: number): Promise<number>
  /** A release with the signatures it was published with. */
  release(model: Hex, sequence: number, blockNumber: number): Promise<PublishedRelease>
  /** The sequence under which a model's image was published, 0 if it was not. */
  sequenceOfImage(model: Hex, imageSha256: Hex): Promise<number>
  /** The keys of a model, checked against its id. */
  modelKeys(model: Hex): Promise<ModelKeys>
  close(): void
}

/** What the reader is told. */
export interface RegistryReaderInit {
  /** HTTP JSON-RPC endpoint. */
  readonly rpcUrl: string
  /** Address of `FirmwareRegistry`. */
  readonly registry: Hex
  /** Blocks in one search for an event; endpoints bound it. 50,000 if not given. */
  readonly searchBlocks?: number
}

const STATUSES: readonly ReleaseStatus[] = ['live', 'held', 'yanked']
const abi = new Interface(firmwareRegistryAbi)

/**
 * Connects to a registry.
 *
 * The functions throw SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `FIRMWARE_MODEL_UNKNOWN` for a model or release
 * that is not registered, `FIRMWARE_CHAIN_ANSWER` if the endpoint contradicts itself, `FIRMWARE_CALLDATA`,
 * `FIRMWARE_BAD_KEYSET`.
 *
 * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `FIRMWARE_NO_REGISTRY`
 */
export async function openRegistry(init: RegistryReaderInit): Promise<RegistryReader> {
  const { registry, rpcUrl, searchBlocks = 50_000 } = init
  const chainId = await chainIdOf(rpcUrl)
  const provider = createProvider(rpcUrl, chainId)
  const contract = new Contract(registry, abi, provider)
  if ((await ask(async () => provider.getCode(registry))) === '0x') {
    throw new SalusError('FIRMWARE_NO_REGISTRY', `There is no contract at ${registry} on this chain.`)
  }

  const call = async (method: string, args: readonly unknown[], blockTag: number | 'latest'): Promise<unknown> =>
    ask(async () => contract.getFunction(method).staticCall(...args, { blockTag }) as Promise<unknown>)

  /** The newest log with these topics, looked for backwards in steps that endpoints allow. */
  const findNewest = async (topics: (string | null)[], newestBlock: number): Promise<Log> => {
    for (let toBlock = newestBlock; toBlock >= 0; toBlock -= searchBlocks) {
      const fromBlock = Math.max(0, toBlock - searchBlocks + 1)
      const logs = await ask(async () => provider.getLogs({ address: registry, topics, fromBlock, toBlock }))
      const log = logs.at(-1)
      if (log != null) return log
    }
    throw contradiction()
  }
  const calldataOf = async (event: string, topics: readonly (string | null)[], toBlock: number): Promise<string> => {
    const topic = abi.getEvent(event)?.topicHash ?? null
    const log = await findNewest([topic, ...topics], toBlock)
    const transaction = await ask(async () => provider.getTransaction(log.transactionHash))
    if (transaction == null) throw contradiction()
    return transaction.data
  }
  const newest = async (): Promise<{ number: number; timestamp: number }> => {
    const block = await ask(async () => provider.getBlock('latest'))
    if (block == null) throw contradiction()
    return block
  }
  const releaseOf = async (model: Hex, sequence: number, blockTag: number | 'latest'): Promise<readonly unknown[]> =>
    (await call('releaseOf', [model, sequence], blockTag)) as readonly unknown[]
  const status = async (model: Hex, sequence: number, blockNumber: number): Promise<ReleaseStatus> => {
    const known = STATUSES[Number((await releaseOf(model, sequence, blockNumber))[5])]
    if (known == null) throw contradiction()
    return known
  }

  return {
    chainId,
    registry,
    status,
    async head(model) {
      const block = await newest()
      const [latest, active, minimum, securityFloor] = (await call(
        'headOf',
        [model],
        block.number
      )) as readonly bigint[]
      return {
        chainId,
        registry,
        model,
        blockNumber: block.number,
        blockTimeS: block.timestamp,
        latest: Number(latest),
        active: Number(active),
        minimum: Number(minimum),
        securityFloor: Number(securityFloor)
      }
    },
    newestBlockTimeS: async () => (await newest()).timestamp,
    async revision(model, sequence) {
      return Number((await releaseOf(model, sequence, 'latest'))[4])
    },
    async release(model, sequence, blockNumber) {
      const topics = [model, zeroPadValue(toBeHex(sequence), 32)]
      const data = await calldataOf('ReleasePublished', topics, blockNumber)
      return { ...readPublication(data), status: await status(model, sequence, blockNumber) }
    },
    async sequenceOfImage(model, imageSha256) {
      return Number(await call('releaseByImage', [model, imageSha256], 'latest'))
    },
    async modelKeys(model) {
      const { number } = await newest()
      const manufacturer = (await call('makerOf', [model], number)) as string
      const registration = readRegistration(await calldataOf('ManufacturerRegistered', [manufacturer], number))
      const topic = abi.getEvent('ModelRegistered')?.topicHash ?? null
      const log = await findNewest([topic, manufacturer, model], number)
      const keys = { ...registration, modelClass: log.data.toLowerCase() as Hex }
      checkModelKeys(keys, model)
      return keys
    },
    close: () => provider.destroy()
  }
}

/** Which chain an endpoint serves. */
async function chainIdOf(rpcUrl: string): Promise<number> {
  const provider = createProvider(rpcUrl, 1)
  try {
    return await createChainRpc(provider).chainId()
  } finally {
    provider.destroy()
  }
}

/** Asks the endpoint, and says in this project's codes what went wrong. */
async function ask<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (cause) {
    if (isCallException(cause) && (cause.revert?.name === 'ModelUnknown' || cause.revert?.name === 'ReleaseUnknown')) {
      throw new SalusError('FIRMWARE_MODEL_UNKNOWN', 'The registry knows no such model or release; check its id.', {
        cause
      })
    }
    throw rpcError(cause)
  }
}

function contradiction(): SalusError {
  return new SalusError(
    'FIRMWARE_CHAIN_ANSWER',
    'The RPC endpoint answered what the registry cannot say; try another endpoint.'
  )
}

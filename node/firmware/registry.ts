/** What a device and a publisher read from `FirmwareRegistry`, over JSON-RPC, at one block. */
import { Contract, Interface, isCallException, keccak256, type Result } from 'ethers'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { readPublication, readRegistration } from '#core/firmware/calldata.ts'
import type { HeadFacts, PublishedRelease, ReleaseStatus } from '#core/firmware/facts.ts'
import { checkModelKeys, manufacturerIdOf, type Keysets, type ModelKeys } from '#core/firmware/keyset.ts'
import type { RegistryDomain } from '#core/firmware/release.ts'
import { keysOfVersion } from '#core/firmware/rotation.ts'
import { createChainRpc, createProvider, rpcError } from '#node/chain/chain-rpc.ts'
import { contradiction, createRegistryLogs } from '#node/firmware/registry-logs.ts'

/** Where a manufacturer's keys stand. */
export interface MakerFacts {
  readonly manufacturer: Hex
  readonly version: number
  readonly rotationNonce: number
  readonly heartbeatAt: number
  /** Those in force, followed from the ones that the model's id is made of. */
  readonly keys: Keysets
}

/** What the registry keeps of a release. */
export interface ReleaseFacts {
  readonly status: ReleaseStatus
  /** How often it was stopped or let go on: signed into a hold. */
  readonly revision: number
  /** Seconds since 1970 from which on it can start. */
  readonly notBefore: number
}

/** One of the numbers of an image. */
export interface ImageNumber {
  readonly sequence: number
  readonly manifestDigest: Hex
}

/** Reads one registry. Nothing it returns is to be believed before `core/firmware/verify.ts` has checked it. */
export interface RegistryReader extends RegistryDomain {
  /** The model's head at the newest block. */
  head(model: Hex): Promise<HeadFacts>
  /** Time of the newest block, seconds since 1970. */
  newestBlockTimeS(): Promise<number>
  /** Where one release stands, at a block or now. */
  facts(model: Hex, sequence: number, blockNumber?: number): Promise<ReleaseFacts>
  /** Whether an image was withdrawn for ever, under whichever number, at a block. */
  isWithdrawn(model: Hex, imageSha256: Hex, blockNumber: number): Promise<boolean>
  /** A release with the signatures it was published with; `yanked` also where only another number of its image was. */
  release(model: Hex, sequence: number, blockNumber: number): Promise<PublishedRelease>
  /** The numbers under which a model's image was published, in order. */
  numbersOfImage(model: Hex, imageSha256: Hex): Promise<ImageNumber[]>
  /** The first keys of a model, checked against its id. */
  modelKeys(model: Hex): Promise<ModelKeys>
  /** The keys of a model that are in force. */
  maker(model: Hex): Promise<MakerFacts>
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

/** In the order of the contract; the first is never answered. */
const STATUSES: readonly (ReleaseStatus | undefined)[] = [
  undefined,
  'published',
  'staged',
  'active',
  'superseded',
  'held',
  'yanked'
]
const UNKNOWN = ['ModelUnknown', 'ReleaseUnknown', 'ManufacturerUnknown']
const abi = new Interface(firmwareRegistryAbi)

/**
 * Connects to a registry.
 *
 * The functions throw SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `FIRMWARE_MODEL_UNKNOWN` for a model or release
 * that is not registered, `FIRMWARE_CHAIN_ANSWER` if the endpoint contradicts itself, `FIRMWARE_CALLDATA`,
 * `FIRMWARE_BAD_KEYSET`, `FIRMWARE_BAD_ROTATION`.
 *
 * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `FIRMWARE_NO_REGISTRY`
 */
export async function openRegistry(init: RegistryReaderInit): Promise<RegistryReader> {
  const { registry, rpcUrl, searchBlocks = 50_000 } = init
  const chainId = await chainIdOf(rpcUrl)
  const provider = createProvider(rpcUrl, chainId)
  const contract = new Contract(registry, abi, provider)
  const logs = createRegistryLogs({ provider, registry, searchBlocks })
  if ((await ask(async () => provider.getCode(registry))) === '0x') {
    throw new SalusError('FIRMWARE_NO_REGISTRY', `There is no contract at ${registry} on this chain.`)
  }

  const call = async (method: string, args: readonly unknown[], blockTag: number | 'latest'): Promise<Result> =>
    ask(async () => contract.getFunction(method).staticCallResult(...args, { blockTag }))
  const newest = async (): Promise<{ number: number; timestamp: number }> => {
    const block = await ask(async () => provider.getBlock('latest'))
    if (block == null) throw contradiction()
    return block
  }
  const facts = async (model: Hex, sequence: number, blockNumber?: number): Promise<ReleaseFacts> => {
    const [release] = (await call('releaseOf', [model, sequence], blockNumber ?? 'latest')) as unknown as [Result]
    const status = STATUSES[Number(release.getValue('status'))]
    if (status == null) throw contradiction()
    const number = (field: string): number => Number(release.getValue(field))
    return { status, revision: number('revision'), notBefore: number('notBefore') }
  }
  const isWithdrawn = async (model: Hex, imageSha256: Hex, blockNumber: number): Promise<boolean> => {
    const [sequence] = await call('yankedAs', [model, imageSha256], blockNumber)
    return Number(sequence) !== 0
  }
  const modelKeys = async (model: Hex): Promise<ModelKeys> => {
    const { number } = await newest()
    const [manufacturer] = (await call('makerOf', [model], number)) as unknown as [Hex]
    const registration = readRegistration(await logs.calldata('ManufacturerRegistered', [manufacturer], number))
    const { args } = await logs.newest('ModelRegistered', [manufacturer, model], number)
    const keys = { ...registration, modelClass: (args.getValue('modelClass') as string).toLowerCase() as Hex }
    checkModelKeys(keys, model)
    return keys
  }

  return {
    chainId,
    registry,
    facts,
    isWithdrawn,
    modelKeys,
    async head(model) {
      const block = await newest()
      const [head] = (await call('headOf', [model], block.number)) as unknown as [Result]
      const number = (field: string): number => Number(head.getValue(field))
      return {
        chainId,
        registry,
        model,
        blockNumber: block.number,
        blockTimeS: block.timestamp,
        latest: number('latest'),
        active: number('active'),
        staged: number('staged'),
        rolloutBps: number('rolloutBps'),
        minimum: number('minimum'),
        securityFloor: number('securityFloor')
      }
    },
    newestBlockTimeS: async () => (await newest()).timestamp,
    async release(model, sequence, blockNumber) {
      const { status } = await facts(model, sequence, blockNumber)
      const publication = readPublication(await logs.calldata('ReleasePublished', [model, sequence], blockNumber))
      const isByFirstKeys = publication.terms.keysetVersion === 1
      const [manufacturer] = (await call('makerOf', [model], blockNumber)) as unknown as [Hex]
      const rotations = isByFirstKeys ? [] : await logs.rotations(manufacturer, blockNumber)
      const { imageSha256 } = publication.terms
      return {
        ...publication,
        status: (await isWithdrawn(model, imageSha256, blockNumber)) ? 'yanked' : status,
        rotations
      }
    },
    async numbersOfImage(model, imageSha256) {
      const { number } = await newest()
      const published = await logs.all('ReleasePublished', [model, null, imageSha256], number)
      return published.map(({ args }) => ({
        sequence: Number(args.getValue('sequence')),
        manifestDigest: keccak256(args.getValue('manifest') as string) as Hex
      }))
    },
    async maker(model) {
      const first = await modelKeys(model)
      const manufacturer = manufacturerIdOf(first, first.salt)
      const { number } = await newest()
      const answer = await call('manufacturerOf', [manufacturer], number)
      const version = Number(answer.getValue('version'))
      const rotations = version === 1 ? [] : await logs.rotations(manufacturer, number)
      return {
        manufacturer,
        version,
        rotationNonce: Number(answer.getValue('rotationNonce')),
        heartbeatAt: Number(answer.getValue('heartbeatAt')),
        keys: keysOfVersion({ chainId, registry }, first, rotations, version)
      }
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
    if (isCallException(cause) && UNKNOWN.includes(cause.revert?.name ?? '')) {
      throw new SalusError('FIRMWARE_MODEL_UNKNOWN', 'The registry knows no such model or release; check its id.', {
        cause
      })
    }
    throw rpcError(cause)
  }
}

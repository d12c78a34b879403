import { readFileSync } from 'node:fs'
import {
  Contract,
  ContractFactory,
  concat,
  dataLength,
  toBeHex,
  type ContractRunner,
  type Provider,
  type TypedDataDomain,
  type Wallet
} from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { nodeRegistryAbi } from '#core/abi/NodeRegistry.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import type { AccessGrants } from '#core/abi/types/AccessGrants.ts'
import type { BatchAnchors } from '#core/abi/types/BatchAnchors.ts'
import type { CredentialRegistry } from '#core/abi/types/CredentialRegistry.ts'
import type { EmergencyAccess } from '#core/abi/types/EmergencyAccess.ts'
import type { FirmwareRegistry } from '#core/abi/types/FirmwareRegistry.ts'
import type { NodeRegistry } from '#core/abi/types/NodeRegistry.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { createLog } from '#node/log.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import type { ChainBackend } from '#test/contracts/backends/backend.ts'
import { openBackend } from '#test/contracts/backends/open.ts'

/** The contracts as a relayer sees them: whoever submits holds none of the keys that sign. */
export interface Contracts {
  readonly grants: AccessGrants
  readonly credentials: CredentialRegistry
  readonly emergencies: EmergencyAccess
  readonly anchors: BatchAnchors
  readonly nodes: NodeRegistry
  readonly firmware: FirmwareRegistry
}

/** A chain with the product's own bytecode on it. */
export interface TestChain {
  readonly provider: Provider
  readonly contracts: Contracts
  readonly deployment: Deployment
  /** A second set of the same contracts on the same chain. */
  readonly otherContracts: Contracts
  domainOf(name: RequestContract): TypedDataDomain
  /** Time of the newest block, in seconds. */
  now(): Promise<number>
  /** Moves the clock; the next block is no earlier. */
  moveTo(time: number): Promise<void>
  /** Makes many blocks; missing on chains where that takes long. */
  readonly makeBlocks: ((count: number) => Promise<void>) | undefined
  /** A deadline an hour ahead. */
  deadline(): Promise<number>
  /** Deploys one of the contracts that only tests need; gives its address. */
  deployMock(name: string, ...args: readonly unknown[]): Promise<string>
  /** Deploys code as it stands; gives its address in lower case. */
  deployCode(code: string): Promise<string>
  /** Gives an account an EIP-7702 delegation. */
  delegate(account: Wallet, to: string): Promise<void>
  /** Gives an account enough to pay for gas. */
  fund(address: string): Promise<void>
  /** The contracts as an account that pays its own gas sees them. */
  sentBy(wallet: Wallet): Promise<Contracts>
  /** Sends the same calldata to the same contract again. */
  replay(sent: { readonly to: string | null; readonly data: string }): Promise<unknown>
  /** Puts everything back to where it was when the chain was opened. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** Opens a chain and deploys the contracts from contracts/bytecode: what is tested is what is shipped. */
export async function openChain(backendGiven?: ChainBackend): Promise<TestChain> {
  const backend = backendGiven ?? (await openBackend())
  const { provider, signer: relayer } = backend
  const deploy = async (name: string): Promise<Deployment> =>
    (await backend.deployInstrumented?.()) ??
    deployAll({ provider, signer: relayer, log: createLog({ name: 'test', level: 'silent' }), network: name })
  const deployment = await deploy('salus/test')
  const otherDeployment = await deploy('salus/other')
  const reset = await backend.snapshot()
  return {
    provider,
    contracts: attach(deployment, relayer),
    deployment,
    otherContracts: attach(otherDeployment, relayer),
    domainOf: name => domain(name, deployment.chainId, deployment.contracts[name].address),
    now: () => backend.now(),
    moveTo: time => backend.moveTo(time),
    makeBlocks: backend.makeBlocks,
    deadline: async () => (await backend.now()) + 3600,
    deployMock: async (name, ...args) => {
      const { creationCode } = JSON.parse(readFileSync(new URL(`bytecode/${name}.json`, import.meta.url), 'utf8')) as {
        creationCode: string
      }
      const abi = [`constructor(${args.map(() => 'address').join(',')})`]
      return (await new ContractFactory(abi, creationCode, relayer).deploy(...args)).getAddress()
    },
    deployCode: async code => {
      // Copies what follows it and returns that: the shortest constructor.
      const creationCode = concat(['0x61', toBeHex(dataLength(code), 2), '0x80600a3d393df3', code])
      return (await (await new ContractFactory([], creationCode, relayer).deploy()).getAddress()).toLowerCase()
    },
    delegate: (account, to) => backend.delegate(account, to),
    fund: address => backend.fund(address),
    sentBy: async wallet => {
      await backend.fund(wallet.address)
      return attach(deployment, wallet.connect(provider))
    },
    replay: ({ to, data }) => relayer.sendTransaction({ to, data }),
    reset,
    close: () => backend.close()
  }
}

function attach({ contracts }: Deployment, runner: ContractRunner): Contracts {
  return {
    grants: new Contract(contracts.AccessGrants.address, accessGrantsAbi, runner) as unknown as AccessGrants,
    credentials: new Contract(
      contracts.CredentialRegistry.address,
      credentialRegistryAbi,
      runner
    ) as unknown as CredentialRegistry,
    emergencies: new Contract(
      contracts.EmergencyAccess.address,
      emergencyAccessAbi,
      runner
    ) as unknown as EmergencyAccess,
    anchors: new Contract(contracts.BatchAnchors.address, batchAnchorsAbi, runner) as unknown as BatchAnchors,
    nodes: new Contract(contracts.NodeRegistry.address, nodeRegistryAbi, runner) as unknown as NodeRegistry,
    firmware: new Contract(
      contracts.FirmwareRegistry.address,
      firmwareRegistryAbi,
      runner
    ) as unknown as FirmwareRegistry
  }
}

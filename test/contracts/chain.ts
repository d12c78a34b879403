import { readFileSync } from 'node:fs'
import { Contract, ContractFactory, type ContractRunner, type Provider, type TypedDataDomain } from 'ethers'
import { network } from 'hardhat'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { patientRegistryAbi } from '#core/abi/PatientRegistry.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import type { AccessGrants } from '#core/abi/types/AccessGrants.ts'
import type { BatchAnchors } from '#core/abi/types/BatchAnchors.ts'
import type { FirmwareRegistry } from '#core/abi/types/FirmwareRegistry.ts'
import type { PatientRegistry } from '#core/abi/types/PatientRegistry.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { createLog } from '#node/log.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import { MEASURES_COVERAGE, deployInstrumented } from '#test/contracts/instrumented.ts'

/** The contracts as a relayer sees them: whoever submits holds none of the keys that sign. */
export interface Contracts {
  readonly registry: PatientRegistry
  readonly grants: AccessGrants
  readonly anchors: BatchAnchors
  readonly firmware: FirmwareRegistry
}

/** A chain in this process with the product's own bytecode on it. */
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
  /** A deadline an hour ahead. */
  deadline(): Promise<number>
  /** Deploys one of the contracts that only tests need; gives its address. */
  deployMock(name: string, ...args: readonly unknown[]): Promise<string>
  setCode(address: string, code: string): Promise<void>
  /** Gives an account what it takes to send transactions itself. */
  fund(address: string): Promise<void>
  /** Sends the same calldata to the same contract again. */
  replay(sent: { readonly to: string | null; readonly data: string }): Promise<unknown>
  /** Puts everything back to where it was when the chain was opened. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** Opens a chain and deploys the contracts from contracts/bytecode: what is tested is what is shipped. */
export async function openChain(): Promise<TestChain> {
  const connection = await network.create()
  const { ethers, networkHelpers } = connection
  const { provider } = ethers
  const [relayer] = await ethers.getSigners()
  if (relayer == null) throw new Error('the chain has no account to submit with')
  const deploy = (): Promise<Deployment> =>
    MEASURES_COVERAGE
      ? deployInstrumented(ethers)
      : deployAll({ provider, signer: relayer, log: createLog({ name: 'test', level: 'silent' }) })
  const deployment = await deploy()
  const otherDeployment = await deploy()
  const snapshot = await networkHelpers.takeSnapshot()
  return {
    provider,
    contracts: attach(deployment, relayer),
    deployment,
    otherContracts: attach(otherDeployment, relayer),
    domainOf: name => domain(name, deployment.chainId, deployment.contracts[name].address),
    now: () => networkHelpers.time.latest(),
    moveTo: time => networkHelpers.time.increaseTo(time),
    deadline: async () => (await networkHelpers.time.latest()) + 3600,
    deployMock: async (name, ...args) => {
      const { creationCode } = JSON.parse(readFileSync(new URL(`bytecode/${name}.json`, import.meta.url), 'utf8')) as {
        creationCode: string
      }
      const abi = [`constructor(${args.map(() => 'address').join(',')})`]
      return (await new ContractFactory(abi, creationCode, relayer).deploy(...args)).getAddress()
    },
    fund: address => networkHelpers.setBalance(address, 10n ** 18n),
    setCode: (address, code) => networkHelpers.setCode(address, code),
    replay: ({ to, data }) => relayer.sendTransaction({ to, data }),
    reset: () => snapshot.restore(),
    close: () => connection.close()
  }
}

function attach({ contracts }: Deployment, runner: ContractRunner): Contracts {
  return {
    registry: new Contract(contracts.PatientRegistry.address, patientRegistryAbi, runner) as unknown as PatientRegistry,
    grants: new Contract(contracts.AccessGrants.address, accessGrantsAbi, runner) as unknown as AccessGrants,
    anchors: new Contract(contracts.BatchAnchors.address, batchAnchorsAbi, runner) as unknown as BatchAnchors,
    firmware: new Contract(
      contracts.FirmwareRegistry.address,
      firmwareRegistryAbi,
      runner
    ) as unknown as FirmwareRegistry
  }
}

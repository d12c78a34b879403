import type { HardhatEthersSigner } from '@nomicfoundation/hardhat-ethers/types'
import { Contract, Interface, type Provider } from 'ethers'
import { network } from 'hardhat'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import type { AccessManager } from '#core/abi/types/AccessManager.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Governance, Members } from '#core/chain/deployment-governance.ts'
import { createLog } from '#node/log.ts'
import { deployAll, type DeployInit, type DeploymentProgress } from '#scripts/deploy/deploy.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { handOver } from '#scripts/deploy/governance/set-up.ts'

/** The functions that every governed contract has, on the one that stands for all. */
export const GRANTS: Interface = new Interface(accessGrantsAbi)

const log = createLog({ name: 'test', level: 'silent' })

/** People of a consortium, each with an account of the chain. */
export interface People {
  readonly deployer: HardhatEthersSigner
  readonly governor: HardhatEthersSigner
  readonly pauser: HardhatEthersSigner
  readonly accreditor: HardhatEthersSigner
  readonly reviewer: HardhatEthersSigner
  readonly stranger: HardhatEthersSigner
}

/** A chain in this process, on which nothing is yet. */
export interface GovernedChain {
  readonly provider: Provider
  readonly people: People
  /** By the deployer; the same network each time unless told. */
  deploy(init?: Partial<DeployInit>): Promise<Deployment>
  handOver(deployment: Deployment, signer?: HardhatEthersSigner): Promise<boolean>
  /** The manager of a deployment, as somebody sees it. */
  manager(deployment: Deployment, as: HardhatEthersSigner): AccessManager
  grants(deployment: Deployment, as: HardhatEthersSigner): Contract
  /** Seconds go by. */
  wait(seconds: number): Promise<void>
  setCode(address: string, code: string): Promise<void>
  close(): Promise<void>
}

/** The same endpoint with some of its methods replaced. */
export function overriding(provider: Provider, methods: Readonly<Record<string, unknown>>): Provider {
  return new Proxy(provider, {
    get: (target, key) => {
      const value: unknown = methods[String(key)] ?? Reflect.get(target, key, target)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    }
  })
}

/** What a later run finds in the file of this deployment. */
export function knownFrom({ chainId, blockNumber, contracts }: Deployment): DeploymentProgress {
  const places = Object.entries(contracts).map(([name, { address }]) => [name, address] as const)
  return { chainId, blockNumber, addresses: Object.fromEntries(places) }
}

/** The consortium's table, unless something else is to be tried. */
export function governanceOf(
  people: People,
  over: Partial<Governance> = {},
  members: Partial<Members> = {}
): Governance {
  const { governor, pauser, accreditor, reviewer } = people
  return {
    profile: 'consortium',
    governor: governor.address,
    members: {
      GOVERNOR: [governor.address],
      PAUSER: [pauser.address],
      ACCREDITOR: [accreditor.address],
      REVIEWER: [reviewer.address],
      LEDGER_KEEPER: [],
      AUDITOR: [],
      ...members
    },
    ...over
  }
}

/** Opens a chain; `hardfork` is the rules it keeps, Osaka's unless told. */
export async function openGovernedChain(hardfork = 'osaka'): Promise<GovernedChain> {
  const connection = await network.create({ override: { hardfork } })
  const { ethers, networkHelpers } = connection
  const { provider } = ethers
  const [deployer, governor, pauser, accreditor, stranger, reviewer] = await ethers.getSigners()
  const people = { deployer, governor, pauser, accreditor, reviewer, stranger } as People
  return {
    provider,
    people,
    deploy: init => deployAll({ provider, signer: people.deployer, log, governance: governanceOf(people), ...init }),
    handOver: (deployment, signer = people.deployer) => handOver({ provider, signer, log }, deployment),
    manager: ({ contracts }, as) =>
      new Contract(contracts.AccessManager.address, MANAGER, as) as unknown as AccessManager,
    grants: ({ contracts }, as) => new Contract(contracts.AccessGrants.address, GRANTS, as),
    wait: async seconds => {
      await networkHelpers.time.increase(seconds)
    },
    setCode: (address, code) => networkHelpers.setCode(address, code),
    close: () => connection.close()
  }
}

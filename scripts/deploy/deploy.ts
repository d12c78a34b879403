import { keccak256, NonceManager, type Provider, type Signer, type TransactionResponse } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import type { Governance } from '#core/chain/deployment-governance.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'
import { isRuntimeOf, readBytecode } from '#scripts/deploy/bytecode.ts'
import { creationCall, DEFAULT_NETWORK, ensureProxy } from '#scripts/deploy/create2.ts'
import { blockBefore } from '#scripts/deploy/first-block.ts'
import { checkGovernor, governedBy } from '#scripts/deploy/governance/governor.ts'
import { setUp } from '#scripts/deploy/governance/set-up.ts'
import { requireP256 } from '#scripts/deploy/p256.ts'
import { isInPlace, missingContracts, planContracts, type PlannedContract } from '#scripts/deploy/plan.ts'

/** What is known of an earlier deployment, or of one that was cut short. */
export interface DeploymentProgress {
  readonly chainId: number
  /** A block before the first of the contracts. */
  readonly blockNumber: number
  /** Where the contracts are or were going to be, of whatever version. */
  readonly addresses: Readonly<Record<string, string>>
}

/** What deploying needs, and what it may be told. */
export interface DeployInit {
  readonly provider: Provider
  /** Pays the gas and administers until it hands over; its address is part of what all addresses follow from. */
  readonly signer: Signer
  readonly log: Log
  /** Name that the addresses follow from; `salus/1` unless told. */
  readonly network?: string
  /** Who governs; without it the signer does, with no delays: for development. */
  readonly governance?: Governance
  /** Goes on where the chain has no P-256 precompile. */
  readonly allowNoP256?: boolean
  /** An earlier deployment to this chain, for its block number alone. */
  readonly known?: DeploymentProgress
  /** Called with the addresses before the first transaction is sent. */
  readonly onPlanned?: (progress: DeploymentProgress) => Promise<void>
}

const CONFIRM_TIMEOUT_MS = 120_000

/**
 * Deploys what is not yet there, sets the roles that are not yet set, and returns where everything is. Running it again changes
 * nothing.
 *
 * @throws SalusError `DEPLOY_CHAIN` if the known deployment is of another chain; `DEPLOY_FAILED` if a transaction fails, does not
 * arrive within two minutes, or leaves other code than it should; `DEPLOY_NO_PROXY`, `DEPLOY_NO_P256`, `DEPLOY_GOVERNOR`,
 * `DEPLOY_GOVERNANCE`, `DEPLOY_LOGS`
 */
export async function deployAll(init: DeployInit): Promise<Deployment> {
  const { provider, signer, log, known, network = DEFAULT_NETWORK } = init
  const chainId = Number((await provider.getNetwork()).chainId)
  if (known != null && known.chainId !== chainId) {
    throw new SalusError(
      'DEPLOY_CHAIN',
      `The known deployment is of chain ${String(known.chainId)}, but the endpoint serves chain ${String(chainId)}; name another file or endpoint.`
    )
  }
  const firstAdmin = await signer.getAddress()
  const governance = init.governance ?? governedBy(firstAdmin)
  await checkGovernor(provider, { network, firstAdmin, governance })
  const p256Precompile = await requireP256(provider, { allowNone: init.allowNoP256 === true, log })

  const plan = planContracts({ network, firstAdmin })
  const missing = await missingContracts(provider, plan)
  const blockNumber = await firstBlock(provider, plan, missing, known)
  const addresses = Object.fromEntries(plan.map(({ name, address }) => [name, address]))
  if (missing.length > 0) {
    await init.onPlanned?.({ chainId, blockNumber, addresses })
    await ensureProxy(provider, signer)
    await create(init, network, missing)
  }
  const contracts: Record<string, { address: string; codeHash: string }> = {}
  for (const { name, address } of plan) {
    const code = await provider.getCode(address)
    if (!isRuntimeOf(code, readBytecode(name))) throw failed(name)
    contracts[name] = { address, codeHash: keccak256(code) }
  }
  const networkId = toHex(networkIdOf(chainId, contracts['AccessGrants']?.address ?? ''))
  const origin = { network, firstAdmin, p256Precompile, governance }
  const deployment = readDeployment({ chainId, networkId, blockNumber, contracts, origin })
  await setUp({ provider, signer, log }, deployment)
  return deployment
}

/** New patients and grants are a new network, whose events begin now; under old ones, older events still count. */
async function firstBlock(
  provider: Provider,
  plan: readonly PlannedContract[],
  missing: readonly PlannedContract[],
  known: DeploymentProgress | undefined
): Promise<number> {
  const grants = plan.find(({ name }) => name === 'AccessGrants')
  if (grants != null && known?.addresses['AccessGrants'] === grants.address) return known.blockNumber
  const manager = plan.find(({ name }) => name === 'AccessManager')
  if (manager == null || missing.includes(manager)) return provider.getBlockNumber()
  return blockBefore(provider, manager.address)
}

/** Sends all, then waits for all. That somebody else made a contract in the meantime is as good. */
async function create(
  { provider, signer, log }: DeployInit,
  network: string,
  missing: readonly PlannedContract[]
): Promise<void> {
  const sent: [PlannedContract, TransactionResponse][] = []
  for (const contract of missing) {
    log.info({ contract: contract.name, address: contract.address }, 'deploying')
    try {
      sent.push([contract, await signer.sendTransaction(creationCall(network, contract.creationCode))])
    } catch (cause) {
      if (!(await isInPlace(provider, contract))) throw failed(contract.name, cause)
      if (signer instanceof NonceManager) signer.reset()
    }
  }
  for (const [contract, transaction] of sent) {
    try {
      await transaction.wait(1, CONFIRM_TIMEOUT_MS)
    } catch (cause) {
      if (!(await isInPlace(provider, contract))) throw failed(contract.name, cause)
    }
  }
}

function failed(name: ContractName, cause?: unknown): SalusError {
  return new SalusError(
    'DEPLOY_FAILED',
    `${name} could not be deployed. See that the account has funds and the chain runs the Osaka rules, then deploy again: it goes on where it stopped.`,
    { cause }
  )
}

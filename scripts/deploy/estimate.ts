/** What a deployment would take, for the dry run. */
import type { Provider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Governance } from '#core/chain/deployment-governance.ts'
import { creationCall, hasProxy } from '#scripts/deploy/create2.ts'
import { setupDifferences } from '#scripts/deploy/governance/difference.ts'
import { readManagerState } from '#scripts/deploy/governance/read-state.ts'
import { emptyState } from '#scripts/deploy/governance/state.ts'
import { missingContracts, planContracts, type AddressInputs } from '#scripts/deploy/plan.ts'

/** What the proxy's own transaction may use, with the transfer that pays for it. */
const PROXY_GAS = 121_000n
/** Of one call that sets a role, as part of a transaction that holds many; measured, rounded up. */
const SETUP_CALL_GAS = 40_000n

/** One contract: where it goes, whether it still has to, for how much gas. */
export interface ContractEstimate {
  readonly contract: string
  readonly address: string
  readonly deploys: boolean
  readonly gas: number
}

/** The whole. */
export interface Estimate {
  readonly contracts: readonly ContractEstimate[]
  /** Whether the deployment proxy has to be put on the chain first. */
  readonly needsProxy: boolean
  /** Calls that set roles. */
  readonly setupCalls: number
  readonly gas: number
  readonly gasPriceWei: string
  /** At the present price, in the smallest unit of the chain's coin. */
  readonly costWei: string
}

/** Asks the chain; sends nothing. */
export async function estimateDeployment(
  provider: Provider,
  { inputs, governance, earlier }: { inputs: AddressInputs; governance: Governance; earlier: Deployment | undefined }
): Promise<Estimate> {
  const plan = planContracts(inputs)
  const missing = await missingContracts(provider, plan)
  const needsProxy = missing.length > 0 && !(await hasProxy(provider))
  let gas = needsProxy ? PROXY_GAS : 0n
  const contracts: ContractEstimate[] = []
  for (const contract of plan) {
    const deploys = missing.includes(contract)
    // Without the proxy the same code is made by a plain creation, which differs by a few thousand.
    const call = needsProxy ? { data: contract.creationCode } : creationCall(inputs.network, contract.creationCode)
    const needed = deploys ? await provider.estimateGas({ from: inputs.firstAdmin, ...call }) : 0n
    gas += needed
    contracts.push({ contract: contract.name, address: contract.address, deploys, gas: Number(needed) })
  }
  const addressOf = (name: string): string => plan.find(contract => contract.name === name)?.address ?? ''
  const isNew = missing.some(({ name }) => name === 'AccessManager')
  const state = isNew
    ? emptyState()
    : await readManagerState(provider, addressOf('AccessManager'), earlier?.blockNumber ?? 0)
  const setupCalls = setupDifferences({ governance, firstAdmin: inputs.firstAdmin, addressOf }, state).length
  gas += BigInt(setupCalls) * SETUP_CALL_GAS
  const { gasPrice, maxFeePerGas } = await provider.getFeeData()
  const price = gasPrice ?? maxFeePerGas ?? 0n
  return {
    contracts,
    needsProxy,
    setupCalls,
    gas: Number(gas),
    gasPriceWei: String(price),
    costWei: String(gas * price)
  }
}

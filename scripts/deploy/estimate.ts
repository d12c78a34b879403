/** What a deployment would take, for the dry run. */
import type { Provider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Governance } from '#core/chain/deployment-governance.ts'
import { creationCall, hasProxy, PROXY_COST_WEI } from '#scripts/deploy/create2.ts'
import { setupDifferences } from '#scripts/deploy/governance/difference.ts'
import { readManagerState } from '#scripts/deploy/governance/read-state.ts'
import { emptyState } from '#scripts/deploy/governance/state.ts'
import { missingContracts, planContracts, type AddressInputs } from '#scripts/deploy/plan.ts'

/** What a call through the proxy takes more than a plain creation, rounded up. */
const THROUGH_PROXY_GAS = 5_000n
/** Of one call that sets a role, as part of a transaction that holds many; measured at 25,000, rounded up. */
const SETUP_CALL_GAS = 30_000n

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
  /** At the present price, with what the proxy costs where it is needed; in the smallest unit of the chain's coin. */
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
  let gas = 0n
  const contracts: ContractEstimate[] = []
  for (const contract of plan) {
    const deploys = missing.includes(contract)
    const data = { from: inputs.firstAdmin, data: contract.creationCode }
    let needed = 0n
    if (deploys && needsProxy) needed = (await provider.estimateGas(data)) + THROUGH_PROXY_GAS
    else if (deploys) needed = await provider.estimateGas({ ...data, ...creationCall(inputs.network, data.data) })
    gas += needed
    contracts.push({ contract: contract.name, address: contract.address, deploys, gas: Number(needed) })
  }
  const addressOf = (name: string): string => plan.find(contract => contract.name === name)?.address ?? ''
  const isNew = missing.some(({ name }) => name === 'AccessManager')
  const state = isNew
    ? emptyState()
    : await readManagerState(provider, addressOf('AccessManager'), {
        firstAdmin: inputs.firstAdmin,
        fromBlock: earlier?.blockNumber ?? 0
      })
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
    costWei: String(gas * price + (needsProxy ? PROXY_COST_WEI : 0n))
  }
}

import { keccak256, type Provider, type Signer, type TransactionResponse } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'
import { isRuntimeOf, readBytecode } from '#scripts/deploy/bytecode.ts'
import { planDeployment, type KnownAddresses } from '#scripts/deploy/plan.ts'

/** A deployment that has begun: enough to go on after a crash. */
export interface DeploymentProgress {
  readonly chainId: number
  /** A block before the first of the contracts. */
  readonly blockNumber: number
  readonly addresses: KnownAddresses
}

/** What deploying needs, and what it may be told. */
export interface DeployInit {
  readonly provider: Provider
  /** Pays the gas. Holds no power over the contracts afterwards: nobody does. */
  readonly signer: Signer
  readonly log: Log
  /** An earlier deployment to this chain; what is still good of it stays. */
  readonly known?: DeploymentProgress
  /** Called with the addresses before the first transaction is sent. */
  readonly onPlanned?: (progress: DeploymentProgress) => Promise<void>
}

const CONFIRM_TIMEOUT_MS = 120_000

/**
 * Deploys what is not yet there and returns where everything is. Running it again changes nothing.
 *
 * @throws SalusError `DEPLOY_CHAIN` if the known deployment is of another chain; `DEPLOY_FAILED` if a transaction
 * fails, does not arrive within two minutes, or leaves other code than it should
 */
export async function deployAll({ provider, signer, log, known, onPlanned }: DeployInit): Promise<Deployment> {
  const chainId = Number((await provider.getNetwork()).chainId)
  if (known != null && known.chainId !== chainId) {
    throw new SalusError(
      'DEPLOY_CHAIN',
      `The known deployment is of chain ${String(known.chainId)}, but the endpoint serves chain ${String(chainId)}; name another file or endpoint.`
    )
  }
  const sender = { address: await signer.getAddress(), nonce: await signer.getNonce('pending') }
  const plan = await planDeployment(provider, sender, known?.addresses ?? {})
  const missing = plan.filter(contract => contract.creationCode != null)
  const keptGrants = plan.some(({ name, creationCode }) => name === 'AccessGrants' && creationCode == null)
  // New patients and grants are a new network, whose events begin now; under old ones, older events still count.
  const blockNumber = keptGrants && known != null ? known.blockNumber : await provider.getBlockNumber()
  const addresses = Object.fromEntries(plan.map(({ name, address }) => [name, address]))
  if (missing.length > 0) await onPlanned?.({ chainId, blockNumber, addresses })

  const sent: TransactionResponse[] = []
  for (const { name, address, creationCode } of missing) {
    log.info({ contract: name, address }, 'deploying')
    sent.push(await attempt(name, () => signer.sendTransaction({ data: creationCode ?? null })))
  }
  for (const [i, transaction] of sent.entries()) {
    await attempt(missing[i]?.name, () => transaction.wait(1, CONFIRM_TIMEOUT_MS))
  }
  const contracts: Record<string, { address: string; codeHash: string }> = {}
  for (const { name, address } of plan) {
    const code = await provider.getCode(address)
    if (!isRuntimeOf(code, readBytecode(name))) {
      throw new SalusError('DEPLOY_FAILED', `${name} is not where it was deployed to; deploy again.`)
    }
    contracts[name] = { address, codeHash: keccak256(code) }
  }
  const networkId = toHex(networkIdOf(chainId, contracts['AccessGrants']?.address ?? ''))
  return readDeployment({ chainId, networkId, blockNumber, contracts })
}

async function attempt<T>(name: ContractName | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw new SalusError(
      'DEPLOY_FAILED',
      `${name ?? 'A contract'} could not be deployed. See that the account has funds and the chain runs the Osaka rules, then deploy again: it goes on where it stopped.`,
      { cause }
    )
  }
}

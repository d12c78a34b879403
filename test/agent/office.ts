import { Contract, JsonRpcProvider } from 'ethers'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { openOffice, type Office } from '#test/contracts/credential-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { account } from '#test/node/chain/test-chain.ts'

/** An accredited organisation that issues credentials on a running chain. */
export interface RunningOffice extends Office {
  stop(): void
}

/** Opens the office of an organisation; the deployer governs. */
export async function openRunningOffice(
  { chain, deployment }: { readonly chain: { readonly rpcUrl: string }; readonly deployment: Deployment },
  key: Key = accountKey('hospital'),
  governor = 1
): Promise<RunningOffice> {
  const provider = new JsonRpcProvider(chain.rpcUrl, undefined, { pollingInterval: 100, cacheTimeout: -1 })
  const { CredentialRegistry, EmergencyAccess } = deployment.contracts
  const signer = account(governor, provider)
  const now = async (): Promise<number> => (await provider.getBlock('latest'))?.timestamp ?? 0
  // What the requests of the contracts' tests need of a chain.
  const like = {
    contracts: {
      credentials: new Contract(CredentialRegistry.address, credentialRegistryAbi, signer),
      emergencies: new Contract(EmergencyAccess.address, emergencyAccessAbi, signer)
    },
    domainOf: (name: keyof typeof deployment.contracts) =>
      domain(name as 'EmergencyAccess', deployment.chainId, deployment.contracts[name].address),
    now,
    deadline: async () => (await now()) + 3600
  } as unknown as TestChain
  const office = openOffice(like, key)
  await (await office.accredit()).wait()
  return { ...office, stop: () => provider.destroy() }
}

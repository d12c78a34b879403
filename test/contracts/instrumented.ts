import type { HardhatEthers } from '@nomicfoundation/hardhat-ethers/types'
import { keccak256 } from 'ethers'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { createLog } from '#node/log.ts'
import { constructorArguments } from '#scripts/deploy/constructors.ts'
import { governedBy } from '#scripts/deploy/governance/governor.ts'
import { setUp } from '#scripts/deploy/governance/set-up.ts'

/** Whether this run measures coverage, for which Hardhat compiles the contracts with counters in them. */
export const MEASURES_COVERAGE: boolean = process.env['SALUS_COVERAGE'] === '1'

/** Deploys what Hardhat has compiled, in place of the shipped bytecode. */
export async function deployInstrumented(ethers: HardhatEthers): Promise<Deployment> {
  const chainId = Number((await ethers.provider.getNetwork()).chainId)
  const contracts: Record<string, { address: string; codeHash: string }> = {}
  const [firstAdmin] = await ethers.getSigners()
  if (firstAdmin == null) throw new Error('the chain has no account to deploy with')
  for (const name of CONTRACT_NAMES) {
    const args = constructorArguments(name, firstAdmin.address, other => contracts[other]?.address ?? '')
    const address = await (await ethers.deployContract(name, args)).getAddress()
    contracts[name] = { address, codeHash: keccak256(await ethers.provider.getCode(address)) }
  }
  const networkId = toHex(networkIdOf(chainId, contracts['AccessGrants']?.address ?? ''))
  const origin = {
    network: 'instrumented',
    firstAdmin: firstAdmin.address,
    p256Precompile: true,
    governance: governedBy(firstAdmin.address)
  }
  const deployment = readDeployment({ chainId, networkId, blockNumber: 0, contracts, origin })
  const log = createLog({ name: 'test', level: 'silent' })
  await setUp({ provider: ethers.provider, signer: firstAdmin, log }, deployment)
  return deployment
}

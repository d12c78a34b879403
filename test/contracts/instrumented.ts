import type { HardhatEthers } from '@nomicfoundation/hardhat-ethers/types'
import { keccak256 } from 'ethers'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { constructorArguments } from '#scripts/deploy/constructors.ts'

/** Whether this run measures coverage, for which Hardhat compiles the contracts with counters in them. */
export const MEASURES_COVERAGE: boolean = process.env['SALUS_COVERAGE'] === '1'

/** Deploys what Hardhat has compiled, in place of the shipped bytecode. */
export async function deployInstrumented(ethers: HardhatEthers): Promise<Deployment> {
  const chainId = Number((await ethers.provider.getNetwork()).chainId)
  const contracts: Record<string, { address: string; codeHash: string }> = {}
  const [governor] = await ethers.getSigners()
  for (const name of CONTRACT_NAMES) {
    const args = constructorArguments(name, governor?.address ?? '', other => contracts[other]?.address ?? '')
    const address = await (await ethers.deployContract(name, args)).getAddress()
    contracts[name] = { address, codeHash: keccak256(await ethers.provider.getCode(address)) }
  }
  const networkId = toHex(networkIdOf(chainId, contracts['AccessGrants']?.address ?? ''))
  return readDeployment({ chainId, networkId, blockNumber: 0, contracts })
}

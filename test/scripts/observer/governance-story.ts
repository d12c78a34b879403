import { Contract, type BaseContract, type ContractTransactionResponse } from 'ethers'
import { REQUEST_CONTRACTS } from '#core/chain/contract-names.ts'
import { roleId } from '#core/chain/roles.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { payingKey } from '#test/contracts/keys.ts'
import { researchContracts, type ResearchContracts } from '#test/contracts/research-contracts.ts'
import { CAREFUL } from '#test/scripts/observer/habits.ts'

interface Pausable extends BaseContract {
  pause(): Promise<ContractTransactionResponse>
  unpause(): Promise<ContractTransactionResponse>
}

/** A role of this story alone. */
const CLERK = 0xc1e2cn
const WAIT_S = 3600

/** Whoever governs does all that governance can: stops and starts everything, gives and takes roles, waits and thinks better of it. */
export async function govern(chain: TestChain): Promise<void> {
  const research = researchContracts(chain)
  await stopAndStart(chain, research)
  await employClerk(chain, research)
  await changeRules(chain, research)
}

async function stopAndStart({ deployment, contracts }: TestChain, { manager }: ResearchContracts): Promise<void> {
  for (const name of REQUEST_CONTRACTS) {
    const { address } = deployment.contracts[name]
    const methods = ['function pause()', 'function unpause()']
    const contract = new Contract(address, methods, contracts.grants.runner) as unknown as Pausable
    await contract.pause()
    await contract.unpause()
    await manager.updateAuthority(address, await manager.getAddress())
  }
}

/** Somebody who must announce what it does, has one thing cancelled, does two others and leaves. */
async function employClerk(chain: TestChain, { manager, ledger }: ResearchContracts): Promise<void> {
  const { key, signer } = await payingKey(chain, 'clerk')
  const target = await ledger.getAddress()
  const setCap = ledger.interface.getFunction('setCap').selector
  await manager.labelRole(CLERK, 'CLERK')
  await manager.setRoleAdmin(CLERK, roleId('ADMIN'))
  await manager.setRoleGuardian(CLERK, roleId('PAUSER'))
  await manager.setTargetFunctionRole(target, [setCap], CLERK)
  await manager.grantRole(CLERK, key.id, WAIT_S)
  const asClerk = manager.connect(signer)
  const call = ledger.interface.encodeFunctionData('setCap', [CAREFUL.salt(), 10, 5])
  await asClerk.schedule(target, call, 0)
  await manager.cancel(key.id, target, call)
  await asClerk.schedule(target, call, 0)
  await chain.moveTo((await chain.now()) + WAIT_S)
  await asClerk.execute(target, call)
  const [dataset, cap, perResearcher] = [CAREFUL.salt(), 10, 5]
  await asClerk.schedule(target, ledger.interface.encodeFunctionData('setCap', [dataset, cap, perResearcher]), 0)
  await chain.moveTo((await chain.now()) + WAIT_S)
  await ledger.connect(signer).setCap(dataset, cap, perResearcher)
  await asClerk.renounceRole(CLERK, key.id)
  await manager.setTargetFunctionRole(target, [setCap], roleId('GOVERNOR'))
}

async function changeRules({ contracts }: TestChain, { manager, ledger }: ResearchContracts): Promise<void> {
  const target = await ledger.getAddress()
  await manager.setGrantDelay(CLERK, WAIT_S)
  await manager.setTargetAdminDelay(await contracts.grants.getAddress(), WAIT_S)
  await manager.setTargetClosed(target, true)
  await manager.setTargetClosed(target, false)
  const encode = manager.interface.encodeFunctionData.bind(manager.interface)
  await manager.multicall([encode('labelRole', [CLERK, 'NOBODY'])])
  await manager.revokeRole(roleId('AUDITOR'), await contracts.nodes.getAddress())
}

import { expect } from 'chai'
import type { Deployment } from '#core/chain/deployment.ts'
import { roleId } from '#core/chain/roles.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { expectCode } from '#test/error-code.ts'
import { governanceOf, knownFrom, openGovernedChain, type GovernedChain } from '#test/scripts/deploy/governed-chain.ts'

const DAY = 86_400

describe('setting up the governance of a consortium', () => {
  let chain: GovernedChain
  let deployment: Deployment
  beforeEach(async () => {
    chain = await openGovernedChain()
    deployment = await chain.deploy()
  })
  afterEach(() => chain.close())

  it('has every role with its members and delays, and changes nothing when run again', async () => {
    const { deployer, governor, pauser, accreditor } = chain.people
    const manager = chain.manager(deployment, deployer)
    expect(await manager.hasRole(roleId('GOVERNOR'), governor.address)).to.deep.equal([true, BigInt(2 * DAY)])
    expect(await manager.hasRole(roleId('PAUSER'), pauser.address)).to.deep.equal([true, 0n])
    expect(await manager.hasRole(roleId('ACCREDITOR'), accreditor.address)).to.deep.equal([true, BigInt(DAY)])
    expect(await manager.getRoleGuardian(roleId('GOVERNOR'))).to.equal(roleId('PAUSER'))
    expect(await manager.getRoleGuardian(roleId('PAUSER'))).to.equal(roleId('ADMIN'))
    const before = await chain.provider.getTransactionCount(deployer.address)
    expect(await chain.deploy({ known: knownFrom(deployment) })).to.deep.equal(deployment)
    expect(await chain.provider.getTransactionCount(deployer.address)).to.equal(before)
  })

  it('follows a changed table with the difference alone', async () => {
    const { deployer, accreditor, stranger } = chain.people
    const before = await chain.provider.getBlockNumber()
    const governance = governanceOf(chain.people, {}, { ACCREDITOR: [stranger.address] })
    await chain.deploy({ governance })
    expect(await chain.provider.getBlockNumber()).to.equal(before + 1)
    const receipts = (await chain.provider.getBlock(before + 1, true))?.prefetchedTransactions ?? []
    const [calls] = MANAGER.decodeFunctionData('multicall', receipts[0]?.data ?? '0x') as unknown as [string[]]
    expect(calls.map(call => MANAGER.parseTransaction({ data: call })?.name)).to.deep.equal(['grantRole', 'revokeRole'])
    const manager = chain.manager(deployment, deployer)
    expect((await manager.hasRole(roleId('ACCREDITOR'), stranger.address)).isMember).to.be.true
    expect((await manager.hasRole(roleId('ACCREDITOR'), accreditor.address)).isMember).to.be.false
  })

  describe('refuses', () => {
    it('to be handed over by who does not administer it', async () => {
      await expectCode('DEPLOY_NOT_ADMIN', () => chain.handOver(deployment, chain.people.stranger))
    })

    it('a deployer that would keep a role', async () => {
      const { deployer } = chain.people
      const byDeployer = governanceOf(chain.people, { governor: deployer.address })
      await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance: byDeployer, network: 'x' }))
      const withDeployer = governanceOf(chain.people, {}, { ACCREDITOR: [deployer.address] })
      await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance: withDeployer, network: 'x' }))
    })

    it('to be governed by a contract of its own, for which nobody speaks', async () => {
      const { AccessManager, AccessGrants } = deployment.contracts
      const byManager = governanceOf(chain.people, { governor: AccessManager.address })
      await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance: byManager }))
      const withGrants = governanceOf(chain.people, {}, { PAUSER: [AccessGrants.address] })
      await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance: withGrants }))
    })

    for (const role of ['GOVERNOR', 'PAUSER', 'ACCREDITOR', 'REVIEWER'] as const) {
      it(`to have no ${role}`, async () => {
        const governance = governanceOf(chain.people, {}, { [role]: [] })
        await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance, network: 'x' }))
      })
    }
  })
})

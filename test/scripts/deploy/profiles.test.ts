import { expect } from 'chai'
import { governedBy } from '#scripts/deploy/governance/governor.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { verifyDeployment } from '#scripts/deploy/verify/verify.ts'
import { expectCode } from '#test/error-code.ts'
import { governanceOf, GRANTS, openGovernedChain, type GovernedChain } from '#test/scripts/deploy/governed-chain.ts'

const DAY = 86_400
const UNPAUSE = GRANTS.encodeFunctionData('unpause')

describe('governance of a public network', () => {
  let chain: GovernedChain
  beforeEach(async () => {
    chain = await openGovernedChain()
  })
  afterEach(() => chain.close())

  it('takes a contract for its governor, and no account, not even one that lends itself to a contract', async () => {
    const governance = governanceOf(chain.people, { profile: 'public' })
    await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance }))
    await chain.setCode(governance.governor, `0xef0100${'11'.repeat(20)}`)
    await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance }))
    await chain.setCode(governance.governor, '0x00')
    const deployment = await chain.deploy({ governance })
    // Looked at again when it counts.
    await chain.setCode(governance.governor, '0x')
    await expectCode('DEPLOY_GOVERNOR', () => chain.handOver(deployment))
    await chain.setCode(governance.governor, '0x00')
    expect(await chain.handOver(deployment)).to.be.true
    const manager = chain.manager(deployment, chain.people.stranger)
    expect(await manager.hasRole(0, governance.governor)).to.deep.equal([true, BigInt(7 * DAY)])
  })
})

describe('governance by a contract', () => {
  it('announces and makes its calls like anybody else', async () => {
    const chain = await openGovernedChain()
    try {
      const { governor: councillor, pauser } = chain.people
      // Another network's manager stands for a council: a contract that one account can have call others.
      const other = await chain.deploy({
        governance: governedBy(councillor.address),
        network: 'council',
        signer: councillor
      })
      const council = chain.manager(other, councillor)
      const governor = other.contracts.AccessManager.address
      const members = { GOVERNOR: [governor] }
      const deployment = await chain.deploy({
        governance: governanceOf(chain.people, { profile: 'public', governor }, members)
      })
      await chain.handOver(deployment)
      await (await chain.grants(deployment, pauser).getFunction('pause').send()).wait()
      const { AccessManager, AccessGrants } = deployment.contracts
      const execute = async (method: string, ...args: unknown[]): Promise<void> => {
        await (await council.execute(AccessManager.address, MANAGER.encodeFunctionData(method, args))).wait()
      }
      await execute('schedule', AccessGrants.address, UNPAUSE, 0)
      await chain.wait(7 * DAY - 60)
      await expect(execute('execute', AccessGrants.address, UNPAUSE)).to.be.revertedWithCustomError(
        council,
        'AccessManagerNotReady'
      )
      await chain.wait(60)
      await execute('execute', AccessGrants.address, UNPAUSE)
      expect(await chain.grants(deployment, pauser).getFunction('paused').staticCall()).to.be.false
      expect((await verifyDeployment(chain.provider, deployment)).findings).to.deep.equal([])
    } finally {
      await chain.close()
    }
  })
})

describe('governance on a development chain', () => {
  it('leaves everything to the deployer, at once, and there is nothing to hand over', async () => {
    const chain = await openGovernedChain()
    try {
      const { deployer } = chain.people
      const deployment = await chain.deploy({ governance: undefined as never })
      const grants = chain.grants(deployment, deployer)
      await (await grants.getFunction('pause').send()).wait()
      await (await grants.getFunction('unpause').send()).wait()
      expect(await grants.getFunction('paused').staticCall()).to.be.false
      expect(await chain.handOver(deployment)).to.be.false
      const manager = chain.manager(deployment, deployer)
      expect((await manager.hasRole(0, deployer.address)).isMember).to.be.true
    } finally {
      await chain.close()
    }
  })
})

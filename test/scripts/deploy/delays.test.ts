import { expect } from 'chai'
import type { Deployment } from '#core/chain/deployment.ts'
import { GRANTED_ROLES, roleId } from '#core/chain/roles.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { GRANTS, openGovernedChain, type GovernedChain } from '#test/scripts/deploy/governed-chain.ts'

const DAY = 86_400
const UNPAUSE = GRANTS.encodeFunctionData('unpause')

describe('the delays of a consortium', () => {
  let chain: GovernedChain
  let deployment: Deployment
  beforeEach(async () => {
    chain = await openGovernedChain()
    deployment = await chain.deploy()
    expect(await chain.handOver(deployment)).to.be.true
  })
  afterEach(() => chain.close())

  const grantsAddress = (): string => deployment.contracts.AccessGrants.address
  const managerAddress = (): string => deployment.contracts.AccessManager.address

  it('pauses at once and goes on only after the delay', async () => {
    const { governor, pauser } = chain.people
    await (await chain.grants(deployment, pauser).getFunction('pause').send()).wait()
    const paused = chain.grants(deployment, governor).getFunction('paused')
    expect(await paused.staticCall()).to.be.true
    const manager = chain.manager(deployment, governor)
    await expect(manager.execute(grantsAddress(), UNPAUSE)).to.be.revertedWithCustomError(
      manager,
      'AccessManagerNotScheduled'
    )
    await expect(manager.schedule(grantsAddress(), UNPAUSE, 1)).to.be.revertedWithCustomError(
      manager,
      'AccessManagerUnauthorizedCall'
    )
    await (await manager.schedule(grantsAddress(), UNPAUSE, 0)).wait()
    await chain.wait(2 * DAY - 60)
    await expect(manager.execute(grantsAddress(), UNPAUSE)).to.be.revertedWithCustomError(
      manager,
      'AccessManagerNotReady'
    )
    await chain.wait(60)
    await (await manager.execute(grantsAddress(), UNPAUSE)).wait()
    expect(await paused.staticCall()).to.be.false
    await expect(manager.execute(grantsAddress(), UNPAUSE)).to.be.revertedWithCustomError(
      manager,
      'AccessManagerNotScheduled'
    )
  })

  it('lets an announced call lapse after a week', async () => {
    const { governor, pauser } = chain.people
    await (await chain.grants(deployment, pauser).getFunction('pause').send()).wait()
    const manager = chain.manager(deployment, governor)
    await (await manager.schedule(grantsAddress(), UNPAUSE, 0)).wait()
    await chain.wait(9 * DAY)
    await expect(manager.execute(grantsAddress(), UNPAUSE)).to.be.revertedWithCustomError(
      manager,
      'AccessManagerExpired'
    )
  })

  it('gives a role only after administration’s delay and the role’s own', async () => {
    const { governor, stranger } = chain.people
    // The delays of grants come into force five days after they are set, whoever sets them.
    await chain.wait(6 * DAY)
    const manager = chain.manager(deployment, governor)
    const data = MANAGER.encodeFunctionData('grantRole', [roleId('REVIEWER'), stranger.address, 0])
    await (await manager.schedule(managerAddress(), data, 0)).wait()
    await expect(manager.grantRole(roleId('REVIEWER'), stranger.address, 0)).to.be.revertedWithCustomError(
      manager,
      'AccessManagerNotReady'
    )
    await chain.wait(2 * DAY)
    await (await manager.execute(managerAddress(), data)).wait()
    expect((await manager.hasRole(roleId('REVIEWER'), stranger.address)).isMember).to.be.false
    await chain.wait(DAY)
    expect((await manager.hasRole(roleId('REVIEWER'), stranger.address)).isMember).to.be.true
  })

  it('keeps administration’s delay from the first minute', async () => {
    const { governor } = chain.people
    const manager = chain.manager(deployment, governor)
    for (const role of GRANTED_ROLES) {
      await expect(manager.grantRole(roleId(role), governor.address, 0)).to.be.revertedWithCustomError(
        manager,
        'AccessManagerNotScheduled'
      )
    }
    await expect(manager.setTargetClosed(grantsAddress(), true)).to.be.revertedWithCustomError(
      manager,
      'AccessManagerNotScheduled'
    )
  })

  describe('the guardian', () => {
    const grant = (account: string): string =>
      MANAGER.encodeFunctionData('grantRole', [roleId('ACCREDITOR'), account, 0])
    const revoke = (role: 'PAUSER' | 'GOVERNOR', account: string): string =>
      MANAGER.encodeFunctionData('revokeRole', [roleId(role), account])

    it('cancels what the governor has announced', async () => {
      const { governor, pauser, stranger } = chain.people
      for (const [target, data] of [
        [grantsAddress(), UNPAUSE],
        [managerAddress(), grant(stranger.address)],
        [managerAddress(), MANAGER.encodeFunctionData('updateAuthority', [grantsAddress(), stranger.address])],
        [managerAddress(), MANAGER.encodeFunctionData('setTargetFunctionRole', [grantsAddress(), ['0x8456cb59'], 9])]
      ] as const) {
        const manager = chain.manager(deployment, governor)
        await (await manager.schedule(target, data, 0)).wait()
        await expect(
          chain.manager(deployment, stranger).cancel(governor.address, target, data)
        ).to.be.revertedWithCustomError(manager, 'AccessManagerUnauthorizedCancel')
        await (await chain.manager(deployment, pauser).cancel(governor.address, target, data)).wait()
        await chain.wait(3 * DAY)
        await expect(manager.execute(target, data)).to.be.revertedWithCustomError(manager, 'AccessManagerNotScheduled')
      }
    })

    it('cannot cancel its own removal', async () => {
      const { governor, pauser } = chain.people
      const manager = chain.manager(deployment, governor)
      const data = revoke('PAUSER', pauser.address)
      await (await manager.schedule(managerAddress(), data, 0)).wait()
      await expect(
        chain.manager(deployment, pauser).cancel(governor.address, managerAddress(), data)
      ).to.be.revertedWithCustomError(manager, 'AccessManagerUnauthorizedCancel')
      await chain.wait(2 * DAY)
      await (await manager.execute(managerAddress(), data)).wait()
      expect((await manager.hasRole(roleId('PAUSER'), pauser.address)).isMember).to.be.false
    })
  })
})

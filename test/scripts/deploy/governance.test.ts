import { expect } from 'chai'
import { id } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { GRANTED_ROLES, ROLES, roleId, type Role } from '#core/chain/roles.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'
import { governedBy } from '#scripts/deploy/governance/governor.ts'
import type { Difference } from '#scripts/deploy/governance/difference.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { PROFILE_TERMS } from '#scripts/deploy/governance/profiles.ts'
import { verifyDeployment } from '#scripts/deploy/verify/verify.ts'
import { expectCode } from '#test/error-code.ts'
import {
  governanceOf,
  GRANTS,
  knownFrom,
  openGovernedChain,
  type GovernedChain
} from '#test/scripts/deploy/governed-chain.ts'

const DAY = 86_400
const PAUSE = GRANTS.encodeFunctionData('pause')
const UNPAUSE = GRANTS.encodeFunctionData('unpause')

describe('governance of a consortium', () => {
  let chain: GovernedChain
  let deployment: Deployment
  beforeEach(async () => {
    chain = await openGovernedChain()
    deployment = await chain.deploy()
  })
  afterEach(() => chain.close())

  const grantsAddress = (): string => deployment.contracts.AccessGrants.address
  const managerAddress = (): string => deployment.contracts.AccessManager.address

  describe('before it is handed over', () => {
    it('has every role with its members and delays, and changes nothing when run again', async () => {
      const { deployer, governor, pauser, accreditor } = chain.people
      const manager = chain.manager(deployment, deployer)
      expect(await manager.hasRole(roleId('GOVERNOR'), governor.address)).to.deep.equal([true, BigInt(2 * DAY)])
      expect(await manager.hasRole(roleId('PAUSER'), pauser.address)).to.deep.equal([true, 0n])
      expect(await manager.hasRole(roleId('ACCREDITOR'), accreditor.address)).to.deep.equal([true, BigInt(DAY)])
      expect(await manager.getRoleGuardian(roleId('GOVERNOR'))).to.equal(roleId('PAUSER'))
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
      expect(calls.map(call => MANAGER.parseTransaction({ data: call })?.name)).to.deep.equal([
        'grantRole',
        'revokeRole'
      ])
      const manager = chain.manager(deployment, deployer)
      expect((await manager.hasRole(roleId('ACCREDITOR'), stranger.address)).isMember).to.be.true
      expect((await manager.hasRole(roleId('ACCREDITOR'), accreditor.address)).isMember).to.be.false
    })
  })

  describe('after it is handed over', () => {
    beforeEach(async () => {
      expect(await chain.handOver(deployment)).to.be.true
    })

    it('leaves the deployer nothing at all', async () => {
      const { deployer, stranger } = chain.people
      const manager = chain.manager(deployment, deployer)
      for (const role of ROLES) expect((await manager.hasRole(roleId(role), deployer.address)).isMember).to.be.false
      const grants = chain.grants(deployment, deployer)
      await expect(grants.getFunction('pause').send()).to.be.revertedWithCustomError(
        grants,
        'AccessManagedUnauthorized'
      )
      await expect(grants.getFunction('unpause').send()).to.be.revertedWithCustomError(
        grants,
        'AccessManagedUnauthorized'
      )
      const calls: [string, unknown[]][] = [
        ['grantRole', [roleId('ADMIN'), deployer.address, 0]],
        ['grantRole', [roleId('PAUSER'), deployer.address, 0]],
        ['revokeRole', [roleId('ADMIN'), chain.people.governor.address]],
        ['labelRole', [9, 'MINE']],
        ['setRoleAdmin', [roleId('PAUSER'), 9]],
        ['setRoleGuardian', [roleId('GOVERNOR'), 9]],
        ['setGrantDelay', [roleId('PAUSER'), 0]],
        ['setTargetAdminDelay', [grantsAddress(), 0]],
        ['setTargetClosed', [grantsAddress(), true]],
        ['setTargetFunctionRole', [grantsAddress(), ['0x8456cb59'], 9]],
        ['updateAuthority', [grantsAddress(), stranger.address]]
      ]
      for (const [method, args] of calls) {
        const data = MANAGER.encodeFunctionData(method, args)
        await expect(deployer.sendTransaction({ to: managerAddress(), data }), method).to.be.revertedWithCustomError(
          manager,
          'AccessManagerUnauthorizedAccount'
        )
        await expect(manager.schedule(managerAddress(), data, 0), method).to.be.revertedWithCustomError(
          manager,
          'AccessManagerUnauthorizedCall'
        )
      }
    })

    it('is done once; a second time changes nothing, and nobody else can do it', async () => {
      const before = await chain.provider.getBlockNumber()
      expect(await chain.handOver(deployment)).to.be.false
      expect(await chain.handOver(deployment, chain.people.stranger)).to.be.false
      expect(await chain.deploy({ known: knownFrom(deployment) })).to.deep.equal(deployment)
      expect(await chain.provider.getBlockNumber()).to.equal(before)
    })

    it('leaves a changed table to the governor: running the script again sends nothing', async () => {
      const governance = governanceOf(chain.people, {}, { REVIEWER: [chain.people.stranger.address] })
      const before = await chain.provider.getBlockNumber()
      const again = await chain.deploy({ governance, known: knownFrom(deployment) })
      expect(await chain.provider.getBlockNumber()).to.equal(before)
      const { findings } = await verifyDeployment(chain.provider, again)
      expect(findings.map(({ code }) => code)).to.deep.equal(['VERIFY_MEMBER_MISSING'])
      // What verifying shows comes with the call that the governor has to announce.
      const { fix } = findings[0] as Difference
      const manager = chain.manager(deployment, chain.people.governor)
      await (await manager.schedule(managerAddress(), fix, 0)).wait()
      await chain.wait(2 * DAY)
      await (await manager.execute(managerAddress(), fix)).wait()
      expect((await verifyDeployment(chain.provider, again)).findings).to.deep.equal([])
    })

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

    it('keeps each role from what is another’s', async () => {
      const { governor, pauser, accreditor, stranger } = chain.people
      const of = (person: typeof governor) => chain.grants(deployment, person)
      for (const person of [governor, accreditor, stranger]) {
        await expect(of(person).getFunction('pause').send()).to.be.revertedWithCustomError(
          of(person),
          'AccessManagedUnauthorized'
        )
      }
      for (const person of [pauser, accreditor, stranger]) {
        await expect(of(person).getFunction('unpause').send()).to.be.revertedWithCustomError(
          of(person),
          'AccessManagedUnauthorized'
        )
      }
      for (const person of [governor, accreditor, stranger]) {
        const manager = chain.manager(deployment, person)
        await expect(manager.execute(grantsAddress(), PAUSE)).to.be.revertedWithCustomError(
          manager,
          'AccessManagerUnauthorizedCall'
        )
      }
    })

    it('lets each member call what the table gives its role, after its delay, and nothing else', async () => {
      const { governor, pauser, accreditor, deployer, stranger } = chain.people
      const rolesOf = new Map<string, readonly Role[]>([
        [governor.address, ['GOVERNOR', 'ADMIN']],
        [pauser.address, ['PAUSER']],
        [accreditor.address, ['ACCREDITOR']],
        [deployer.address, []],
        [stranger.address, []]
      ])
      const terms = PROFILE_TERMS.consortium
      const manager = chain.manager(deployment, stranger)
      for (const [name, functions] of Object.entries(FUNCTION_ROLES)) {
        if (name === 'AccessManager') continue
        const { address } = deployment.contracts[name as ContractName]
        for (const [signature, role] of Object.entries(functions)) {
          for (const [account, roles] of rolesOf) {
            const has = roles.includes(role)
            const wait = role === 'ADMIN' ? terms.admin.executionDelay : terms.roles[role].executionDelay
            const expected = has ? [wait === 0, BigInt(wait)] : [false, 0n]
            const can = await manager.canCall(account, address, id(signature).slice(0, 10))
            expect(can, `${account} ${name}.${signature}`).to.deep.equal(expected)
          }
        }
      }
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
          await expect(manager.execute(target, data)).to.be.revertedWithCustomError(
            manager,
            'AccessManagerNotScheduled'
          )
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

    it('to have nobody who could stop anything', async () => {
      const governance = governanceOf(chain.people, {}, { PAUSER: [] })
      await expectCode('DEPLOY_GOVERNOR', () => chain.deploy({ governance, network: 'x' }))
    })
  })
})

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
      const members = { GOVERNOR: [governor], ACCREDITOR: [] }
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

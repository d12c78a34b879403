import { expect } from 'chai'
import { id } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { ROLES, roleId, type Role } from '#core/chain/roles.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'
import type { Difference } from '#scripts/deploy/governance/difference.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { PROFILE_TERMS } from '#scripts/deploy/governance/profiles.ts'
import { verifyDeployment } from '#scripts/deploy/verify/verify.ts'
import {
  governanceOf,
  GRANTS,
  knownFrom,
  openGovernedChain,
  type GovernedChain
} from '#test/scripts/deploy/governed-chain.ts'

const DAY = 86_400
const PAUSE = GRANTS.encodeFunctionData('pause')

describe('a network that is handed over', () => {
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

  it('leaves the deployer nothing at all', async () => {
    const { deployer, stranger } = chain.people
    const manager = chain.manager(deployment, deployer)
    for (const role of ROLES) expect((await manager.hasRole(roleId(role), deployer.address)).isMember).to.be.false
    const grants = chain.grants(deployment, deployer)
    await expect(grants.getFunction('pause').send()).to.be.revertedWithCustomError(grants, 'AccessManagedUnauthorized')
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

  it('leaves no other administrator that the deployer had made', async () => {
    const { deployer, stranger } = chain.people
    const other = await chain.deploy({ network: 'salus/other' })
    const manager = chain.manager(other, deployer)
    await (await manager.grantRole(roleId('ADMIN'), stranger.address, 0)).wait()
    expect(await chain.handOver(other)).to.be.true
    expect((await manager.hasRole(roleId('ADMIN'), stranger.address)).isMember).to.be.false
    expect((await verifyDeployment(chain.provider, other)).findings).to.deep.equal([])
  })

  it('is done once; a second time changes nothing, and nobody else can do it', async () => {
    const before = await chain.provider.getBlockNumber()
    expect(await chain.handOver(deployment)).to.be.false
    expect(await chain.handOver(deployment, chain.people.stranger)).to.be.false
    expect(await chain.deploy({ known: knownFrom(deployment) })).to.deep.equal(deployment)
    expect(await chain.provider.getBlockNumber()).to.equal(before)
  })

  it('leaves a changed table to the governor: running the script again sends nothing', async () => {
    const governance = governanceOf(chain.people, {}, { LEDGER_KEEPER: [chain.people.stranger.address] })
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
})

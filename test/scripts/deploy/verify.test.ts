import { expect } from 'chai'
import { getBytes, hexlify, type Provider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { roleId } from '#core/chain/roles.ts'
import { readBytecode } from '#scripts/deploy/bytecode.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { verifyDeployment } from '#scripts/deploy/verify/verify.ts'
import { expectCode } from '#test/error-code.ts'
import {
  governanceOf,
  GRANTS,
  openGovernedChain,
  overriding,
  type GovernedChain
} from '#test/scripts/deploy/governed-chain.ts'

const DAY = 86_400

describe('verifying a deployment', () => {
  let chain: GovernedChain
  let deployment: Deployment
  beforeEach(async () => {
    chain = await openGovernedChain()
    deployment = await chain.deploy()
  })
  afterEach(() => chain.close())

  const codes = async (of: Deployment = deployment, provider: Provider = chain.provider): Promise<string[]> =>
    [...new Set((await verifyDeployment(provider, of)).findings.map(({ code }) => code))].sort()
  const notices = async (): Promise<readonly string[]> => (await verifyDeployment(chain.provider, deployment)).notices

  /** Announces a call to the manager, waits, and makes it. */
  async function govern(method: string, ...args: unknown[]): Promise<void> {
    const manager = chain.manager(deployment, chain.people.governor)
    const data = MANAGER.encodeFunctionData(method, args)
    await (await manager.schedule(deployment.contracts.AccessManager.address, data, 0)).wait()
    await chain.wait(2 * DAY)
    await (await manager.execute(deployment.contracts.AccessManager.address, data)).wait()
  }

  it('finds nothing once it is handed over, and says which delays are still to come', async () => {
    await chain.handOver(deployment)
    const report = await verifyDeployment(chain.provider, deployment)
    expect(report.findings).to.deep.equal([])
    expect(report.notices.some(notice => notice.startsWith('grant delay of ADMIN: 172800 s, in force from'))).to.be.true
    await chain.wait(6 * DAY)
    expect(await notices()).to.deep.equal([])
  })

  it('reads the same from an endpoint that gives the logs of one block only', async () => {
    await chain.handOver(deployment)
    const sparing = overriding(chain.provider, {
      getLogs: ({ fromBlock, toBlock, ...rest }: { fromBlock: number; toBlock: number }) =>
        fromBlock === toBlock
          ? chain.provider.getLogs({ fromBlock, toBlock, ...rest })
          : Promise.reject(Object.assign(new Error('too many blocks'), { code: 'UNKNOWN_ERROR' }))
    })
    expect(await codes(deployment, sparing)).to.deep.equal([])
  })

  it('sends nothing', async () => {
    const refuse = (): never => {
      throw new Error('something was sent')
    }
    const reading = overriding(chain.provider, {
      sendTransaction: refuse,
      broadcastTransaction: refuse,
      getSigner: refuse
    })
    await chain.handOver(deployment)
    expect(await codes(deployment, reading)).to.deep.equal([])
  })

  describe('finds', () => {
    it('that nothing was handed over yet', async () => {
      const { findings } = await verifyDeployment(chain.provider, deployment)
      expect(await codes()).to.deep.equal([
        'VERIFY_ADMIN_DELAY',
        'VERIFY_GRANT_DELAY',
        'VERIFY_MEMBER_EXTRA',
        'VERIFY_MEMBER_MISSING'
      ])
      const extra = findings.find(({ code }) => code === 'VERIFY_MEMBER_EXTRA')
      expect(extra?.subject).to.equal(`role ADMIN, ${chain.people.deployer.address}`)
    })

    it('any change of a contract’s code', async () => {
      await chain.handOver(deployment)
      const { address } = deployment.contracts.BatchAnchors
      const code = getBytes(await chain.provider.getCode(address))
      code[100] = (code[100] ?? 0) ^ 1
      await chain.setCode(address, hexlify(code))
      expect(await codes()).to.deep.equal(['VERIFY_CODE', 'VERIFY_CODE_HASH'])
      await chain.setCode(deployment.contracts.AccessManager.address, '0x00')
      expect(await codes()).to.deep.equal(['VERIFY_CODE', 'VERIFY_CODE_HASH'])
    })

    it('any change of a value that the constructor wrote into the code', async () => {
      await chain.handOver(deployment)
      const { address } = deployment.contracts.AccessGrants
      const code = await chain.provider.getCode(address)
      const { immutables } = readBytecode('AccessGrants')
      expect(immutables).not.to.be.empty
      for (const { start } of immutables) {
        const changed = getBytes(code)
        changed[start + 31] = (changed[start + 31] ?? 0) ^ 1
        await chain.setCode(address, hexlify(changed))
        expect(await codes()).to.include.members(['VERIFY_IMMUTABLE', 'VERIFY_CODE_HASH'])
      }
    })

    it('a contract at an address that does not follow from its code', async () => {
      await chain.handOver(deployment)
      const copy = chain.people.stranger.address
      await chain.setCode(copy, await chain.provider.getCode(deployment.contracts.ERC7913P256Verifier.address))
      const contracts = { ...deployment.contracts }
      const moved = {
        ...contracts,
        ERC7913P256Verifier: { ...contracts.ERC7913P256Verifier, address: copy as `0x${string}` }
      }
      expect(await codes({ ...deployment, contracts: moved })).to.deep.equal(['VERIFY_ADDRESS'])
    })

    it('somebody too many in a role, also in one that the table does not know', async () => {
      const { deployer, stranger } = chain.people
      const manager = chain.manager(deployment, deployer)
      await (await manager.grantRole(roleId('LEDGER_KEEPER'), stranger.address, 0)).wait()
      await (await manager.grantRole(77, stranger.address, 0)).wait()
      const { findings } = await verifyDeployment(chain.provider, deployment)
      const extra = findings.filter(({ code }) => code === 'VERIFY_MEMBER_EXTRA').map(({ subject }) => subject)
      expect(extra).to.include.members([
        `role LEDGER_KEEPER, ${stranger.address}`,
        `role number 77, ${stranger.address}`
      ])
      await chain.handOver(deployment)
      expect(await codes()).to.deep.equal([])
    })

    it('a member with another delay, or none left', async () => {
      const { deployer, accreditor, governor } = chain.people
      const manager = chain.manager(deployment, deployer)
      await (await manager.grantRole(roleId('ACCREDITOR'), accreditor.address, 7 * DAY)).wait()
      await (await manager.revokeRole(roleId('GOVERNOR'), governor.address)).wait()
      expect(await codes()).to.include.members(['VERIFY_MEMBER_DELAY', 'VERIFY_MEMBER_MISSING'])
      await chain.handOver(deployment)
      expect(await codes()).to.deep.equal([])
    })

    it('other names, guardians, administrators and callers, and a closed contract', async () => {
      const manager = chain.manager(deployment, chain.people.deployer)
      const { address } = deployment.contracts.AccessGrants
      await (await manager.labelRole(roleId('AUDITOR'), 'NOBODY')).wait()
      await (await manager.setRoleGuardian(roleId('GOVERNOR'), roleId('AUDITOR'))).wait()
      await (await manager.setRoleAdmin(roleId('AUDITOR'), roleId('PAUSER'))).wait()
      await (await manager.setTargetFunctionRole(address, ['0x12345678'], roleId('PAUSER'))).wait()
      await (await manager.setTargetFunctionRole(address, ['0x3f4ba83a'], roleId('PAUSER'))).wait()
      await (await manager.setTargetClosed(address, true)).wait()
      expect(await codes()).to.include.members([
        'VERIFY_FUNCTION_ROLE',
        'VERIFY_ROLE_ADMIN',
        'VERIFY_ROLE_GUARDIAN',
        'VERIFY_ROLE_LABEL',
        'VERIFY_TARGET_CLOSED'
      ])
      const { findings } = await verifyDeployment(chain.provider, deployment)
      expect(findings.find(({ subject }) => subject === 'AccessGrants.0x12345678')?.found).to.equal('PAUSER')
      await chain.deploy()
      await chain.handOver(deployment)
      expect(await codes()).to.deep.equal([])
    })

    it('a member that has a role only later, and says from when', async () => {
      await chain.handOver(deployment)
      await chain.wait(6 * DAY)
      const { stranger } = chain.people
      await govern('grantRole', roleId('AUDITOR'), stranger.address, 0)
      const report = await verifyDeployment(chain.provider, deployment)
      expect(report.findings.map(({ code }) => code)).to.deep.equal(['VERIFY_MEMBER_EXTRA'])
      expect(report.notices).to.have.length(1)
      expect(report.notices[0]).to.match(new RegExp(`^${stranger.address} becomes AUDITOR at 20`))
    })

    for (const [role, person] of [
      ['GOVERNOR', 'governor'],
      ['PAUSER', 'pauser'],
      ['ACCREDITOR', 'accreditor'],
      ['REVIEWER', 'reviewer']
    ] as const) {
      it(`that nobody is a ${role}, even where nobody is meant to be`, async () => {
        await chain.handOver(deployment)
        await govern('revokeRole', roleId(role), chain.people[person].address)
        const governance = governanceOf(chain.people, {}, { [role]: [] })
        expect(await codes({ ...deployment, origin: { ...deployment.origin!, governance } })).to.deep.equal([
          'VERIFY_ROLE_EMPTY'
        ])
      })
    }

    it('what the governor itself has changed since', async () => {
      await chain.handOver(deployment)
      await govern('grantRole', roleId('AUDITOR'), chain.people.stranger.address, 0)
      await govern('setGrantDelay', roleId('PAUSER'), 5 * DAY)
      expect(await codes()).to.deep.equal(['VERIFY_GRANT_DELAY', 'VERIFY_MEMBER_EXTRA'])
      const members = { AUDITOR: [chain.people.stranger.address] }
      const governance = governanceOf(chain.people, {}, members)
      const retold = { ...deployment, origin: { ...deployment.origin!, governance } }
      expect(await codes(retold)).to.deep.equal(['VERIFY_GRANT_DELAY'])
    })

    it('an announced change of the rules, but only notes announced everyday work', async () => {
      await chain.handOver(deployment)
      const { governor, pauser, stranger } = chain.people
      const manager = chain.manager(deployment, governor)
      await (await chain.grants(deployment, pauser).getFunction('pause').send()).wait()
      const { AccessGrants, AccessManager } = deployment.contracts
      await (await manager.schedule(AccessGrants.address, GRANTS.encodeFunctionData('unpause'), 0)).wait()
      expect(await codes()).to.deep.equal([])
      const said = (await notices()).join('\n')
      expect(said).to.include(`announced: AccessGrants.unpause() by ${governor.address}, from `)
      expect(said).to.include('AccessGrants is paused')
      const data = MANAGER.encodeFunctionData('revokeRole', [roleId('PAUSER'), stranger.address])
      await (await manager.schedule(AccessManager.address, data, 0)).wait()
      const { findings } = await verifyDeployment(chain.provider, deployment)
      expect(findings.map(({ code }) => code)).to.deep.equal(['VERIFY_PENDING'])
      expect(findings[0]?.found).to.include('AccessManager.revokeRole(uint64,address) by')
      await (await manager.cancel(governor.address, AccessManager.address, data)).wait()
      expect(await codes()).to.deep.equal([])
      await (await manager.schedule(AccessManager.address, data, 0)).wait()
      await chain.wait(10 * DAY)
      expect(await codes()).to.deep.equal([])
    })

    it('a contract that has moved to another authority', async () => {
      await chain.handOver(deployment)
      const { address } = deployment.contracts.AccessGrants
      const other = await chain.deploy({ network: 'salus/other' })
      await govern('updateAuthority', address, other.contracts.AccessManager.address)
      expect(await codes()).to.deep.equal(['VERIFY_AUTHORITY'])
    })
  })

  describe('refuses', () => {
    it('an endpoint of another chain', async () => {
      await expectCode('DEPLOY_CHAIN', () => verifyDeployment(chain.provider, { ...deployment, chainId: 1 }))
    })

    it('a deployment that does not say who governs', async () => {
      const { chainId, networkId, blockNumber, contracts } = deployment
      await expectCode('DEPLOY_ORIGIN', () =>
        verifyDeployment(chain.provider, { chainId, networkId, blockNumber, contracts })
      )
    })

    it('an endpoint that has lost the manager’s first events', async () => {
      const late = async (): Promise<Deployment> => ({
        ...deployment,
        blockNumber: await chain.provider.getBlockNumber()
      })
      const afterSetUp = await late()
      await expectCode('DEPLOY_LOGS', () => verifyDeployment(chain.provider, afterSetUp))
      // The hand-over begins with an administrator too, but not with the first.
      await chain.handOver(deployment)
      const afterHandOver = await late()
      await expectCode('DEPLOY_LOGS', () => verifyDeployment(chain.provider, afterHandOver))
    })
  })
})

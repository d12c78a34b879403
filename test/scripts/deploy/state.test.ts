import { expect } from 'chai'
import fc from 'fast-check'
import type { Deployment } from '#core/chain/deployment.ts'
import type { AccessManager } from '#core/abi/types/AccessManager.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { readManagerState } from '#scripts/deploy/governance/read-state.ts'
import { roleOf, targetOf } from '#scripts/deploy/governance/state.ts'
import { openGovernedChain, type GovernedChain } from '#test/scripts/deploy/governed-chain.ts'

const ACCOUNTS = [`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`]
const SELECTORS = ['0x8456cb59', '0x12345678']
const role = fc.integer({ min: 1, max: 3 })
const account = fc.constantFrom(...ACCOUNTS)
const delay = fc.constantFrom(0, 60, 86_400)
const target = fc.constantFrom(...ACCOUNTS)

/** One act of an administrator, by method and arguments, or some time that goes by. */
const act: fc.Arbitrary<readonly [string, ...unknown[]]> = fc.oneof(
  fc.tuple(fc.constant('grantRole'), role, account, delay),
  fc.tuple(fc.constant('revokeRole'), role, account),
  fc.tuple(fc.constant('setRoleAdmin'), role, role),
  fc.tuple(fc.constant('setRoleGuardian'), role, role),
  fc.tuple(fc.constant('setGrantDelay'), role, delay),
  fc.tuple(fc.constant('setTargetFunctionRole'), target, fc.subarray(SELECTORS), role),
  fc.tuple(fc.constant('setTargetAdminDelay'), target, delay),
  fc.tuple(fc.constant('setTargetClosed'), target, fc.boolean()),
  fc.tuple(fc.constant('wait'), fc.constantFrom(30, 90_000, 600_000))
)

describe('the state of a manager told from its events', function () {
  this.timeout(60_000)
  let chain: GovernedChain
  let done = 0
  let refused = 0
  before(async () => {
    chain = await openGovernedChain()
  })
  after(() => chain.close())

  /** Does it if the manager lets an administrator, at once; what has come to need a delay is left out. */
  async function perform(manager: AccessManager, [method, ...args]: readonly [string, ...unknown[]]): Promise<void> {
    if (method === 'wait') return chain.wait(Number(args[0]))
    const data = MANAGER.encodeFunctionData(method, args)
    const to = await manager.getAddress()
    try {
      await (await chain.people.deployer.sendTransaction({ to, data })).wait()
      done++
    } catch {
      refused++
    }
  }

  async function compare(manager: AccessManager, { contracts, blockNumber }: Deployment): Promise<void> {
    const state = await readManagerState(chain.provider, contracts.AccessManager.address, {
      firstAdmin: chain.people.deployer.address,
      fromBlock: blockNumber
    })
    const now = BigInt((await chain.provider.getBlock('latest'))?.timestamp ?? 0)
    for (const id of [1n, 2n, 3n]) {
      const { admin, guardian, grantDelay, members } = roleOf(state, id)
      expect(await manager.getRoleAdmin(id)).to.equal(admin)
      expect(await manager.getRoleGuardian(id)).to.equal(guardian)
      if (BigInt(grantDelay.since) <= now) expect(await manager.getRoleGrantDelay(id)).to.equal(grantDelay.seconds)
      for (const who of ACCOUNTS) {
        const [since, current, pending, effect] = await manager.getAccess(id, who)
        const member = [...members].find(([address]) => address.toLowerCase() === who)?.[1]
        expect(Number(since)).to.equal(member?.since ?? 0)
        if (member == null) continue
        expect(Number(effect === 0n ? current : pending)).to.equal(member.executionDelay.seconds)
        const begins = member.executionDelay.since
        if (effect === 0n) expect(begins).to.be.at.most(Number(now))
        else expect(Number(effect)).to.equal(begins)
      }
    }
    const addresses = [...state.targets.keys()]
    for (const address of ACCOUNTS.map(lower => addresses.find(known => known.toLowerCase() === lower) ?? lower)) {
      const { closed, adminDelay, functions } = targetOf(state, address)
      expect(await manager.isTargetClosed(address)).to.equal(closed)
      if (BigInt(adminDelay.since) <= now)
        expect(await manager.getTargetAdminDelay(address)).to.equal(adminDelay.seconds)
      for (const selector of SELECTORS) {
        expect(await manager.getTargetFunctionRole(address, selector)).to.equal(functions.get(selector) ?? 0n)
      }
    }
  }

  it('is what its getters say, whatever an administrator did', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 25 }), async acts => {
        const deployment = await chain.deploy({ governance: undefined as never, network: `run ${String(run++)}` })
        const manager = chain.manager(deployment, chain.people.deployer)
        for (const one of acts) await perform(manager, one)
        await compare(manager, deployment)
      }),
      { numRuns: 25 }
    )
    // Both happened: acts that took, and acts that had come to need a delay.
    expect(done).to.be.above(100)
    expect(refused).to.be.above(0)
  })
})

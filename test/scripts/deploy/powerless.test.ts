import type { HardhatEthersSigner } from '@nomicfoundation/hardhat-ethers/types'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Deployment } from '#core/chain/deployment.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { readManagerState } from '#scripts/deploy/governance/read-state.ts'
import type { ManagerState } from '#scripts/deploy/governance/state.ts'
import { GRANTS, openGovernedChain, type GovernedChain, type People } from '#test/scripts/deploy/governed-chain.ts'

/** Everybody but the governor: whoever set the network up, who may stop things, who accredits, and anybody else. */
const OUTSIDERS = ['deployer', 'pauser', 'accreditor', 'stranger'] as const satisfies readonly (keyof People)[]

/** One call by one of them, possibly announced first, through the manager, or many at once. */
interface Attempt {
  readonly by: (typeof OUTSIDERS)[number]
  readonly way: 'directly' | 'by execute' | 'by multicall' | 'announced'
  readonly target: 'AccessManager' | 'AccessGrants'
  readonly data: string
}

describe('governance against everybody but the governor', function () {
  this.timeout(60_000)
  let chain: GovernedChain
  let deployment: Deployment
  let attempts: fc.Arbitrary<Attempt>
  before(async () => {
    chain = await openGovernedChain()
    deployment = await chain.deploy()
    await chain.handOver(deployment)
    // The delays of grants and targets are in force.
    await chain.wait(6 * 86_400)
    attempts = attemptsOn(deployment, chain.people)
  })
  after(() => chain.close())

  const stateNow = async (): Promise<Omit<ManagerState, 'operations'>> => {
    const { address } = deployment.contracts.AccessManager
    const { roles, targets } = await readManagerState(chain.provider, address, {
      firstAdmin: chain.people.deployer.address,
      fromBlock: deployment.blockNumber
    })
    return { roles, targets }
  }

  async function perform({ by, way, target, data }: Attempt): Promise<boolean> {
    const signer = chain.people[by]
    const to = deployment.contracts[target].address
    const manager = deployment.contracts.AccessManager.address
    const send = async (address: string, call: string): Promise<boolean> => {
      try {
        await (await signer.sendTransaction({ to: address, data: call })).wait()
        return true
      } catch {
        return false
      }
    }
    const execute = MANAGER.encodeFunctionData('execute', [to, data])
    if (way === 'directly') return send(to, data)
    if (way === 'by execute') return send(manager, execute)
    if (way === 'by multicall') return send(manager, MANAGER.encodeFunctionData('multicall', [[data, execute]]))
    if (!(await send(manager, MANAGER.encodeFunctionData('schedule', [to, data, 0])))) return false
    await chain.wait(2 * 86_400)
    return send(manager, execute)
  }

  it('changes no role, delay or rule, whatever they try and in whatever order', async () => {
    const before = await stateNow()
    let took = 0
    await fc.assert(
      fc.asyncProperty(fc.array(attempts, { minLength: 20, maxLength: 40 }), async list => {
        for (const attempt of list) if (await perform(attempt)) took++
        expect(await stateNow()).to.deep.equal(before)
      }),
      { numRuns: 20 }
    )
    // Pausing is among the attempts: what is anybody's right goes through.
    expect(took).to.be.above(0)
  })
})

/** Every function that writes, on the manager and on a governed contract, with arguments that could help an attacker. */
function attemptsOn({ contracts }: Deployment, people: People): fc.Arbitrary<Attempt> {
  const role = fc.integer({ min: 0, max: 8 })
  const person = fc.constantFrom(...(Object.values(people) as HardhatEthersSigner[]).map(({ address }) => address))
  const target = fc.constantFrom(contracts.AccessManager.address, contracts.AccessGrants.address)
  const delay = fc.constantFrom(0, 1)
  const selectors = fc.constant(['pause', 'unpause'].map(name => GRANTS.getFunction(name)?.selector))
  const calls: Readonly<Record<string, readonly fc.Arbitrary<unknown>[]>> = {
    grantRole: [role, person, delay],
    revokeRole: [role, person],
    setRoleAdmin: [role, role],
    setRoleGuardian: [role, role],
    setGrantDelay: [role, delay],
    labelRole: [role, fc.constant('MINE')],
    setTargetAdminDelay: [target, delay],
    setTargetClosed: [target, fc.boolean()],
    setTargetFunctionRole: [target, selectors, role],
    updateAuthority: [target, person],
    consumeScheduledOp: [person, fc.constant(GRANTS.encodeFunctionData('unpause'))]
  }
  const onManager = fc.oneof(
    ...Object.entries(calls).map(([method, args]) =>
      fc.tuple(...args).map(values => MANAGER.encodeFunctionData(method, values))
    )
  )
  const onGrants = fc.oneof(
    fc.constantFrom('pause', 'unpause').map(method => GRANTS.encodeFunctionData(method)),
    person.map(authority => GRANTS.encodeFunctionData('setAuthority', [authority]))
  )
  const common = {
    by: fc.constantFrom(...OUTSIDERS),
    way: fc.constantFrom('directly' as const, 'by execute' as const, 'by multicall' as const, 'announced' as const)
  }
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ ...common, target: fc.constant('AccessManager' as const), data: onManager }) },
    { weight: 1, arbitrary: fc.record({ ...common, target: fc.constant('AccessGrants' as const), data: onGrants }) }
  )
}

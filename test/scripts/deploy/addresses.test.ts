import { expect } from 'chai'
import { concat, getCreate2Address, id, keccak256, Wallet } from 'ethers'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { readBytecode } from '#scripts/deploy/bytecode.ts'
import { creationCall, ensureProxy, hasProxy, PROXY, PROXY_COST_WEI } from '#scripts/deploy/create2.ts'
import { estimateDeployment } from '#scripts/deploy/estimate.ts'
import { planContracts } from '#scripts/deploy/plan.ts'
import { expectCode } from '#test/error-code.ts'
import { governanceOf, openGovernedChain, overriding, type GovernedChain } from '#test/scripts/deploy/governed-chain.ts'

describe('reproducible addresses', () => {
  const open: GovernedChain[] = []
  const openChain = async (hardfork?: string): Promise<GovernedChain> => {
    const chain = await openGovernedChain(hardfork)
    open.push(chain)
    return chain
  }
  afterEach(async () => {
    for (const chain of open.splice(0)) await chain.close()
  })

  it('are the same on two chains with different histories', async () => {
    const [first, second] = [await openChain(), await openChain()]
    const { deployer, stranger } = second.people
    for (let i = 0; i < 3; i++) await (await deployer.sendTransaction({ to: stranger.address, value: 1n })).wait()
    const [one, two] = [await first.deploy(), await second.deploy()]
    for (const name of CONTRACT_NAMES) {
      expect(two.contracts[name].address).to.equal(one.contracts[name].address)
      expect(two.contracts[name].codeHash).to.equal(one.contracts[name].codeHash)
    }
    const planned = planContracts({ network: 'salus/1', firstAdmin: deployer.address })
    expect(planned.map(({ address }) => address)).to.deep.equal(CONTRACT_NAMES.map(name => one.contracts[name].address))
  })

  it('follow from the network’s name, the first administrator and the code, and nothing else', () => {
    const [alice, bob] = [Wallet.createRandom().address, Wallet.createRandom().address]
    const managerOf = (network: string, firstAdmin: string): string | undefined =>
      planContracts({ network, firstAdmin }).find(({ name }) => name === 'AccessManager')?.address
    const args = concat(['0x' + '00'.repeat(12), alice])
    const code = concat([readBytecode('AccessManager').creationCode, args])
    expect(managerOf('a', alice)).to.equal(getCreate2Address(PROXY, id('a'), keccak256(code)))
    expect(new Set([managerOf('a', alice), managerOf('b', alice), managerOf('a', bob)]).size).to.equal(3)
  })

  it('cannot be taken by somebody who would administer', async () => {
    const chain = await openChain()
    const { deployer, stranger } = chain.people
    await ensureProxy(chain.provider, stranger)
    const inputs = { network: 'salus/1', firstAdmin: stranger.address }
    for (const { creationCode } of planContracts(inputs)) {
      await (await stranger.sendTransaction(creationCall('salus/1', creationCode))).wait()
    }
    const theirs = planContracts(inputs)
    const { contracts } = await chain.deploy()
    const ours = contracts.AccessManager.address
    expect(theirs.map(({ address }) => address)).not.to.include(ours)
    // What stands on no administrator is the same code for both, and shared.
    expect(theirs.find(({ name }) => name === 'ERC7913P256Verifier')?.address).to.equal(
      contracts.ERC7913P256Verifier.address
    )
    const manager = chain.manager({ contracts } as never, deployer)
    expect((await manager.hasRole(0, deployer.address)).isMember).to.be.true
    expect((await manager.hasRole(0, stranger.address)).isMember).to.be.false
  })

  it('lose nothing when somebody makes our contracts before us', async () => {
    const chain = await openChain()
    const { deployer, stranger } = chain.people
    await ensureProxy(chain.provider, stranger)
    const plan = planContracts({ network: 'salus/1', firstAdmin: deployer.address })
    for (const { creationCode } of plan.slice(0, 4)) {
      await (await stranger.sendTransaction(creationCall('salus/1', creationCode))).wait()
    }
    const before = await chain.provider.getTransactionCount(deployer.address)
    const { contracts, blockNumber } = await chain.deploy()
    // Only what is left, and the roles.
    const sent = (await chain.provider.getTransactionCount(deployer.address)) - before
    expect(sent).to.equal(CONTRACT_NAMES.length - 4 + 1)
    const code = await chain.provider.getCode(contracts.AccessManager.address, blockNumber)
    expect(code).to.equal('0x')
  })

  it('lose nothing when somebody makes one between our look and our transaction', async () => {
    const chain = await openChain()
    const { deployer, stranger } = chain.people
    const plan = planContracts({ network: 'salus/1', firstAdmin: deployer.address })
    const { contracts } = await chain.deploy({
      onPlanned: async () => {
        await ensureProxy(chain.provider, stranger)
        for (const { creationCode } of plan) {
          await (await stranger.sendTransaction(creationCall('salus/1', creationCode))).wait()
        }
      }
    })
    expect(contracts.AccessManager.address).to.equal(plan[0]?.address)
  })

  it('need the deployment proxy, which anybody can put on a chain', async () => {
    const chain = await openChain()
    expect(await hasProxy(chain.provider)).to.be.false
    await ensureProxy(chain.provider, chain.people.stranger)
    expect(await hasProxy(chain.provider)).to.be.true
    const before = await chain.provider.getBlockNumber()
    await ensureProxy(chain.provider, chain.people.stranger)
    expect(await chain.provider.getBlockNumber()).to.equal(before)
  })

  it('are refused on a chain that takes no transaction without a chain id', async () => {
    const chain = await openChain()
    const refusing = overriding(chain.provider, {
      broadcastTransaction: () => Promise.reject(new Error('only replay-protected transactions'))
    })
    await expectCode('DEPLOY_NO_PROXY', () => chain.deploy({ provider: refusing }))
  })

  it('pay for the proxy only what nobody has paid yet', async () => {
    const chain = await openChain()
    const { deployer, stranger } = chain.people
    const from = '0x3fAB184622Dc19b6109349B94811493BF2a45362'
    await (await stranger.sendTransaction({ to: from, value: PROXY_COST_WEI })).wait()
    const before = await chain.provider.getTransactionCount(deployer.address)
    await ensureProxy(chain.provider, deployer)
    expect(await hasProxy(chain.provider)).to.be.true
    expect(await chain.provider.getTransactionCount(deployer.address)).to.equal(before)
  })

  it('are refused when the code does not arrive', async () => {
    const chain = await openChain()
    const blind = overriding(chain.provider, {
      getCode: (address: string) => (address === PROXY ? chain.provider.getCode(address) : Promise.resolve('0x'))
    })
    await expectCode('DEPLOY_FAILED', () => chain.deploy({ provider: blind }))
  })

  it('are refused where something else stands in the proxy’s place', async () => {
    const chain = await openChain()
    await chain.setCode(PROXY, '0x6001')
    await expectCode('DEPLOY_NO_PROXY', () => chain.deploy())
  })

  it('are told beforehand, with a price that is enough and not far off', async () => {
    const chain = await openChain()
    const { deployer } = chain.people
    const inputs = { network: 'salus/1', firstAdmin: deployer.address }
    const options = { inputs, governance: governanceOf(chain.people), earlier: undefined }
    const estimate = await estimateDeployment(chain.provider, options)
    expect(estimate.needsProxy).to.be.true
    expect(estimate.contracts.map(({ contract }) => contract)).to.deep.equal([...CONTRACT_NAMES])
    expect(BigInt(estimate.costWei)).to.be.above(PROXY_COST_WEI)
    await ensureProxy(chain.provider, chain.people.stranger)
    const first = await chain.provider.getBlockNumber()
    const deployment = await chain.deploy()
    let gas = 0n
    for (let block = first + 1; block <= (await chain.provider.getBlockNumber()); block++) {
      gas += (await chain.provider.getBlock(block))?.gasUsed ?? 0n
    }
    expect(estimate.gas).to.be.within(Number(gas), Number((gas * 11n) / 10n))
    const after = await estimateDeployment(chain.provider, { ...options, earlier: deployment })
    expect(after).to.include({ needsProxy: false, setupCalls: 0, gas: 0, costWei: '0' })
  })
})

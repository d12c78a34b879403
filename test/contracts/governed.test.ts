import { expect } from 'chai'
import { Contract, type BaseContract, type ContractTransactionResponse, type Signer } from 'ethers'
import { REQUEST_CONTRACTS } from '#core/chain/contract-names.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { byStranger } from '#test/contracts/stranger.ts'

/** What every governed contract has of governance. */
const GOVERNED = [
  'function pause()',
  'function unpause()',
  'function paused() view returns (bool)',
  'function authority() view returns (address)',
  'function setAuthority(address)',
  'event Paused(address account)',
  'event Unpaused(address account)',
  'error EnforcedPause()',
  'error ExpectedPause()',
  'error AccessManagedUnauthorized(address caller)'
]

interface Governed extends BaseContract {
  pause(): Promise<ContractTransactionResponse>
  unpause(): Promise<ContractTransactionResponse>
  paused(): Promise<boolean>
  authority(): Promise<string>
  setAuthority(authority: string): Promise<ContractTransactionResponse>
}

describe('every governed contract', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const find = (name: (typeof REQUEST_CONTRACTS)[number]): Governed =>
    new Contract(
      chain.deployment.contracts[name].address,
      GOVERNED,
      chain.contracts.grants.runner
    ) as unknown as Governed

  for (const name of REQUEST_CONTRACTS) {
    describe(name, () => {
      it('asks the manager of the deployment, and lets nobody else take its place', async () => {
        const contract = find(name)
        const manager = chain.deployment.contracts.AccessManager.address
        expect((await contract.authority()).toLowerCase()).to.equal(manager.toLowerCase())
        await expect(contract.setAuthority(manager)).to.be.revertedWithCustomError(
          contract,
          'AccessManagedUnauthorized'
        )
      })

      it('is paused and goes on by governance, once each', async () => {
        const contract = find(name)
        const governor = await (contract.runner as Signer).getAddress()
        expect(await contract.paused()).to.equal(false)
        await expect(contract.unpause()).to.be.revertedWithCustomError(contract, 'ExpectedPause')
        await expect(contract.pause()).to.emit(contract, 'Paused').withArgs(governor)
        expect(await contract.paused()).to.equal(true)
        await expect(contract.pause()).to.be.revertedWithCustomError(contract, 'EnforcedPause')
        await expect(contract.unpause()).to.emit(contract, 'Unpaused').withArgs(governor)
        expect(await contract.paused()).to.equal(false)
      })

      it('is stopped by nobody else, nor let go on', async () => {
        const contract = find(name)
        const stranger = await byStranger(chain.provider, contract)
        await expect(stranger.pause()).to.be.revertedWithCustomError(contract, 'AccessManagedUnauthorized')
        await contract.pause()
        await expect(stranger.unpause()).to.be.revertedWithCustomError(contract, 'AccessManagedUnauthorized')
        expect(await contract.paused()).to.equal(true)
      })
    })
  }
})

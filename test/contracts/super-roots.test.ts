import { expect } from 'chai'
import { AbiCoder, ZeroAddress, ZeroHash, id, keccak256 } from 'ethers'
import { anchorGateways, anchorGatewaysByAccount, type SuperRootTerms } from '#test/contracts/anchor-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey, walletOf } from '#test/contracts/keys.ts'
import { anchor, idOf, registerGateway } from '#test/contracts/requests.ts'

const EPOCH_MASK = 2n ** 40n - 1n

function nextWord(word: string, { epoch, count, root }: SuperRootTerms): string {
  const types = ['bytes32', 'uint40', 'uint32', 'bytes32']
  const hash = keccak256(AbiCoder.defaultAbiCoder().encode(types, [word, epoch, count, root]))
  return `0x${((BigInt(hash) & ~EPOCH_MASK) | BigInt(epoch)).toString(16).padStart(64, '0')}`
}

describe('super-roots of BatchAnchors', () => {
  const [key, other] = [accountKey('aggregator'), accountKey('other aggregator')]
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const terms = (epoch: number, special: Partial<SuperRootTerms> = {}): SuperRootTerms => ({
    epoch,
    count: 1000,
    root: id(`super-root ${String(epoch)}`),
    ...special
  })

  it('need no registration, and chain a word per aggregator, whoever pays', async () => {
    const { anchors } = chain.contracts
    expect([...(await anchors.superHeadOf(key.id))]).to.deep.equal([ZeroHash, 0n])
    await expect(anchorGateways(chain, key, terms(1)))
      .to.emit(anchors, 'SuperRooted')
      .withArgs(key.id, 1, 1000, terms(1).root)
    await expect(anchorGatewaysByAccount(chain, walletOf('aggregator'), terms(2, { count: 1 })))
      .to.emit(anchors, 'SuperRooted')
      .withArgs(key.id, 2, 1, terms(2).root)
    await anchorGateways(chain, other, terms(1))
    const word = nextWord(nextWord(ZeroHash, terms(1)), terms(2, { count: 1 }))
    expect([...(await anchors.superHeadOf(key.id))]).to.deep.equal([word, 2n])
    expect([...(await anchors.superHeadOf(other.id))]).to.deep.equal([nextWord(ZeroHash, terms(1)), 1n])
  })

  it('come in an exact sequence for each aggregator', async () => {
    const { anchors } = chain.contracts
    const wallet = walletOf('aggregator')
    for (const epoch of [0, 2]) {
      for (const sent of [
        () => anchorGateways(chain, key, terms(epoch)),
        () => anchorGatewaysByAccount(chain, wallet, terms(epoch))
      ]) {
        await expect(sent()).to.be.revertedWithCustomError(anchors, 'SuperRootOutOfEpoch').withArgs(key.id, 1, epoch)
      }
    }
  })

  it('are never empty, and of somebody', async () => {
    const { anchors } = chain.contracts
    const wallet = walletOf('aggregator')
    for (const empty of [{ root: ZeroHash }, { count: 0 }]) {
      const sent = [
        () => anchorGateways(chain, key, terms(1, empty)),
        () => anchorGatewaysByAccount(chain, wallet, terms(1, empty))
      ]
      for (const each of sent) await expect(each()).to.be.revertedWithCustomError(anchors, 'SuperRootEmpty')
    }
    await expect(anchors.anchorGateways(1, 1, id('root'), await chain.deadline(), ZeroAddress, '0x'))
      .to.be.revertedWithCustomError(anchors, 'SignerMalformed')
      .withArgs(ZeroAddress)
  })

  it('leave a gateway that an aggregator leaves out its own anchors, and its word as it was', async () => {
    const { anchors } = chain.contracts
    const gatewayKey = accountKey('gateway')
    const gateway = idOf(gatewayKey.signer, id('salt'))
    await registerGateway(chain, gatewayKey)
    const registered = await anchors.headOf(gatewayKey.id, gateway)
    await anchorGateways(chain, key, terms(1))
    expect(await anchors.headOf(gatewayKey.id, gateway)).to.deep.equal(registered)
    await expect(anchor(chain, gatewayKey, { gateway, sequence: 1, treeSize: 8, root: id('root') }))
      .to.emit(anchors, 'Anchored')
      .withArgs(gateway, 1, 8, id('root'))
  })

  it('go on while governance has paused the contract', async () => {
    await chain.contracts.anchors.pause()
    await anchorGateways(chain, key, terms(1))
    await anchorGatewaysByAccount(chain, walletOf('aggregator'), terms(2))
  })

  it('of a contract wallet count for this wallet alone, also where another has the same owner', async () => {
    const { anchors } = chain.contracts
    const [wallet, twin] = [
      await chain.deployMock('OwnedWallet', walletOf('aggregator').address),
      await chain.deployMock('OwnedWallet', walletOf('aggregator').address)
    ]
    const of = { ...key, signer: wallet.toLowerCase(), id: wallet }
    await anchorGateways(chain, of, terms(1))
    const forged = { ...of, signer: twin.toLowerCase() }
    await expect(anchorGateways(chain, forged, terms(1))).to.be.revertedWithCustomError(
      anchors,
      'RequestSignatureInvalid'
    )
  })
})

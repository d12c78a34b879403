import { expect } from 'chai'
import { getAddress, id } from 'ethers'
import { anchorGateways, retireGateway, rotateGateway } from '#test/contracts/anchor-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { WAYS } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'
import { BUNDLE, anchor, idOf, registerGateway } from '#test/contracts/requests.ts'

describe('signed requests about anchors and nodes', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const way of WAYS) {
    describe(`by ${way.name}`, () => {
      it('registers a gateway, anchors, hands it on and retires it', async () => {
        const { anchors } = chain.contracts
        const [key, next] = [await way.create(chain, 'gateway'), await way.create(chain, 'next gateway')]
        const gateway = idOf(key.signer, id('salt'))
        const terms = (sequence: number): Parameters<typeof anchor>[2] => ({
          gateway,
          sequence,
          treeSize: 8,
          root: id('root')
        })
        await expect(registerGateway(chain, key))
          .to.emit(anchors, 'GatewayRegistered')
          .withArgs(gateway, key.signer, BUNDLE)
        await expect(anchor(chain, key, terms(1))).to.emit(anchors, 'Anchored')
        await expect(rotateGateway(chain, [key, next], gateway)).to.emit(anchors, 'GatewayRotated')
        await expect(anchor(chain, key, terms(2))).to.be.revertedWithCustomError(anchors, 'GatewayEnded')
        await expect(anchor(chain, next, terms(2))).to.emit(anchors, 'Anchored')
        await expect(retireGateway(chain, next, gateway))
          .to.emit(anchors, 'GatewayRetired')
          .withArgs(gateway)
        await expect(anchor(chain, next, terms(3))).to.be.revertedWithCustomError(anchors, 'GatewayEnded')
      })

      it('anchors many gateways at once', async () => {
        const { anchors } = chain.contracts
        const key = await way.create(chain, 'aggregator')
        for (const epoch of [1, 2]) {
          await expect(anchorGateways(chain, key, { epoch, count: 1000, root: id('root') }))
            .to.emit(anchors, 'SuperRooted')
            .withArgs(getAddress(key.id), epoch, 1000, id('root'))
        }
      })

      it('lists a peer, changes its pledge and takes it off', async () => {
        const { nodes } = chain.contracts
        const operator = openOperator(chain, await way.create(chain, 'hospital'))
        const peer = peerOf('peer')
        await operator.accredit()
        await expect(operator.list(peer)).to.emit(nodes, 'NodeListed')
        await expect(operator.changePledge(peer, 5, 2)).to.emit(nodes, 'NodePledgeChanged')
        await expect(operator.retire(peer)).to.emit(nodes, 'NodeRetired')
      })

      it('is refused to a stranger who brings the signer of another', async () => {
        const [key, stranger] = [await way.create(chain, 'gateway'), await way.create(chain, 'stranger')]
        await registerGateway(chain, key)
        const gateway = idOf(key.signer, id('salt'))
        const forged = anchor(
          chain,
          { ...stranger, signer: key.signer },
          { gateway, sequence: 1, treeSize: 8, root: id('root') }
        )
        await expect(forged).to.be.revertedWithCustomError(chain.contracts.anchors, 'RequestSignatureInvalid')
      })
    })
  }
})

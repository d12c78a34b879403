import { expect } from 'chai'
import { ZeroHash, id, type BaseContract } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'
import { BUNDLE, anchor, idOf, registerGateway } from '#test/contracts/requests.ts'

/** Code of contracts that answer ERC-1271 in bad faith. */
const HOSTILE = {
  'returns other bytes': '0x60ff60005260206000f3',
  'returns the first four bytes of the answer alone': '0x631626ba7e60e01b60005260046000f3',
  'returns the answer with something behind it': '0x631626ba7e60e01b60010160005260206000f3',
  'returns nothing': '0x60006000f3',
  'returns 8 MB': '0x627fffff6000f3',
  reverts: '0x60006000fd',
  'burns all gas': '0xfe'
}

describe('signers in bad faith', () => {
  const victim = accountKey('victim')
  const victimGateway = idOf(victim.signer, id('salt'))
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => registerGateway(chain, victim))
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const [what, code] of Object.entries(HOSTILE)) {
    it(`get nothing by a contract that ${what}`, async () => {
      const { anchors, nodes, credentials } = chain.contracts
      const signer = await chain.deployCode(code)
      const deadline = await chain.deadline()
      const mute = { ...victim, signer, id: signer, sign: () => Promise.resolve('0x') }
      const operator = openOperator(chain, mute)
      await credentials.accredit(signer, BUNDLE, id('salt'))
      const requests: (readonly [() => Promise<unknown>, BaseContract])[] = [
        [() => registerGateway(chain, mute), anchors],
        [() => anchors.anchorGateways(1, 1, id('root'), deadline, signer, '0x'), anchors],
        [() => operator.list(peerOf('peer')), nodes]
      ]
      for (const [sent, contract] of requests) {
        await expect(sent()).to.be.revertedWithCustomError(contract, 'RequestSignatureInvalid')
      }
      expect([...(await anchors.superHeadOf(signer))]).to.deep.equal([ZeroHash, 0n])
      expect(await nodes.nodeCountOf(operator.organisation)).to.equal(0n)
    })
  }

  it('cannot change anything while they are asked, neither for themselves nor for others', async () => {
    const { anchors } = chain.contracts
    const signer = (await chain.deployMock('ReentrantSigner', await anchors.getAddress())).toLowerCase()
    const deadline = await chain.deadline()
    const calls = [
      anchors.interface.encodeFunctionData('anchorGatewaysByAccount', [1, 1, id('root')]),
      anchors.interface.encodeFunctionData('anchorByAccount', [victimGateway, 1, 8, id('root')])
    ]
    for (const call of calls) {
      await expect(anchors.anchorGateways(1, 1, id('root'), deadline, signer, call)).to.be.revertedWithCustomError(
        anchors,
        'RequestSignatureInvalid'
      )
    }
    // It does accept where its call back changes nothing: what it refused above was refused to it.
    const harmless = anchors.interface.encodeFunctionData('superHeadOf', [signer])
    await anchors.anchorGateways(1, 1, id('root'), deadline, signer, harmless)
    expect((await anchors.superHeadOf(signer))[1]).to.equal(1n)
    expect((await anchors.headOf(victim.id, victimGateway))[1]).to.equal(0n)
  })

  it('leave others’ logs alone: only a gateway’s own signer moves its head', async () => {
    const { anchors } = chain.contracts
    const signer = (await chain.deployMock('OwnedWallet', victim.id)).toLowerCase()
    const thief = { ...victim, signer, id: signer }
    await registerGateway(chain, thief)
    const terms = { gateway: victimGateway, sequence: 1, treeSize: 8, root: id('root') }
    await expect(anchor(chain, thief, terms)).to.be.revertedWithCustomError(anchors, 'GatewayUnknown')
    await anchor(chain, thief, { ...terms, gateway: idOf(signer, id('salt')) })
    expect((await anchors.headOf(victim.id, victimGateway))[1]).to.equal(0n)
  })
})

import { expect } from 'chai'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { MAX_VALIDITY_S, openOperator, peerOf, type Operator } from '#test/contracts/node-requests.ts'
import { refusalBy } from '#test/contracts/refusal.ts'

describe('NodeRegistry: how long a listing holds', () => {
  const peer = peerOf('peer')
  let chain: TestChain
  let operator: Operator
  before(async () => {
    chain = await openChain()
    operator = openOperator(chain, accountKey('operator'))
    await operator.accredit()
  })
  after(() => chain.close())
  const refuse = refusalBy(() => chain.contracts.nodes)

  it('is 366 days from the block that it comes in, to the second', async () => {
    // The next block's time.
    const at = (await chain.now()) + 101
    await chain.moveTo(at - 1)
    const validUntil = at + MAX_VALIDITY_S
    await refuse(operator.list(peer, { validUntil: validUntil + 1 }), 'NodeValidityInvalid', validUntil + 1)
    await operator.list(peer, { validUntil })
    expect(await chain.now()).to.equal(at)
    expect(await chain.contracts.nodes.isListed(operator.organisation, peer.node, validUntil - 1)).to.equal(true)
    expect(await chain.contracts.nodes.isListed(operator.organisation, peer.node, validUntil)).to.equal(false)
  })
})

import { expect } from 'chai'
import { ZeroHash, getBytes, id } from 'ethers'
import { isNodeListingProven, nodeIdOf } from '#core/network/node-listing.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { MAX_VALIDITY_S, openOperator, peerOf, type Operator } from '#test/contracts/node-requests.ts'
import { refusalBy } from '#test/contracts/refusal.ts'
import { byStranger } from '#test/contracts/stranger.ts'

describe('NodeRegistry', () => {
  const [key, stranger] = [accountKey('hospital'), accountKey('stranger')]
  const [peer, second] = [peerOf('peer'), peerOf('second peer')]
  let chain: TestChain
  let operator: Operator
  before(async () => {
    chain = await openChain()
    operator = openOperator(chain, key)
  })
  beforeEach(() => operator.accredit())
  afterEach(() => chain.reset())
  after(() => chain.close())

  const refuse = refusalBy(() => chain.contracts.nodes)
  const nodeOf = async (node = peer.node): Promise<unknown[]> => [
    ...(await chain.contracts.nodes.nodeOf(operator.organisation, node))
  ]

  describe('list', () => {
    it('keeps who runs a peer, its pledge and its end, with a proof that readers can check', async () => {
      const { nodes } = chain.contracts
      const listing = await operator.listing(peer)
      await expect(operator.list(peer, listing))
        .to.emit(nodes, 'NodeListed')
        .withArgs(
          operator.organisation,
          peer.node,
          peer.key,
          listing.pledgedBytes,
          listing.validUntil,
          1,
          listing.nodeProof
        )
      expect(await nodeOf()).to.deep.equal([2n ** 40n, BigInt(listing.validUntil), 1n, false])
      expect(await nodes.isListed(operator.organisation, peer.node, await chain.now())).to.equal(true)
      expect(nodeIdOf(getBytes(peer.key))).to.deep.equal(getBytes(peer.node))

      const { chainId, contracts } = chain.deployment
      const registry = getBytes(contracts.NodeRegistry.address)
      const validUntil = Number(listing.validUntil)
      const agreed = { chainId, registry, organisation: getBytes(operator.organisation), validUntil }
      const proof = getBytes(listing.nodeProof)
      const check = (other: Partial<typeof agreed>, peerKey = peer.key): boolean =>
        isNodeListingProven(p, { ...agreed, ...other }, getBytes(peerKey), proof)
      expect(check({})).to.equal(true)
      expect(check({}, second.key)).to.equal(false)
      for (const other of [
        { chainId: 1 },
        { registry: new Uint8Array(20) },
        { organisation: new Uint8Array(32) },
        { validUntil: 1 }
      ]) {
        expect(check(other), Object.keys(other).join()).to.equal(false)
      }
    })

    it('renews a listing under the next revision, before and after its end', async () => {
      const { nodes } = chain.contracts
      const soon = (await chain.now()) + 1000
      await operator.list(peer, { validUntil: soon })
      await operator.list(peer, { revision: 2, pledgedBytes: 5, validUntil: soon + 1 })
      expect(await nodeOf()).to.deep.equal([5n, BigInt(soon + 1), 2n, false])
      expect(await nodes.isListed(operator.organisation, peer.node, soon)).to.equal(true)
      expect(await nodes.isListed(operator.organisation, peer.node, soon + 1)).to.equal(false)
      await chain.moveTo(soon + 10)
      await operator.list(peer, { revision: 3 })
      expect(await nodes.nodeCountOf(operator.organisation)).to.equal(1n)
      expect(await nodes.isListed(operator.organisation, peer.node, await chain.now())).to.equal(true)
    })

    it('refuses a revision out of order', async () => {
      await refuse(operator.list(peer, { revision: 0 }), 'NodeRevisionOutOfSequence', peer.node, 1, 0)
      await refuse(operator.list(peer, { revision: 2 }), 'NodeRevisionOutOfSequence', peer.node, 1, 2)
      await operator.list(peer)
      await refuse(operator.list(peer), 'NodeRevisionOutOfSequence', peer.node, 2, 1)
    })

    it('refuses what is malformed', async () => {
      const now = await chain.now()
      await refuse(operator.list(peer, { peerKey: ZeroHash }), 'NodeKeyMissing')
      await refuse(operator.list(peer, { nodeProof: '0x' }), 'NodeProofMalformed', 0)
      await refuse(operator.list(peer, { nodeProof: `0x${'11'.repeat(65)}` }), 'NodeProofMalformed', 65)
      for (const validUntil of [0, now, now + MAX_VALIDITY_S + 100]) {
        await refuse(operator.list(peer, { validUntil }), 'NodeValidityInvalid', validUntil)
      }
    })

    it('takes a listing for the longest time there is', async () => {
      const at = (await chain.now()) + 100
      await chain.moveTo(at)
      await operator.list(peer, { validUntil: at + MAX_VALIDITY_S })
      expect(await chain.contracts.nodes.isListed(operator.organisation, peer.node, at + MAX_VALIDITY_S - 1)).to.equal(
        true
      )
    })

    it('is for accredited organisations alone, and for their signer', async () => {
      const unknown = openOperator(chain, stranger)
      await refuse(unknown.list(peer), 'NodeOperatorNotAccredited', unknown.organisation)
      await refuse(operator.list(peer, {}, stranger), 'SignerNotTheOne', key.id)
      await refuse(operator.list(peer, {}, { ...stranger, signer: key.signer }), 'RequestSignatureInvalid')
    })

    it('gives each organisation a list of its own: nobody takes another’s place', async () => {
      const other = openOperator(chain, stranger)
      await other.accredit()
      await other.list(peer)
      await operator.list(peer)
      await other.retire(peer)
      expect(await chain.contracts.nodes.isListed(operator.organisation, peer.node, await chain.now())).to.equal(true)
    })
  })

  describe('changePledge', () => {
    it('changes the pledge and nothing else', async () => {
      const { nodes } = chain.contracts
      await operator.list(peer)
      const [, validUntil] = await nodeOf()
      await expect(operator.changePledge(peer, 7, 2))
        .to.emit(nodes, 'NodePledgeChanged')
        .withArgs(operator.organisation, peer.node, 7, 2)
      expect(await nodeOf()).to.deep.equal([7n, validUntil, 2n, false])
    })

    it('refuses an unknown peer, a revision out of order, a stranger and a suspended organisation', async () => {
      await refuse(operator.changePledge(peer, 7, 1), 'NodeUnknown', peer.node)
      await operator.list(peer)
      await refuse(operator.changePledge(peer, 7, 1), 'NodeRevisionOutOfSequence', peer.node, 2, 1)
      await refuse(operator.changePledge(peer, 7, 2, stranger), 'SignerNotTheOne', key.id)
      await chain.contracts.credentials.suspend(operator.organisation)
      await refuse(operator.changePledge(peer, 7, 2), 'NodeOperatorNotAccredited', operator.organisation)
    })
  })

  describe('retire', () => {
    it('takes a peer off for ever, also while the organisation is suspended', async () => {
      const { nodes, credentials } = chain.contracts
      await operator.list(peer)
      await credentials.suspend(operator.organisation)
      expect(await nodes.isListed(operator.organisation, peer.node, await chain.now())).to.equal(false)
      await expect(operator.retire(peer)).to.emit(nodes, 'NodeRetired').withArgs(operator.organisation, peer.node)
      await credentials.reinstate(operator.organisation)
      expect(await nodes.isListed(operator.organisation, peer.node, await chain.now())).to.equal(false)
      await refuse(operator.list(peer, { revision: 2 }), 'NodeIsRetired', peer.node)
      await refuse(operator.changePledge(peer, 1, 2), 'NodeIsRetired', peer.node)
      await refuse(operator.retire(peer), 'NodeIsRetired', peer.node)
      expect((await nodeOf())[3]).to.equal(true)
    })

    it('is for the organisation’s signer alone, of a peer that it listed', async () => {
      await refuse(operator.retire(peer), 'NodeUnknown', peer.node)
      await operator.list(peer)
      await refuse(operator.retire(peer, stranger), 'SignerNotTheOne', key.id)
    })
  })

  it('follows an organisation to its new signer', async () => {
    const next = accountKey('next signer')
    await operator.rotate(key, next)
    await refuse(operator.list(peer), 'SignerNotTheOne', next.id)
    await operator.list(peer, {}, next)
  })

  it('gives its lists in pages of a hundred at most', async () => {
    const { nodes } = chain.contracts
    const { organisation } = operator
    const peers = Array.from({ length: 103 }, (_, i) => peerOf(`peer ${String(i)}`))
    for (const each of peers) await operator.list(each)
    const all = peers.map(({ node }) => node)
    expect(await nodes.nodeCountOf(organisation)).to.equal(103n)
    expect([...(await nodes.nodesOf(organisation, 0, 1000))]).to.deep.equal(all.slice(0, 100))
    expect([...(await nodes.nodesOf(organisation, 100, 1000))]).to.deep.equal(all.slice(100))
    expect([...(await nodes.nodesOf(organisation, 5, 2))]).to.deep.equal(all.slice(5, 7))
    for (const from of [103n, 2n ** 256n - 1n]) {
      expect([...(await nodes.nodesOf(organisation, from, 10))]).to.deep.equal([])
    }
    expect([...(await nodes.nodesOf(id('nobody'), 0, 10))]).to.deep.equal([])
  })

  it('pauses what is new, never retiring', async () => {
    const { nodes } = chain.contracts
    await operator.list(peer)
    await nodes.pause()
    await refuse(operator.list(second), 'EnforcedPause')
    await refuse(operator.changePledge(peer, 1, 2), 'EnforcedPause')
    await operator.retire(peer)
    await nodes.unpause()
    await operator.list(second)
    const asStranger = await byStranger(chain.provider, nodes)
    await refuse(asStranger.pause(), 'AccessManagedUnauthorized')
    await refuse(asStranger.unpause(), 'AccessManagedUnauthorized')
    expect(await nodes.organisations()).to.equal(chain.deployment.contracts.CredentialRegistry.address)
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { AbiCoder, ZeroAddress, ZeroHash, id, keccak256 } from 'ethers'
import { gatewayRegistrationTypes } from '#core/abi/typed-data/anchors.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { BUNDLE, anchor, idOf, registerGateway, type AnchorTerms } from '#test/contracts/requests.ts'

describe('BatchAnchors', () => {
  const key = accountKey('gateway')
  const gateway = idOf(key.signer, id('salt'))
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => registerGateway(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  const terms = (sequence: number, treeSize = 8, special: Partial<AnchorTerms> = {}): AnchorTerms => ({
    gateway,
    sequence,
    treeSize,
    root: id(`root ${String(sequence)}`),
    ...special
  })
  const nextHead = (head: string, { sequence, treeSize, root }: AnchorTerms): string =>
    keccak256(
      AbiCoder.defaultAbiCoder().encode(['bytes32', 'uint64', 'uint64', 'bytes32'], [head, sequence, treeSize, root])
    )

  describe('register', () => {
    it('keeps signer and certificate, with no anchor yet', async () => {
      const { anchors } = chain.contracts
      const { signer, certificate } = await anchors.gatewayOf(gateway)
      expect([signer, certificate]).to.deep.equal([key.signer, BUNDLE])
      expect([...(await anchors.headOf(gateway))]).to.deep.equal([ZeroHash, 0n, 0n, 0n])
    })

    it('refuses the same id a second time', async () => {
      await expect(registerGateway(chain, key))
        .to.be.revertedWithCustomError(chain.contracts.anchors, 'GatewayAlreadyRegistered')
        .withArgs(gateway)
    })

    it('refuses a signer that cannot be one, an empty certificate, a late request and another’s signature', async () => {
      const { anchors } = chain.contracts
      const deadline = await chain.deadline()
      const salt = id('other salt')
      const value = { gateway: idOf(key.signer, salt), signer: key.signer, certificate: BUNDLE, deadline }
      const foreign = await accountKey('stranger').sign(chain.domainOf('BatchAnchors'), gatewayRegistrationTypes, value)
      const cases: [() => Promise<unknown>, string][] = [
        [() => anchors.register(ZeroAddress, BUNDLE, salt, deadline, '0x'), 'SignerMalformed'],
        [() => anchors.register(key.signer, ZeroHash, salt, deadline, '0x'), 'GatewayCertificateMissing'],
        [() => anchors.register(key.signer, BUNDLE, salt, 1, '0x'), 'RequestExpired'],
        [() => anchors.register(key.signer, BUNDLE, salt, deadline, foreign), 'RequestSignatureInvalid']
      ]
      for (const [call, error] of cases) await expect(call()).to.be.revertedWithCustomError(anchors, error)
    })
  })

  describe('anchor', () => {
    it('chains the head over every anchor and overwrites the newest', async () => {
      const { anchors } = chain.contracts
      const [first, second] = [terms(1, 8), terms(2, 8)]
      const firstHead = nextHead(ZeroHash, first)
      await expect(anchor(chain, key, first))
        .to.emit(anchors, 'Anchored')
        .withArgs(gateway, 1, 8, first.root, firstHead)
      await anchor(chain, key, second)
      expect([...(await anchors.headOf(gateway))]).to.deep.equal([
        nextHead(firstHead, second),
        2n,
        8n,
        BigInt(await chain.now())
      ])
    })

    for (const [what, sequence] of Object.entries({ 'zero first': 0, 'a gap': 2 })) {
      it(`refuses ${what}`, async () => {
        await expect(anchor(chain, key, terms(sequence)))
          .to.be.revertedWithCustomError(chain.contracts.anchors, 'AnchorOutOfSequence')
          .withArgs(gateway, 1, sequence)
      })
    }

    it('refuses the same anchor again', async () => {
      await anchor(chain, key, terms(1))
      await expect(anchor(chain, key, terms(1)))
        .to.be.revertedWithCustomError(chain.contracts.anchors, 'AnchorOutOfSequence')
        .withArgs(gateway, 2, 1)
    })

    it('refuses a tree that lost a leaf', async () => {
      await anchor(chain, key, terms(1, 8))
      await expect(anchor(chain, key, terms(2, 7)))
        .to.be.revertedWithCustomError(chain.contracts.anchors, 'AnchorTreeShrank')
        .withArgs(gateway, 8, 7)
    })

    it('refuses an empty root, an unknown gateway, a stranger and a late request', async () => {
      const { anchors } = chain.contracts
      const cases: [() => Promise<unknown>, string][] = [
        [() => anchor(chain, key, terms(1, 8, { root: ZeroHash })), 'AnchorRootMissing'],
        [() => anchor(chain, key, terms(1, 8, { gateway: id('nobody') })), 'GatewayUnknown'],
        [() => anchor(chain, accountKey('stranger'), terms(1)), 'RequestSignatureInvalid'],
        [() => anchors.anchor(gateway, 1, 8, id('root'), 1, '0x'), 'RequestExpired']
      ]
      for (const [call, error] of cases) await expect(call()).to.be.revertedWithCustomError(anchors, error)
      await expect(anchors.headOf(id('nobody'))).to.be.revertedWithCustomError(anchors, 'GatewayUnknown')
      await expect(anchors.gatewayOf(id('nobody'))).to.be.revertedWithCustomError(anchors, 'GatewayUnknown')
    })

    it('accepts, of any attempts, exactly those with the next sequence and no smaller tree', async () => {
      const { anchors } = chain.contracts
      const attempt = fc.record({ step: fc.integer({ min: 0, max: 2 }), size: fc.integer({ min: 0, max: 6 }) })
      await fc.assert(
        fc.asyncProperty(fc.array(attempt, { maxLength: 12 }), async attempts => {
          await chain.reset()
          await registerGateway(chain, key)
          let [head, sequence, size] = [ZeroHash, 0, 0]
          for (const { step, size: wanted } of attempts) {
            const asked = terms(sequence + step, wanted)
            const accepted = await anchor(chain, key, asked).then(
              () => true,
              () => false
            )
            expect(accepted).to.equal(step === 1 && wanted >= size)
            if (accepted) [head, sequence, size] = [nextHead(head, asked), sequence + 1, wanted]
          }
          const [actualHead, actualSequence, actualSize] = await anchors.headOf(gateway)
          expect([actualHead, actualSequence, actualSize]).to.deep.equal([head, BigInt(sequence), BigInt(size)])
        }),
        { numRuns: 15 }
      )
    })
  })
})

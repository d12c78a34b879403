import { expect } from 'chai'
import fc from 'fast-check'
import { AbiCoder, ZeroAddress, ZeroHash, id, keccak256 } from 'ethers'
import { NEW_CERTIFICATE, anchorByAccount, retireGateway, rotateGateway } from '#test/contracts/anchor-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey, walletOf } from '#test/contracts/keys.ts'
import { refusalBy } from '#test/contracts/refusal.ts'
import { BUNDLE, anchor, idOf, registerGateway, type AnchorTerms } from '#test/contracts/requests.ts'
import { byStranger } from '#test/contracts/stranger.ts'

const coder = AbiCoder.defaultAbiCoder()
const POSITION_MASK = 2n ** 72n - 1n

/** What the contract keeps of a hash and a position. */
function join(types: string[], values: unknown[], position: bigint): string {
  const word = (BigInt(keccak256(coder.encode(types, values))) & ~POSITION_MASK) | position
  return `0x${word.toString(16).padStart(64, '0')}`
}

const firstWord = (gateway: string): string => join(['bytes32', 'bytes32'], [gateway, BUNDLE], 0n)

const nextWord = (word: string, { sequence, treeSize, root }: AnchorTerms): string =>
  join(
    ['bytes32', 'uint32', 'uint40', 'bytes32'],
    [word, sequence, treeSize, root],
    (BigInt(treeSize) << 32n) | BigInt(sequence)
  )

describe('BatchAnchors', () => {
  const [key, next, stranger] = [accountKey('gateway'), accountKey('next gateway'), accountKey('stranger')]
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
  const refuse = refusalBy(() => chain.contracts.anchors)
  const headOf = async (signer = key.id): Promise<unknown[]> => [
    ...(await chain.contracts.anchors.headOf(signer, gateway))
  ]

  describe('register', () => {
    it('opens a word that commits to the certificate, without an anchor', async () => {
      expect(await headOf()).to.deep.equal([firstWord(gateway), 0n, 0n])
      const other = idOf(key.signer, id('other salt'))
      await expect(registerGateway(chain, key, id('other salt')))
        .to.emit(chain.contracts.anchors, 'GatewayRegistered')
        .withArgs(other, key.signer, BUNDLE)
    })

    it('refuses the same id a second time, also once it was handed on or retired', async () => {
      await refuse(registerGateway(chain, key), 'GatewayAlreadyRegistered', gateway)
      await rotateGateway(chain, [key, next], gateway)
      await refuse(registerGateway(chain, key), 'GatewayAlreadyRegistered', gateway)
      await retireGateway(chain, next, gateway)
      await refuse(registerGateway(chain, key), 'GatewayAlreadyRegistered', gateway)
    })

    it('refuses a signer that cannot be one, and an empty certificate', async () => {
      const { anchors } = chain.contracts
      const deadline = await chain.deadline()
      await refuse(anchors.register(ZeroAddress, BUNDLE, id('x'), deadline, '0x'), 'SignerMalformed', ZeroAddress)
      await refuse(anchors.register(key.signer, ZeroHash, id('x'), deadline, '0x'), 'GatewayCertificateMissing')
    })
  })

  describe('rotate', () => {
    it('goes on at the same position with a word that commits to the new signer', async () => {
      const { anchors } = chain.contracts
      await anchor(chain, key, terms(1))
      const [before] = await headOf()
      await expect(rotateGateway(chain, [key, next], gateway))
        .to.emit(anchors, 'GatewayRotated')
        .withArgs(gateway, next.signer, NEW_CERTIFICATE)
      const after = join(
        ['bytes32', 'bytes32', 'bytes32'],
        [before, keccak256(next.signer), NEW_CERTIFICATE],
        (8n << 32n) | 1n
      )
      expect(await headOf(next.id)).to.deep.equal([after, 1n, 8n])
      await anchor(chain, next, terms(2))
    })

    it('leaves the old signer nothing, by any way', async () => {
      await rotateGateway(chain, [key, next], gateway)
      const attempts = [
        () => anchor(chain, key, terms(1)),
        () => anchorByAccount(chain, walletOf('gateway'), terms(1)),
        () => retireGateway(chain, key, gateway),
        () => rotateGateway(chain, [key, stranger], gateway),
        () => headOf()
      ]
      for (const attempt of attempts) await refuse(attempt(), 'GatewayEnded', gateway, key.id)
    })

    it('never comes back to a signer that had the gateway, itself included', async () => {
      await refuse(rotateGateway(chain, [key, key], gateway), 'GatewaySignerUsed', gateway, key.id)
      await rotateGateway(chain, [key, next], gateway)
      await refuse(rotateGateway(chain, [next, key], gateway), 'GatewaySignerUsed', gateway, key.id)
    })

    it('needs both signers, well formed, and a certificate', async () => {
      const { anchors } = chain.contracts
      const deadline = await chain.deadline()
      const call = async (to: string, certificate: string): Promise<unknown> =>
        anchors.rotate(gateway, to, certificate, deadline, key.signer, '0x', '0x')
      await refuse(rotateGateway(chain, [stranger, next], gateway), 'GatewayUnknown', gateway, stranger.id)
      const mute = { ...stranger, signer: next.signer }
      await refuse(rotateGateway(chain, [key, mute], gateway), 'RequestSignatureInvalid')
      await refuse(
        rotateGateway(chain, [{ ...stranger, signer: key.signer }, next], gateway),
        'RequestSignatureInvalid'
      )
      await refuse(call(ZeroAddress, BUNDLE), 'SignerMalformed', ZeroAddress)
      await refuse(call(next.signer, ZeroHash), 'GatewayCertificateMissing')
    })
  })

  describe('retire', () => {
    it('ends the gateway for ever', async () => {
      await anchor(chain, key, terms(1))
      await expect(retireGateway(chain, key, gateway))
        .to.emit(chain.contracts.anchors, 'GatewayRetired')
        .withArgs(gateway)
      await refuse(anchor(chain, key, terms(2)), 'GatewayEnded', gateway, key.id)
      await refuse(anchorByAccount(chain, walletOf('gateway'), terms(2)), 'GatewayEnded', gateway, key.id)
      await refuse(rotateGateway(chain, [key, next], gateway), 'GatewayEnded', gateway, key.id)
    })

    it('is for the gateway’s signer alone', async () => {
      await refuse(retireGateway(chain, stranger, gateway), 'GatewayUnknown', gateway, stranger.id)
      await refuse(retireGateway(chain, { ...stranger, signer: key.signer }, gateway), 'RequestSignatureInvalid')
    })
  })

  describe('anchor', () => {
    it('chains the word over every anchor, whoever pays for it', async () => {
      const { anchors } = chain.contracts
      const [first, second, third] = [terms(1, 8), terms(2, 8), terms(3, 2 ** 40 - 1)]
      await expect(anchor(chain, key, first))
        .to.emit(anchors, 'Anchored')
        .withArgs(gateway, 1, 8, first.root)
      await expect(anchorByAccount(chain, walletOf('gateway'), second))
        .to.emit(anchors, 'Anchored')
        .withArgs(gateway, 2, 8, second.root)
      await anchor(chain, key, third)
      const word = [first, second, third].reduce(nextWord, firstWord(gateway))
      expect(await headOf()).to.deep.equal([word, 3n, 2n ** 40n - 1n])
    })

    for (const [what, sequence] of Object.entries({
      'zero first': 0,
      'a gap': 2,
      'the last number there is': 2 ** 32 - 1
    })) {
      it(`refuses ${what}`, async () => {
        await refuse(anchor(chain, key, terms(sequence)), 'AnchorOutOfSequence', gateway, 1, sequence)
        const wallet = walletOf('gateway')
        await refuse(anchorByAccount(chain, wallet, terms(sequence)), 'AnchorOutOfSequence', gateway, 1, sequence)
      })
    }

    it('refuses a tree that lost a leaf, and an empty root', async () => {
      await anchor(chain, key, terms(1, 8))
      const [wallet, empty] = [walletOf('gateway'), { root: ZeroHash }]
      await refuse(anchor(chain, key, terms(2, 7)), 'AnchorTreeShrank', gateway, 8, 7)
      await refuse(anchorByAccount(chain, wallet, terms(2, 7)), 'AnchorTreeShrank', gateway, 8, 7)
      await refuse(anchor(chain, key, terms(2, 8, empty)), 'AnchorRootMissing')
      await refuse(anchorByAccount(chain, wallet, terms(2, 8, empty)), 'AnchorRootMissing')
    })

    it('refuses an unknown gateway and a stranger, by either way', async () => {
      const nobody = { gateway: id('nobody') }
      await refuse(anchor(chain, key, terms(1, 8, nobody)), 'GatewayUnknown', id('nobody'), key.id)
      await refuse(anchor(chain, stranger, terms(1)), 'GatewayUnknown', gateway, stranger.id)
      await refuse(anchor(chain, { ...stranger, signer: key.signer }, terms(1)), 'RequestSignatureInvalid')
      await refuse(anchorByAccount(chain, walletOf('stranger'), terms(1)), 'GatewayUnknown', gateway, stranger.id)
      await refuse(chain.contracts.anchors.headOf(stranger.id, gateway), 'GatewayUnknown', gateway, stranger.id)
    })

    it('accepts, of any attempts, exactly those with the next sequence and no smaller tree', async () => {
      const attempt = fc.record({
        step: fc.integer({ min: 0, max: 2 }),
        size: fc.integer({ min: 0, max: 6 }),
        pays: fc.boolean()
      })
      await fc.assert(
        fc.asyncProperty(fc.array(attempt, { maxLength: 12 }), async attempts => {
          await chain.reset()
          await registerGateway(chain, key)
          let [word, sequence, size] = [firstWord(gateway), 0, 0]
          for (const { step, size: wanted, pays } of attempts) {
            const asked = terms(sequence + step, wanted)
            const sent = pays ? anchorByAccount(chain, walletOf('gateway'), asked) : anchor(chain, key, asked)
            const accepted = await sent.then(
              () => true,
              () => false
            )
            expect(accepted).to.equal(step === 1 && wanted >= size)
            if (accepted) [word, sequence, size] = [nextWord(word, asked), sequence + 1, wanted]
          }
          expect(await headOf()).to.deep.equal([word, BigInt(sequence), BigInt(size)])
        }),
        { numRuns: 15 }
      )
    })
  })

  it('pauses registrations, never what a gateway does', async () => {
    const { anchors } = chain.contracts
    await anchors.pause()
    await refuse(registerGateway(chain, key, id('other salt')), 'EnforcedPause')
    await anchor(chain, key, terms(1))
    await anchorByAccount(chain, walletOf('gateway'), terms(2))
    await rotateGateway(chain, [key, next], gateway)
    await retireGateway(chain, next, gateway)
    await anchors.unpause()
    await registerGateway(chain, key, id('other salt'))
  })

  it('is paused by governance alone', async () => {
    const anchors = await byStranger(chain.provider, chain.contracts.anchors)
    await refuse(anchors.pause(), 'AccessManagedUnauthorized')
    await refuse(anchors.unpause(), 'AccessManagedUnauthorized')
  })
})

import { expect } from 'chai'
import { TypedDataEncoder, ZeroHash, id, toBeHex } from 'ethers'
import { releaseChallengeTypes, releaseHoldTypes, researchReleaseTypes } from '#core/abi/typed-data/research.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { refusalBy } from '#test/contracts/refusal.ts'
import { SCHEME, USE, openReleaseDesk, schemeIdOf, type ReleaseDesk } from '#test/contracts/release-requests.ts'
import { REASON, hashOf, otherDomains, withHighS } from '#test/contracts/research-contracts.ts'

const [LIVE, HELD, WITHDRAWN] = [1n, 2n, 3n]

describe('ReleaseRegistry', () => {
  const stewards = ['steward 0', 'steward 1', 'steward 2'].map(accountKey)
  const stranger = accountKey('stranger')
  let chain: TestChain
  let desk: ReleaseDesk
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    desk = openReleaseDesk(chain, stewards, 2)
    await desk.open()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const statusOf = async (release: number): Promise<bigint> => (await desk.releases.releaseOf(release)).status
  const refuse = refusalBy(() => desk.releases)

  describe('governance', () => {
    it('names stewards, of whom it keeps a digest', async () => {
      const signers = stewards.map(({ signer }) => signer)
      const digest = hashOf(['uint8', 'address[]'], [3, desk.set.ids])
      await expect(desk.releases.setStewards(signers, 3))
        .to.emit(desk.releases, 'StewardsSet')
        .withArgs(digest, signers, 3)
      expect(await desk.releases.stewards()).to.equal(digest)
      await refuse(desk.publish(await desk.terms(1)), 'SignerSetMismatch', digest)
    })

    it('refuses stewards of whom one would do, too many, too few, twice the same, or none that can sign', async () => {
      const signers = stewards.map(({ signer }) => signer)
      const many = Array.from({ length: 17 }, (_, index) => accountKey(String(index)).signer)
      await refuse(desk.releases.setStewards(signers, 1), 'ThresholdInvalid', 1)
      await refuse(desk.releases.setStewards(signers, 0), 'ThresholdInvalid', 0)
      await refuse(desk.releases.setStewards(signers, 4), 'ThresholdInvalid', 4)
      await refuse(desk.releases.setStewards(signers.slice(0, 1), 2), 'ThresholdInvalid', 2)
      await refuse(desk.releases.setStewards([], 2), 'SignerSetSizeInvalid', 0)
      await refuse(desk.releases.setStewards(many, 2), 'SignerSetSizeInvalid', 17)
      await refuse(desk.releases.setStewards([...signers, signers[0]!], 2), 'SignerSetDuplicate', signers[0])
      await refuse(desk.releases.setStewards([...signers, '0x1234'], 2), 'SignerMalformed', '0x1234')
      await desk.releases.setStewards(many.slice(0, 16), 16)
    })

    it('admits schemes and retires them for ever', async () => {
      const scheme = { ...SCHEME, tier: 0, minimumK: 0 }
      await expect(desk.releases.addScheme(scheme))
        .to.emit(desk.releases, 'SchemeAdded')
        .withArgs(schemeIdOf(scheme), Object.values(scheme))
      expect([...(await desk.releases.schemeOf(schemeIdOf(SCHEME)))]).to.deep.equal([1n, 2n, 11n])
      await refuse(desk.releases.addScheme(scheme), 'SchemeAlreadyAdded', schemeIdOf(scheme))
      await expect(desk.releases.retireScheme(schemeIdOf(scheme)))
        .to.emit(desk.releases, 'SchemeRetired')
        .withArgs(schemeIdOf(scheme))
      await refuse(desk.releases.addScheme(scheme), 'SchemeAlreadyAdded', schemeIdOf(scheme))
      await refuse(desk.releases.retireScheme(schemeIdOf(scheme)), 'SchemeNotLive', schemeIdOf(scheme))
    })

    it('refuses a tier that is none, and rows that promise nothing', async () => {
      await refuse(desk.releases.addScheme({ ...SCHEME, tier: 4 }), 'SchemeMalformed')
      await refuse(desk.releases.addScheme({ ...SCHEME, tier: 1, minimumK: 1 }), 'SchemeMalformed')
      await refuse(desk.releases.addScheme({ ...SCHEME, tier: 2, minimumK: 1 }), 'SchemeMalformed')
      for (const [tier, minimumK] of [
        [1, 2],
        [2, 2],
        [3, 0]
      ] as const)
        await desk.releases.addScheme({ ...SCHEME, tier, minimumK })
    })

    it('belongs to governance alone', async () => {
      const releases = desk.releases.connect(chain.provider)
      const from = { from: stranger.id }
      const calls = [
        () => releases.setStewards.staticCall([], 2, from),
        () => releases.addScheme.staticCall(SCHEME, from),
        () => releases.retireScheme.staticCall(ZeroHash, from),
        () => releases.pause.staticCall(from),
        () => releases.unpause.staticCall(from)
      ]
      for (const call of calls) await refuse(call(), 'AccessManagedUnauthorized', stranger.id)
    })
  })

  describe('publishRelease', () => {
    it('keeps the digest of the terms, and what later steps decide on', async () => {
      const terms = await desk.terms(1)
      const digest = TypedDataEncoder.from(researchReleaseTypes).hash(terms)
      await expect(desk.publish(terms))
        .to.emit(desk.releases, 'ReleasePublished')
        .withArgs(1, terms.scheme, digest, Object.values(terms))
      expect(await desk.releases.digestOf(1)).to.equal(digest)
      expect(await desk.releases.latestRelease()).to.equal(1n)
      expect([...(await desk.releases.releaseOf(1))]).to.deep.equal([LIVE, 2n, BigInt(USE.GRU | USE.NRI), 0n])
    })

    it('takes any two of three stewards, or all', async () => {
      await desk.publish(await desk.terms(1), [0, 2])
      await desk.publish(await desk.terms(2), [1, 2])
      await desk.publish(await desk.terms(3), [0, 1, 2])
    })

    it('refuses too few approvals, one that counts twice, a stranger and a wrong signature', async () => {
      const terms = await desk.terms(1)
      const publish = (approvals: Awaited<ReturnType<ReleaseDesk['sign']>>): Promise<unknown> =>
        desk.releases.publishRelease(terms, desk.set, approvals)
      const [first, second, third] = await desk.sign(researchReleaseTypes, terms, [0, 1, 2])
      await refuse(publish([first!]), 'ApprovalsTooFew', 1, 2)
      await refuse(publish([first!, first!]), 'ApprovalOutOfOrder', 0)
      await refuse(publish([second!, first!]), 'ApprovalOutOfOrder', 0)
      await refuse(publish([first!, { ...second!, signer: stranger.signer }]), 'ApprovalSignerUnknown', 1)
      await refuse(publish([first!, { ...second!, index: 3 }]), 'ApprovalSignerUnknown', 3)
      await refuse(
        publish([first!, second!, { ...third!, signature: first!.signature }]),
        'ApprovalSignatureInvalid',
        2
      )
      await refuse(publish([first!, { ...second!, signature: '0x' }]), 'ApprovalSignatureInvalid', 1)
      const malleated = withHighS(second!.signature as string)
      await refuse(publish([first!, { ...second!, signature: malleated }]), 'ApprovalSignatureInvalid', 1)
    })

    it('refuses signatures for another chain, address or contract, and a set that is not in force', async () => {
      const terms = await desk.terms(1)
      const [, second] = await desk.sign(researchReleaseTypes, terms)
      for (const where of otherDomains(chain, 'ReleaseRegistry')) {
        const signature = await stewards[0]!.sign(where, researchReleaseTypes, { ...terms })
        const approvals = [{ index: 0, signer: stewards[0]!.signer, signature }, second!]
        await refuse(desk.releases.publishRelease(terms, desk.set, approvals), 'ApprovalSignatureInvalid', 0)
      }
      const loose = { ...desk.set, threshold: 1 }
      await refuse(desk.releases.publishRelease(terms, loose, [second!]), 'SignerSetMismatch')
    })

    it('refuses each field changed after it was signed', async () => {
      const terms = await desk.terms(1, { windowBlock: 0 })
      const approvals = await desk.sign(researchReleaseTypes, terms)
      const changes = {
        manifest: id('x'),
        certificate: id('x'),
        escrowRoot: id('x'),
        k: 12,
        dataUse: USE.HMB | USE.NRI,
        windowBlock: 1,
        deadline: Number(terms.deadline) + 1
      }
      for (const [field, value] of Object.entries(changes)) {
        const changed = { ...terms, [field]: value }
        await refuse(desk.releases.publishRelease(changed, desk.set, approvals), 'ApprovalSignatureInvalid', 0)
      }
      await desk.releases.publishRelease(terms, desk.set, approvals)
      await refuse(desk.releases.publishRelease(terms, desk.set, approvals), 'ResearchReleaseOutOfSequence', 2, 1)
    })

    it('refuses numbers out of sequence, late requests and requests for too long', async () => {
      await refuse(desk.publish(await desk.terms(0)), 'ResearchReleaseOutOfSequence', 1, 0)
      await refuse(desk.publish(await desk.terms(2)), 'ResearchReleaseOutOfSequence', 1, 2)
      await refuse(desk.publish(await desk.terms(1, { deadline: 1 })), 'RequestExpired', 1)
      await refuse(desk.publish(await desk.terms(1, { deadline: 2n ** 60n })), 'RequestDeadlineTooFar', 2n ** 60n)
    })

    it('refuses a scheme that is unknown or retired', async () => {
      await refuse(desk.publish(await desk.terms(1, { scheme: id('none') })), 'SchemeNotLive', id('none'))
      await desk.releases.retireScheme(schemeIdOf(SCHEME))
      await refuse(desk.publish(await desk.terms(1)), 'SchemeNotLive', schemeIdOf(SCHEME))
    })

    it('refuses less than the scheme promises, and rows whose identifiers are not all sealed', async () => {
      const wrong = [
        { manifest: ZeroHash },
        { certificate: ZeroHash },
        { escrowRoot: ZeroHash },
        { tier: 3 },
        { k: 10 },
        { rows: 0, escrowed: 0 },
        { escrowed: 1999 },
        { escrowed: 2001 }
      ]
      for (const special of wrong) await refuse(desk.publish(await desk.terms(1, special)), 'ResearchReleaseMalformed')
    })

    it('takes aggregates without rows, and rows open to all only where that was permitted', async () => {
      const [aggregates, open] = [
        { ...SCHEME, tier: 0, minimumK: 0 },
        { ...SCHEME, tier: 1, minimumK: 20 }
      ]
      await desk.releases.addScheme(aggregates)
      await desk.releases.addScheme(open)
      const none = { scheme: schemeIdOf(aggregates), tier: 0, rows: 0, escrowed: 0, k: 0 }
      await refuse(desk.publish(await desk.terms(1, none)), 'ResearchReleaseMalformed')
      await refuse(
        desk.publish(await desk.terms(1, { ...none, escrowRoot: ZeroHash, rows: 1, escrowed: 1 })),
        'ResearchReleaseMalformed'
      )
      await desk.publish(await desk.terms(1, { ...none, escrowRoot: ZeroHash }))
      const rows = { scheme: schemeIdOf(open), tier: 1, k: 20 }
      await refuse(desk.publish(await desk.terms(2, rows)), 'DataUseMalformed', USE.GRU | USE.NRI)
      await desk.publish(await desk.terms(2, { ...rows, dataUse: USE.GRU | USE.NRI | USE.T1 }))
    })

    it('refuses terms of use that are none, two, unknown or let people be looked for', async () => {
      for (const dataUse of [USE.NRI, USE.GRU | USE.HMB | USE.NRI, USE.GRU, USE.GRU | USE.NRI | (1 << 26)])
        await refuse(desk.publish(await desk.terms(1, { dataUse })), 'DataUseMalformed', dataUse)
    })

    it('refuses counting that began in a later block', async () => {
      await refuse(desk.publish(await desk.terms(1, { windowBlock: 2 ** 40 })), 'ReleaseWindowAhead', 2 ** 40)
      const next = (await chain.provider.getBlockNumber()) + 1
      const ahead = desk.publish(await desk.terms(1, { windowBlock: next + 1 }))
      await refuse(ahead, 'ReleaseWindowAhead', next + 1)
      await desk.publish(await desk.terms(1, { windowBlock: next }))
    })

    it('refuses counting that began before it began for an earlier release of the scheme', async () => {
      const another = { ...SCHEME, minimumK: 5 }
      await desk.releases.addScheme(another)
      await desk.publish(await desk.terms(1, { windowBlock: 5 }))
      await refuse(desk.publish(await desk.terms(2, { windowBlock: 4 })), 'ReleaseWindowBehind', 4)
      await desk.publish(await desk.terms(2, { windowBlock: 4, scheme: schemeIdOf(another) }))
      await desk.publish(await desk.terms(3, { windowBlock: 5 }))
      await desk.publish(await desk.terms(4, { windowBlock: 6 }))
      await refuse(desk.publish(await desk.terms(5, { windowBlock: 5 })), 'ReleaseWindowBehind', 5)
    })

    it('refuses counting that began more than 216,000 blocks ago', async function () {
      if (chain.makeBlocks == null) return this.skip()
      const began = await chain.provider.getBlockNumber()
      await chain.makeBlocks(215_999)
      await desk.publish(await desk.terms(1, { windowBlock: began }))
      await refuse(desk.publish(await desk.terms(2, { windowBlock: began })), 'ReleaseWindowBehind', began)
      await desk.publish(await desk.terms(2, { windowBlock: began + 1 }))
    })
  })

  describe('a published release', () => {
    beforeEach(async () => {
      await desk.publish(await desk.terms(1))
    })

    it('can be challenged by anybody, once with the same evidence, whatever its state', async () => {
      await expect(desk.challenge(1, id('proof'), stranger))
        .to.emit(desk.releases, 'ReleaseChallenged')
        .withArgs(1, stranger.signer, id('proof'))
      await refuse(desk.challenge(1, id('proof'), stranger), 'ReleaseAlreadyChallenged', 1, id('proof'))
      await desk.challenge(1, id('proof'), accountKey('another'))
      await desk.withdraw(1)
      await desk.challenge(1, id('more'), stranger)
      await refuse(desk.challenge(2, id('proof'), stranger), 'ResearchReleaseStatusUnfit', 2, 0)
      const deadline = await chain.deadline()
      const value = { release: 1, proof: id('x'), deadline }
      const signature = await stranger.sign(chain.domainOf('ReleaseRegistry'), releaseChallengeTypes, value)
      const challenge = (proof: string, until: number, signer: string): Promise<unknown> =>
        desk.releases.challenge(1, proof, until, signer, signature)
      await refuse(challenge(id('y'), deadline, stranger.signer), 'RequestSignatureInvalid')
      await refuse(challenge(id('x'), deadline, stewards[0]!.signer), 'RequestSignatureInvalid')
      await refuse(challenge(id('x'), deadline, '0x'), 'RequestSignatureInvalid')
      await refuse(challenge(id('x'), 1, stranger.signer), 'RequestExpired', 1)
    })

    it('is held by one steward and let go by a threshold', async () => {
      await expect(desk.hold(1, 2)).to.emit(desk.releases, 'ReleaseHeld').withArgs(1, REASON)
      expect(await statusOf(1)).to.equal(HELD)
      await refuse(desk.hold(1), 'ResearchReleaseStatusUnfit', 1, HELD)
      await refuse(desk.letGo(1, [0]), 'ApprovalsTooFew', 1, 2)
      await expect(desk.letGo(1)).to.emit(desk.releases, 'ReleaseLetGo').withArgs(1, REASON)
      expect(await statusOf(1)).to.equal(LIVE)
      await refuse(desk.letGo(1), 'ResearchReleaseStatusUnfit', 1, LIVE)
      expect((await desk.releases.releaseOf(1)).revision).to.equal(2n)
    })

    it('cannot be held again with an old signature', async () => {
      const value = { release: 1, reason: REASON, revision: 0, deadline: await chain.deadline() }
      const [approval] = await desk.sign(releaseHoldTypes, value, [0])
      const hold = (): Promise<unknown> => desk.releases.holdRelease(1, REASON, value.deadline, desk.set, approval!)
      await hold()
      await desk.letGo(1)
      await refuse(hold(), 'ApprovalSignatureInvalid', 0)
      await refuse(desk.releases.holdRelease(1, REASON, 1, desk.set, approval!), 'RequestExpired', 1)
      await refuse(desk.releases.letGoRelease(1, REASON, 1, desk.set, []), 'RequestExpired', 1)
      await refuse(desk.releases.withdrawRelease(1, REASON, 1, desk.set, []), 'RequestExpired', 1)
    })

    it('is withdrawn by a threshold, live or held, for ever', async () => {
      await desk.publish(await desk.terms(2))
      await desk.hold(2)
      await refuse(desk.withdraw(1, [1]), 'ApprovalsTooFew', 1, 2)
      for (const release of [1, 2]) {
        await expect(desk.withdraw(release)).to.emit(desk.releases, 'ReleaseWithdrawn').withArgs(release, REASON)
        expect(await statusOf(release)).to.equal(WITHDRAWN)
        for (const step of ['withdraw', 'hold', 'letGo'] as const)
          await refuse(desk[step](release), 'ResearchReleaseStatusUnfit', release, WITHDRAWN)
      }
      await refuse(desk.withdraw(3), 'ResearchReleaseStatusUnfit', 3, 0)
    })

    it('can be held, withdrawn and challenged while the contract is paused, and nothing new happens', async () => {
      await desk.publish(await desk.terms(2))
      await desk.hold(2)
      await desk.releases.pause()
      await refuse(desk.publish(await desk.terms(3)), 'EnforcedPause')
      await refuse(desk.letGo(2), 'EnforcedPause')
      await desk.challenge(1, id('proof'), stranger)
      await desk.hold(1)
      await desk.withdraw(1)
      await desk.releases.unpause()
      await desk.letGo(2)
    })
  })

  it('keeps each release in the slots that its page draws', async () => {
    await desk.publish(await desk.terms(1))
    await desk.hold(1)
    const { address } = chain.deployment.contracts.ReleaseRegistry
    const words = await Promise.all(
      Array.from({ length: 12 }, (_, slot) =>
        chain.provider.getStorage(address, hashOf(['uint256', 'uint256'], [1, slot]))
      )
    )
    const packed = (1n << 48n) | (BigInt(USE.GRU | USE.NRI) << 16n) | (2n << 8n) | HELD
    expect(words).to.include(toBeHex(packed, 32))
    expect(words).to.include(await desk.releases.digestOf(1))
  })
})

import { expect } from 'chai'
import { ZeroAddress, ZeroHash, id, keccak256 } from 'ethers'
import { holdTypes, releaseTypes, unholdTypes } from '#core/abi/typed-data/firmware.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import {
  MANIFEST,
  MODEL_CLASS,
  REASON,
  approve,
  openDesk,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'

const [LIVE, HELD, YANKED] = [0n, 1n, 2n]

describe('FirmwareRegistry', () => {
  const releaseKeys = [accountKey('release 0'), accountKey('release 1'), accountKey('release 2')]
  const guards = [accountKey('guard 0'), accountKey('guard 1')]
  const signers = (keys: readonly Key[]): string[] => keys.map(key => key.signer)
  let chain: TestChain
  let desk: FirmwareDesk
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    desk = openDesk(chain, { releaseKeys, threshold: 2, guards })
    await desk.registerManufacturer()
    await desk.registerModel()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const head = async (): Promise<bigint[]> => [...(await chain.contracts.firmware.headOf(desk.model))]
  const statusOf = async (sequence: number): Promise<bigint> =>
    (await chain.contracts.firmware.releaseOf(desk.model, sequence)).status
  const refuse = async (call: Promise<unknown>, error: string, ...args: unknown[]): Promise<void> => {
    const assertion = expect(call).to.be.revertedWithCustomError(chain.contracts.firmware, error)
    await (args.length === 0 ? assertion : assertion.withArgs(...args))
  }

  describe('registerManufacturer', () => {
    it('keeps the key set under an id made of it', async () => {
      const [keys, threshold, guardians] = await chain.contracts.firmware.manufacturerOf(desk.manufacturer)
      expect([[...keys], threshold, [...guardians]]).to.deep.equal([signers(releaseKeys), 2n, signers(guards)])
    })

    it('tells everybody the key set', async () => {
      const { firmware } = chain.contracts
      await chain.reset()
      await expect(desk.registerManufacturer())
        .to.emit(firmware, 'ManufacturerRegistered')
        .withArgs(desk.manufacturer, signers(releaseKeys), 2, signers(guards))
      await expect(desk.registerModel())
        .to.emit(firmware, 'ModelRegistered')
        .withArgs(desk.manufacturer, desk.model, MODEL_CLASS)
    })

    it('refuses the same key set and salt again', async () => {
      await refuse(desk.registerManufacturer(), 'ManufacturerAlreadyRegistered', desk.manufacturer)
    })

    it('refuses sets that are empty, too large, hold one signer twice or none that can sign', async () => {
      const { firmware } = chain.contracts
      const many = Array.from({ length: 17 }, (_, index) => accountKey(String(index)).signer)
      const [keys, watch] = [signers(releaseKeys), signers(guards)]
      const twice = keys.slice(0, 1).concat(keys.slice(0, 2))
      await refuse(firmware.registerManufacturer([], 1, watch, ZeroHash), 'SignerSetSizeInvalid', 0)
      await refuse(firmware.registerManufacturer(keys, 1, [], ZeroHash), 'SignerSetSizeInvalid', 0)
      await refuse(firmware.registerManufacturer(many, 1, watch, ZeroHash), 'SignerSetSizeInvalid', 17)
      await refuse(firmware.registerManufacturer(keys, 1, many, ZeroHash), 'SignerSetSizeInvalid', 17)
      await refuse(firmware.registerManufacturer(twice, 1, watch, ZeroHash), 'SignerSetDuplicate', keys[0])
      await refuse(firmware.registerManufacturer([ZeroAddress], 1, watch, ZeroHash), 'SignerMalformed', ZeroAddress)
      await firmware.registerManufacturer(many.slice(0, 16), 16, watch, ZeroHash)
    })

    it('refuses a threshold of zero and one that the set cannot reach', async () => {
      const { firmware } = chain.contracts
      const [keys, watch] = [signers(releaseKeys), signers(guards)]
      await refuse(firmware.registerManufacturer(keys, 0, watch, ZeroHash), 'ThresholdInvalid', 0)
      await refuse(firmware.registerManufacturer(keys, 4, watch, ZeroHash), 'ThresholdInvalid', 4)
    })
  })

  describe('registerModel', () => {
    it('refuses a model twice, an unknown manufacturer and a late request', async () => {
      const { firmware } = chain.contracts
      await refuse(desk.registerModel(), 'ModelAlreadyRegistered', desk.model)
      const deadline = await chain.deadline()
      await refuse(firmware.registerModel(id('nobody'), MODEL_CLASS, deadline, []), 'ManufacturerUnknown', id('nobody'))
      await refuse(firmware.registerModel(desk.manufacturer, MODEL_CLASS, 1, []), 'RequestExpired', 1)
      expect(await firmware.makerOf(desk.model)).to.equal(desk.manufacturer)
    })
  })

  describe('publish', () => {
    it('keeps the release, makes it active and raises the floor', async () => {
      const { firmware } = chain.contracts
      const terms = await desk.terms(1, { securityCounter: 5 })
      await expect(desk.publish(terms))
        .to.emit(firmware, 'ReleasePublished')
        .withArgs(desk.model, 1, terms.imageSha256, 5, 2 ** 33, keccak256(MANIFEST), MANIFEST)
      expect(await head()).to.deep.equal([1n, 1n, 0n, 5n])
      expect([...(await firmware.releaseOf(desk.model, 1))]).to.deep.equal([
        terms.imageSha256,
        keccak256(MANIFEST),
        5n,
        2n ** 33n,
        0n,
        LIVE
      ])
      expect(await firmware.releaseByImage(desk.model, terms.imageSha256)).to.equal(1n)
      expect(await firmware.releaseByImage(desk.model, id('another image'))).to.equal(0n)
    })

    it('takes the signatures of any two of three, or of all', async () => {
      await desk.publish(await desk.terms(1), [0, 1])
      await desk.publish(await desk.terms(2), [0, 2])
      await desk.publish(await desk.terms(3), [1, 2])
      await desk.publish(await desk.terms(4), [0, 1, 2])
      expect((await head())[0]).to.equal(4n)
    })

    it('refuses fewer than the threshold, one signer twice, any disorder and strangers', async () => {
      const terms = await desk.terms(1)
      await refuse(desk.publish(terms, []), 'ApprovalsTooFew', 0, 2)
      await refuse(desk.publish(terms, [2]), 'ApprovalsTooFew', 1, 2)
      await refuse(desk.publish(terms, [1, 1]), 'ApprovalOutOfOrder', 1)
      await refuse(desk.publish(terms, [1, 0]), 'ApprovalOutOfOrder', 0)
      await refuse(desk.publish(terms, [0, 3]), 'ApprovalSignerUnknown', 3)
      const keys = [releaseKeys[0]!, accountKey('stranger')]
      const approvals = await approve(keys, [0, 1], chain.domainOf('FirmwareRegistry'), releaseTypes, { ...terms })
      await refuse(chain.contracts.firmware.publish(terms, MANIFEST, approvals), 'ApprovalSignatureInvalid', 1)
    })

    it('refuses any change to what was signed', async () => {
      const signed = await desk.terms(1)
      const { firmware } = chain.contracts
      const domain = chain.domainOf('FirmwareRegistry')
      const approvals = await approve(releaseKeys, [0, 1], domain, releaseTypes, { ...signed })
      for (const change of [
        { securityCounter: 2 },
        { sizeBytes: 1 },
        { imageSha256: id('x') },
        { deadline: (await chain.deadline()) + 7 }
      ]) {
        await refuse(firmware.publish({ ...signed, ...change }, MANIFEST, approvals), 'ApprovalSignatureInvalid', 0)
      }
    })

    it('refuses a release out of sequence', async () => {
      await refuse(desk.publish(await desk.terms(0)), 'ReleaseOutOfSequence', 1, 0)
      await refuse(desk.publish(await desk.terms(2)), 'ReleaseOutOfSequence', 1, 2)
      await desk.publish(await desk.terms(1))
      await refuse(desk.publish(await desk.terms(1)), 'ReleaseOutOfSequence', 2, 1)
    })

    it('keeps the security counter from falling and from leaping', async () => {
      await desk.publish(await desk.terms(1, { securityCounter: 16 }))
      await refuse(desk.publish(await desk.terms(2, { securityCounter: 15 })), 'ReleaseCounterOutOfRange', 16, 15)
      await refuse(desk.publish(await desk.terms(2, { securityCounter: 33 })), 'ReleaseCounterOutOfRange', 16, 33)
      await desk.publish(await desk.terms(2, { securityCounter: 32 }))
      await desk.publish(await desk.terms(3, { securityCounter: 32 }))
    })

    it('refuses an image of no bytes or no digest, and a manifest that is too large or another', async () => {
      await refuse(desk.publish(await desk.terms(1, { sizeBytes: 0 })), 'ReleaseImageMissing')
      await refuse(desk.publish(await desk.terms(1, { imageSha256: ZeroHash })), 'ReleaseImageMissing')
      const large = `0x${'00'.repeat(2049)}`
      const ofLarge = await desk.terms(1, { manifestDigest: keccak256(large) })
      await refuse(desk.publish(ofLarge, [0, 1], large), 'ManifestTooLarge', 2049)
      await refuse(desk.publish(await desk.terms(1), [0, 1], '0xa0'), 'ManifestMismatch', keccak256('0xa0'))
      const longest = `0x${'00'.repeat(2048)}`
      await desk.publish(await desk.terms(1, { manifestDigest: keccak256(longest) }), [0, 1], longest)
    })

    it('refuses an unknown model and a late request', async () => {
      await refuse(desk.publish(await desk.terms(1, { model: id('none') })), 'ModelUnknown', id('none'))
      await refuse(desk.publish(await desk.terms(1, { deadline: 1 })), 'RequestExpired', 1)
      await refuse(chain.contracts.firmware.headOf(id('none')), 'ModelUnknown', id('none'))
    })

    it('takes an old image again under a new number, unless it was withdrawn', async () => {
      const imageSha256 = id('image 1')
      await desk.publish(await desk.terms(1))
      await desk.publish(await desk.terms(2, { imageSha256 }))
      expect(await chain.contracts.firmware.releaseByImage(desk.model, imageSha256)).to.equal(2n)
      await desk.yank(2)
      await refuse(desk.publish(await desk.terms(3, { imageSha256 })), 'ReleaseImageYanked', 2)
    })

    it('takes an image at most eight times', async () => {
      const imageSha256 = id('image 1')
      for (let sequence = 1; sequence <= 8; sequence++) await desk.publish(await desk.terms(sequence, { imageSha256 }))
      await refuse(desk.publish(await desk.terms(9, { imageSha256 })), 'ReleaseImageTooOften', 8)
      await desk.publish(await desk.terms(9))
      expect(await chain.contracts.firmware.releaseByImage(desk.model, imageSha256)).to.equal(8n)
      await desk.yank(3)
      for (let sequence = 1; sequence <= 8; sequence++) expect(await statusOf(sequence)).to.equal(YANKED)
      expect((await head())[1]).to.equal(9n)
    })
  })

  describe('hold, unhold, yank', () => {
    beforeEach(async () => {
      for (const sequence of [1, 2, 3]) await desk.publish(await desk.terms(sequence))
    })

    it('fall back to the newest live release and come forward again', async () => {
      const { firmware } = chain.contracts
      await expect(desk.hold(3, 1)).to.emit(firmware, 'ReleaseHeld').withArgs(desk.model, 3, REASON)
      expect([await statusOf(3), (await head())[1]]).to.deep.equal([HELD, 2n])
      await desk.hold(1)
      await expect(desk.yank(2)).to.emit(firmware, 'ReleaseYanked').withArgs(desk.model, 2, REASON)
      expect((await head())[1]).to.equal(0n)
      await desk.unhold(1)
      expect((await head())[1]).to.equal(1n)
      await expect(desk.unhold(3)).to.emit(firmware, 'ReleaseUnheld').withArgs(desk.model, 3, REASON)
      expect([await statusOf(3), (await head())[1]]).to.deep.equal([LIVE, 3n])
    })

    it('leave the active release alone when an older one is stopped and let go', async () => {
      await desk.hold(1)
      expect((await head())[1]).to.equal(3n)
      await desk.unhold(1)
      expect((await head())[1]).to.equal(3n)
    })

    it('yank for ever', async () => {
      await desk.hold(3)
      await desk.yank(3)
      await refuse(desk.yank(3), 'ReleaseStatusUnfit', YANKED)
      await refuse(desk.hold(3), 'ReleaseStatusUnfit', YANKED)
      await refuse(desk.unhold(3), 'ReleaseStatusUnfit', YANKED)
      expect(await statusOf(3)).to.equal(YANKED)
    })

    it('yank every number of the image, whichever is named', async () => {
      const { firmware } = chain.contracts
      const imageSha256 = id('image 1')
      await desk.publish(await desk.terms(4, { imageSha256 }))
      await desk.hold(4)
      await desk.publish(await desk.terms(5, { imageSha256 }))
      const yanked = desk.yank(1)
      for (const sequence of [5, 4, 1]) {
        await expect(yanked).to.emit(firmware, 'ReleaseYanked').withArgs(desk.model, sequence, REASON)
        expect(await statusOf(sequence)).to.equal(YANKED)
      }
      expect((await head())[1]).to.equal(3n)
      await refuse(desk.publish(await desk.terms(6, { imageSha256 })), 'ReleaseImageYanked', 5)
      await refuse(desk.unhold(4), 'ReleaseStatusUnfit', YANKED)
      await refuse(desk.yank(5), 'ReleaseStatusUnfit', YANKED)
    })

    it('hold only what is live and let go only what is held', async () => {
      await refuse(desk.unhold(3), 'ReleaseStatusUnfit', LIVE)
      await desk.hold(3)
      await refuse(desk.hold(3), 'ReleaseStatusUnfit', HELD)
    })

    it('take each signature to hold or let go once', async () => {
      const { firmware } = chain.contracts
      const { model } = desk
      const domain = chain.domainOf('FirmwareRegistry')
      const deadline = await chain.deadline()
      const request = { model, sequence: 3, reason: REASON, deadline }
      const [hold] = await approve(guards, [0], domain, holdTypes, { ...request, revision: 0 })
      const unhold = await approve(releaseKeys, [0, 1], domain, unholdTypes, { ...request, revision: 1 })
      await firmware.hold(model, 3, REASON, deadline, hold!)
      await firmware.unhold(model, 3, REASON, deadline, unhold)
      await refuse(firmware.hold(model, 3, REASON, deadline, hold!), 'ApprovalSignatureInvalid', 0)
      await desk.hold(3)
      await refuse(firmware.unhold(model, 3, REASON, deadline, unhold), 'ApprovalSignatureInvalid', 0)
    })

    it('stop by guards alone and go on by release signers alone', async () => {
      const { firmware } = chain.contracts
      const deadline = await chain.deadline()
      const domain = chain.domainOf('FirmwareRegistry')
      const request = { model: desk.model, sequence: 3, reason: REASON, revision: 0, deadline }
      const [byReleaseKey] = await approve(releaseKeys, [0], domain, holdTypes, request)
      await refuse(firmware.hold(desk.model, 3, REASON, deadline, byReleaseKey!), 'ApprovalSignatureInvalid', 0)
      await refuse(desk.hold(3, 2), 'ApprovalSignerUnknown', 2)
      await desk.hold(3)
      const byGuards = await approve(guards, [0, 1], domain, unholdTypes, { ...request, revision: 1 })
      await refuse(firmware.unhold(desk.model, 3, REASON, deadline, byGuards), 'ApprovalSignatureInvalid', 0)
    })

    it('know no release that was not published, and no late request', async () => {
      const { firmware } = chain.contracts
      const approval = { index: 0, signature: '0x' }
      await refuse(desk.yank(4), 'ReleaseUnknown', desk.model, 4)
      await refuse(firmware.releaseOf(desk.model, 0), 'ReleaseUnknown', desk.model, 0)
      await refuse(firmware.hold(desk.model, 3, REASON, 1, approval), 'RequestExpired', 1)
      await refuse(firmware.yank(desk.model, 3, REASON, 1, approval), 'RequestExpired', 1)
      await refuse(firmware.unhold(desk.model, 3, REASON, 1, []), 'RequestExpired', 1)
      await refuse(firmware.raiseMinimum(desk.model, 3, 1, []), 'RequestExpired', 1)
    })
  })

  describe('raiseMinimum', () => {
    beforeEach(async () => {
      for (const sequence of [1, 2, 3]) await desk.publish(await desk.terms(sequence))
    })

    it('only rises, and never above the active release', async () => {
      await desk.raiseMinimum(2)
      await refuse(desk.raiseMinimum(2), 'MinimumOutOfRange', 2, 3, 2)
      await refuse(desk.raiseMinimum(1), 'MinimumOutOfRange', 2, 3, 1)
      await refuse(desk.raiseMinimum(4), 'MinimumOutOfRange', 2, 3, 4)
      expect((await head())[2]).to.equal(2n)
    })

    it('keeps older releases from becoming active again', async () => {
      await desk.hold(1)
      await desk.raiseMinimum(2)
      await desk.yank(3)
      await desk.yank(2)
      await desk.unhold(1)
      expect((await head())[1]).to.equal(0n)
    })
  })
})

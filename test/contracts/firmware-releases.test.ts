import { expect } from 'chai'
import { ZeroHash, id, keccak256, type Result } from 'ethers'
import { releaseTypes } from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  ACTIVE,
  HELD,
  HIGH,
  LOW,
  MANIFEST,
  MEDIUM,
  MODEL_CLASS,
  PUBLISHED,
  STAGED,
  SUPERSEDED,
  TEST,
  YANKED,
  accounts,
  contentsOf,
  keysetsOf,
  makerOf,
  openDesk,
  structOf,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'

const HOURS = 3600

describe('FirmwareRegistry: models and releases', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture((opened, its) => {
    ;[chain, desk] = [opened, its]
  })

  describe('registerModel', () => {
    it('keeps class and room, and says so', async () => {
      await expect(desk.registerModel(MEDIUM, 16))
        .to.emit(desk.firmware, 'ModelRegistered')
        .withArgs(desk.manufacturer, desk.model, MODEL_CLASS, MEDIUM, 16)
      const head = await desk.firmware.headOf(desk.model)
      expect((head as unknown as Result).toObject()).to.deep.equal({
        latest: 0n,
        active: 0n,
        staged: 0n,
        rolloutBps: 0n,
        minimum: 0n,
        securityFloor: 0n,
        keysetVersion: 0n,
        publishedAt: 0n,
        riskClass: BigInt(MEDIUM),
        slotMiB: 16n,
        isSunset: false
      })
      expect(await desk.firmware.makerOf(desk.model)).to.equal(desk.manufacturer)
    })

    it('refuses a model twice, an unknown class and an unknown manufacturer', async () => {
      await desk.registerModel()
      await refuse(desk.registerModel(), 'ModelAlreadyRegistered', desk.model)
      await refuse(desk.registerModel(4), 'RiskClassInvalid', 4)
      const none = { threshold: 1, ids: [], approvals: [] }
      const deadline = await chain.deadline()
      await refuse(
        desk.firmware.registerModel(ZeroHash, ZeroHash, 0, 1, deadline, none),
        'ManufacturerUnknown',
        ZeroHash
      )
      for (const call of [desk.firmware.headOf(ZeroHash), desk.firmware.makerOf(ZeroHash)]) {
        await refuse(call, 'ModelUnknown', ZeroHash)
      }
    })

    it('asks for as many keys as the class needs', async () => {
      await refuse(desk.registerModel(HIGH), 'SignersTooFewForRisk', 2, 3)
      const lone = openDesk(chain, makerOf({ release: { threshold: 1, keys: accounts('release', 1) } }))
      await lone.registerManufacturer()
      for (const riskClass of [LOW, MEDIUM]) {
        await refuse(lone.registerModel(riskClass), 'SignersTooFewForRisk', 1, 2)
      }
      await lone.registerModel(TEST)
      const rootless = openDesk(chain, makerOf({ root: { threshold: 1, keys: accounts('root', 1) } }))
      await rootless.registerManufacturer()
      await refuse(rootless.registerModel(LOW), 'SignersTooFewForRisk', 1, 2)
      await rootless.registerModel(TEST)
    })
  })

  describe('publish', () => {
    beforeEach(async () => {
      await desk.registerModel()
    })

    it('keeps the release, raises the floor and makes it active for nobody', async () => {
      const { firmware, model } = desk
      const terms = await desk.terms(1, { securityCounter: 5, kind: 1 })
      const sent = await desk.publish(terms)
      const now = await chain.now()
      await expect(sent)
        .to.emit(firmware, 'ReleasePublished')
        .withArgs(model, 1, terms.imageSha256, 5, 1, 2 ** 33, now, 1, MANIFEST)
      const head = await firmware.headOf(model)
      expect([head.latest, head.active, head.securityFloor, head.keysetVersion]).to.deep.equal([1n, 0n, 5n, 1n])
      expect(Number(head.publishedAt)).to.equal(now)
      expect(((await firmware.releaseOf(model, 1)) as unknown as Result).toObject()).to.deep.equal({
        contents: contentsOf(keccak256(MANIFEST), String(terms.imageSha256)),
        status: PUBLISHED,
        securityCounter: 5n,
        kind: 1n,
        notBefore: BigInt(now),
        heldUntil: 0n,
        revision: 0n,
        round: 0n,
        keysetVersion: 1n
      })
    })

    it('refuses any change to what was signed', async () => {
      const signed = await desk.terms(1)
      const by = await desk.sign('release', releaseTypes, { ...signed })
      for (const change of [
        { securityCounter: 2 },
        { kind: 1 },
        { sizeBytes: 1 },
        { imageSha256: id('x') },
        { notBefore: 1 },
        { deadline: (await chain.deadline()) + 7 }
      ]) {
        await refuse(desk.firmware.publish({ ...signed, ...change }, MANIFEST, by), 'ApprovalSignatureInvalid', 0)
      }
      await desk.firmware.publish(signed, MANIFEST, by)
    })

    it('refuses a release out of sequence', async () => {
      await refuse(desk.publish(await desk.terms(0)), 'ReleaseOutOfSequence', 1, 0)
      await refuse(desk.publish(await desk.terms(2)), 'ReleaseOutOfSequence', 1, 2)
      const sent = await desk.publish(await desk.terms(1))
      await refuse(chain.replay(sent), 'ReleaseOutOfSequence', 2, 1)
    })

    it('keeps the security counter from falling and from leaping', async () => {
      await desk.publish(await desk.terms(1, { securityCounter: 16 }))
      await refuse(desk.publish(await desk.terms(2, { securityCounter: 15 })), 'ReleaseCounterOutOfRange', 16, 15)
      await refuse(desk.publish(await desk.terms(2, { securityCounter: 33 })), 'ReleaseCounterOutOfRange', 16, 33)
      await desk.publish(await desk.terms(2, { securityCounter: 32 }))
      await desk.publish(await desk.terms(3, { securityCounter: 32 }))
    })

    it('refuses an image of no bytes, no digest or too many bytes, and a kind that is none', async () => {
      await refuse(desk.publish(await desk.terms(1, { sizeBytes: 0 })), 'ReleaseImageMissing')
      await refuse(desk.publish(await desk.terms(1, { imageSha256: ZeroHash })), 'ReleaseImageMissing')
      const most = 2 ** 34
      await refuse(desk.publish(await desk.terms(1, { sizeBytes: most + 1 })), 'ReleaseTooLarge', most + 1)
      await refuse(desk.publish(await desk.terms(1, { kind: 2 })), 'ReleaseKindInvalid', 2)
      await desk.publish(await desk.terms(1, { sizeBytes: most }))
    })

    it('refuses a manifest that is too large or another', async () => {
      const large = `0x${'00'.repeat(2049)}`
      const ofLarge = await desk.terms(1, { manifestDigest: keccak256(large) })
      await refuse(desk.publish(ofLarge, undefined, large), 'ManifestTooLarge', 2049)
      await refuse(desk.publish(await desk.terms(1), undefined, '0xa0'), 'ManifestMismatch', keccak256('0xa0'))
      const longest = `0x${'00'.repeat(2048)}`
      await desk.publish(await desk.terms(1, { manifestDigest: keccak256(longest) }), undefined, longest)
    })

    it('refuses an unknown model, another version of keys and a late or too early request', async () => {
      await refuse(desk.publish(await desk.terms(1, { model: ZeroHash })), 'ModelUnknown', ZeroHash)
      await refuse(desk.publish(await desk.terms(1, { keysetVersion: 2 })), 'ReleaseKeysetOutdated', 1, 2)
      await refuse(desk.publish(await desk.terms(1, { deadline: 1 })), 'RequestExpired', 1)
      const far = (await chain.now()) + 31 * 24 * HOURS
      await refuse(desk.publish(await desk.terms(1, { deadline: far })), 'RequestDeadlineTooFar', far)
      await refuse(desk.firmware.releaseOf(desk.model, 1), 'ReleaseUnknown', desk.model, 1)
    })

    it('takes an old image again under a new number', async () => {
      const imageSha256 = id('image 1')
      await desk.release(1)
      await desk.release(2)
      await desk.release(3, { imageSha256 })
      expect((await desk.firmware.headOf(desk.model)).active).to.equal(3n)
      expect(await desk.firmware.yankedAs(desk.model, imageSha256)).to.equal(0n)
    })
  })

  describe('activate', () => {
    const delays: [string, number, number, number][] = [
      ['low', LOW, 24 * HOURS, HOURS],
      ['medium', MEDIUM, 24 * HOURS, HOURS],
      ['high', HIGH, 48 * HOURS, 2 * HOURS]
    ]
    const firstStage = [0, 2500, 1000, 500]
    for (const [name, riskClass, feature, security] of delays) {
      for (const [kind, delay] of [feature, security].entries()) {
        it(`waits its time for a ${name} risk and kind ${String(kind)}, and begins with a few devices`, async () => {
          const strong = openDesk(chain, makerOf({ release: { threshold: 3, keys: accounts('release', 3) } }))
          await strong.registerManufacturer()
          await strong.registerModel(riskClass)
          await strong.publish(await strong.terms(1, { kind }))
          const { notBefore } = await strong.firmware.releaseOf(strong.model, 1)
          expect(Number(notBefore)).to.equal((await chain.now()) + delay)
          await chain.moveTo(Number(notBefore) - 2)
          await refuse(strong.activate(1), 'ReleaseNotDue', notBefore)
          await chain.moveTo(Number(notBefore))
          const bps = firstStage[riskClass]
          await expect(strong.activate(1)).to.emit(strong.firmware, 'RolloutChanged').withArgs(strong.model, 1, bps)
          const head = await strong.firmware.headOf(strong.model)
          expect([head.active, head.staged, head.rolloutBps]).to.deep.equal([0n, 1n, BigInt(bps!)])
          expect(await strong.statusOf(1)).to.equal(STAGED)
        })
      }
    }

    it('reaches all devices of a test model at once', async () => {
      await desk.registerModel()
      await desk.publish(await desk.terms(1))
      await expect(desk.activate(1)).to.emit(desk.firmware, 'ActiveChanged').withArgs(desk.model, 1)
      expect(await desk.statusOf(1)).to.equal(ACTIVE)
      await desk.release(2)
      expect([await desk.statusOf(1), await desk.statusOf(2)]).to.deep.equal([SUPERSEDED, ACTIVE])
    })

    it('waits for the time that the maker chose', async () => {
      await desk.registerModel()
      const notBefore = (await chain.now()) + 5000
      await desk.publish(await desk.terms(1, { notBefore }))
      await refuse(desk.activate(1), 'ReleaseNotDue', notBefore)
      await wait(5001)
      await desk.activate(1)
    })

    it('happens once, and never to what is older than what runs', async () => {
      await desk.registerModel()
      await desk.publish(await desk.terms(1))
      await desk.release(2)
      await refuse(desk.activate(2), 'ReleaseStatusUnfit', ACTIVE)
      await refuse(desk.activate(1), 'ReleaseStatusUnfit', SUPERSEDED)
      await refuse(desk.activate(3), 'ReleaseUnknown', desk.model, 3)
      await refuse(desk.firmware.activate(ZeroHash, 1, ZeroHash, ZeroHash), 'ModelUnknown', ZeroHash)
    })

    it('never happens to what is held or yanked', async () => {
      await desk.registerModel()
      await desk.publish(await desk.terms(1))
      await desk.hold(1)
      await refuse(desk.activate(1), 'ReleaseStatusUnfit', HELD)
      await desk.yank([1])
      await refuse(desk.activate(1), 'ReleaseStatusUnfit', YANKED)
    })

    it('never happens to another number of an image that was yanked, nor with another image', async () => {
      await desk.registerModel()
      const imageSha256 = id('image 1')
      await desk.publish(await desk.terms(1))
      await desk.publish(await desk.terms(2, { imageSha256 }))
      const other = contentsOf(keccak256(MANIFEST), id('other'))
      await refuse(desk.activate(2, id('other')), 'ManifestMismatch', other)
      await desk.yank([1])
      await refuse(desk.activate(2, imageSha256), 'ReleaseImageYanked', 1)
      await refuse(desk.publish(await desk.terms(3, { imageSha256 })), 'ReleaseImageYanked', 1)
    })

    it('never happens while keys are replaced, nor to what the replaced keys signed', async () => {
      await desk.registerModel()
      await desk.publish(await desk.terms(1))
      const next = makerOf({ release: { threshold: 2, keys: accounts('next', 2) } })
      await desk.propose(next)
      const { frozenUntil } = await desk.firmware.manufacturerOf(desk.manufacturer)
      await refuse(desk.activate(1), 'ReleaseKeysFrozen', frozenUntil)
      await refuse(desk.publish(await desk.terms(2)), 'ReleaseKeysFrozen', frozenUntil)
      await wait(49 * HOURS)
      await desk.firmware.completeRotation(desk.manufacturer, structOf(keysetsOf(next)))
      await refuse(desk.activate(1), 'ReleaseKeysetOutdated', 2, 1)
      await refuse(desk.publish(await desk.terms(2)), 'ReleaseKeysetOutdated', 2, 1)
      await refuse(desk.publish(await desk.terms(2, { keysetVersion: 2 })), 'KeysetNotInForce')
    })
  })
})

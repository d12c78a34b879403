import { expect } from 'chai'
import { ZeroHash, id, keccak256 } from 'ethers'
import { holdTypes, unholdTypes, yankTypes } from '#core/abi/typed-data/firmware.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import {
  ACTIVE,
  FIRM,
  HELD,
  MANIFEST,
  MEDIUM,
  PUBLISHED,
  REASON,
  STAGED,
  SUPERSEDED,
  YANKED,
  accounts,
  keysetsOf,
  makerOf,
  openDesk,
  quorum,
  structOf,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { payingKey } from '#test/contracts/keys.ts'

const DAYS = 86_400

describe('FirmwareRegistry: brakes', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    desk = openDesk(chain)
    await desk.registerManufacturer()
    await desk.registerModel()
    for (const sequence of [1, 2, 3]) await desk.release(sequence)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const refuse = async (call: Promise<unknown>, error: string, ...args: unknown[]): Promise<void> => {
    const assertion = expect(call).to.be.revertedWithCustomError(desk.firmware, error)
    await (args.length === 0 ? assertion : assertion.withArgs(...args))
  }
  const wait = async (seconds: number): Promise<void> => chain.moveTo((await chain.now()) + seconds)
  const active = async (): Promise<bigint> => (await desk.firmware.headOf(desk.model)).active
  const number = (sequence: number): { sequence: number; manifestDigest: string } => ({
    sequence,
    manifestDigest: keccak256(MANIFEST)
  })

  describe('a hold', () => {
    it('of the active release makes the newest one that goes on active, and back', async () => {
      const sent = await desk.hold(3)
      const until = (await chain.now()) + 14 * DAYS
      await expect(sent).to.emit(desk.firmware, 'ReleaseHeld').withArgs(desk.model, 3, REASON, until)
      expect([await desk.statusOf(3), await active()]).to.deep.equal([HELD, 2n])
      await desk.hold(2)
      await desk.hold(1)
      expect(await active()).to.equal(0n)
      await desk.unhold(1)
      expect(await active()).to.equal(1n)
      await desk.unhold(3)
      expect([await desk.statusOf(3), await active()]).to.deep.equal([ACTIVE, 3n])
    })

    it('by a guard lapses after 14 days and not before', async () => {
      await desk.hold(3)
      const { heldUntil } = await desk.firmware.releaseOf(desk.model, 3)
      await chain.moveTo(Number(heldUntil) - 1)
      expect(await desk.statusOf(3)).to.equal(HELD)
      await chain.moveTo(Number(heldUntil))
      expect(await desk.statusOf(3)).to.equal(ACTIVE)
    })

    it('that was confirmed does not lapse', async () => {
      await desk.hold(3)
      await expect(desk.confirmHold(3)).to.emit(desk.firmware, 'ReleaseHeld').withArgs(desk.model, 3, 0, FIRM)
      await wait(4000 * DAYS)
      expect(await desk.statusOf(3)).to.equal(HELD)
    })

    it('is confirmed by release keys alone while the maker is there', async () => {
      await desk.hold(3)
      for (const role of ['guard', 'root', 'steward'] as const) {
        await refuse(desk.confirmHold(3, role), 'StewardsNotNeeded')
      }
    })

    it('is for what is going on, and unhold for what is held', async () => {
      await refuse(desk.unhold(3), 'ReleaseStatusUnfit', ACTIVE)
      await refuse(desk.confirmHold(1), 'ReleaseStatusUnfit', SUPERSEDED)
      await desk.hold(3)
      await refuse(desk.hold(3), 'ReleaseStatusUnfit', HELD)
      await refuse(desk.hold(4), 'ReleaseUnknown', desk.model, 4)
    })

    it('takes each signature once', async () => {
      const held = await desk.hold(3)
      const unheld = await desk.unhold(3)
      await refuse(chain.replay(held), 'ApprovalSignatureInvalid', 0)
      await desk.hold(3)
      await refuse(chain.replay(unheld), 'ApprovalSignatureInvalid', 0)
    })

    it('is by guards alone, and unhold by release keys alone', async () => {
      for (const role of ['release', 'root', 'steward'] as const) {
        await refuse(desk.hold(3, role), 'StewardsNotNeeded')
      }
      await desk.hold(3)
      const value = { model: desk.model, sequence: 3, reason: REASON, revision: 1, deadline: await chain.deadline() }
      for (const role of ['guard', 'root', 'steward'] as const) {
        const by = await desk.sign(role, unholdTypes, value)
        await refuse(desk.firmware.unhold(desk.model, 3, REASON, value.deadline, by), 'KeysetNotInForce')
      }
    })

    it('is signed by any guard', async () => {
      const value = { model: desk.model, sequence: 3, reason: REASON, revision: 0, deadline: await chain.deadline() }
      const by = await desk.sign('guard', holdTypes, value)
      const signature = await desk.maker.guard.keys[1]!.sign(desk.domain, holdTypes, value)
      const bySecond = { ...by, approvals: [{ index: 1, signer: '0x', signature }] }
      await desk.firmware.hold(desk.model, 3, REASON, value.deadline, bySecond)
      expect(await desk.statusOf(3)).to.equal(HELD)
    })
  })

  describe('the guard on duty', () => {
    it('holds with a transaction of its own, and nobody else does', async () => {
      const duty = await payingKey(chain, 'duty')
      const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: [duty.key, ...accounts('guard', 1)] } }))
      await own.registerManufacturer()
      await own.registerModel()
      await own.release(1)
      const stranger = await payingKey(chain, 'guard 0')
      const { firmware, model } = own
      await refuse(firmware.connect(stranger.signer).holdOnDuty(model, 1, 3), 'GuardNotOnDuty', stranger.key.id)
      const asDuty = firmware.connect(duty.signer)
      const sent = await asDuty.holdOnDuty(model, 1, 3)
      await expect(sent)
        .to.emit(firmware, 'ReleaseHeld')
        .withArgs(model, 1, 3, (await chain.now()) + 14 * DAYS)
      await refuse(asDuty.holdOnDuty(model, 1, 3), 'ReleaseStatusUnfit', HELD)
      await refuse(asDuty.holdOnDuty(model, 2, 3), 'ReleaseUnknown', model, 2)
      await own.yank([1])
      await refuse(asDuty.holdOnDuty(model, 1, 3), 'ReleaseStatusUnfit', YANKED)
    })

    it('is another one after keys were replaced and the release was let go on', async () => {
      const [old, fresh] = [await payingKey(chain, 'old'), await payingKey(chain, 'fresh')]
      const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: [old.key] } }))
      await own.registerManufacturer()
      await own.registerModel()
      await own.release(1)
      const { firmware, model } = own
      const next = makerOf({ guard: { threshold: 1, keys: [fresh.key] } })
      await own.propose(next)
      await wait(3 * DAYS)
      await firmware.completeRotation(own.manufacturer, structOf(keysetsOf(next)))
      await firmware.connect(old.signer).holdOnDuty(model, 1, 0)
      await own.unhold(1)
      await refuse(firmware.connect(old.signer).holdOnDuty(model, 1, 0), 'GuardNotOnDuty', old.key.id)
      await firmware.connect(fresh.signer).holdOnDuty(model, 1, 0)
    })
  })

  describe('unhold', () => {
    it('of a release for all begins again with the first stage, after the delay', async () => {
      const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: accounts('other guard', 1) } }))
      await own.registerManufacturer()
      await own.registerModel(MEDIUM)
      await own.publish(await own.terms(1))
      await own.publish(await own.terms(2, { kind: 1 }))
      await wait(2 * DAYS)
      for (const sequence of [1, 2]) {
        await own.activate(sequence)
        await own.raiseRollout(sequence, 10_000)
      }
      await own.hold(2)
      await own.unhold(2)
      const until = (await chain.now()) + 3600
      let head = await own.firmware.headOf(own.model)
      expect([head.active, head.staged]).to.deep.equal([1n, 0n])
      await chain.moveTo(until - 1)
      expect(await own.statusOf(2)).to.equal(HELD)
      await chain.moveTo(until)
      head = await own.firmware.headOf(own.model)
      expect([head.active, head.staged, head.rolloutBps]).to.deep.equal([1n, 2n, 1000n])
      expect(await own.statusOf(2)).to.equal(STAGED)
    })

    it('can be answered by a new hold before the delay is over', async () => {
      const duty = await payingKey(chain, 'duty')
      const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: [duty.key] } }))
      await own.registerManufacturer()
      await own.registerModel(MEDIUM)
      await own.publish(await own.terms(1))
      await wait(2 * DAYS)
      await own.activate(1)
      for (const stop of [
        () => own.hold(1),
        () => own.firmware.connect(duty.signer).holdOnDuty(own.model, 1, REASON)
      ]) {
        if ((await own.statusOf(1)) !== HELD) await own.hold(1)
        await own.unhold(1)
        await wait(3600)
        await stop()
        const heldUntil = (await chain.now()) + 14 * DAYS
        expect((await own.firmware.releaseOf(own.model, 1)).heldUntil).to.equal(heldUntil)
        await refuse(own.hold(1), 'ReleaseStatusUnfit', HELD)
      }
      await own.unhold(1)
      await refuse(own.firmware.tripBreaker(own.model, 1, []), 'ReleaseStatusUnfit', HELD)
    })

    it('leaves a newer staged release in its place', async () => {
      const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: accounts('other guard', 1) } }))
      await own.registerManufacturer()
      await own.registerModel(MEDIUM)
      for (const sequence of [1, 2]) await own.publish(await own.terms(sequence))
      await wait(2 * DAYS)
      await own.activate(1)
      await own.raiseRollout(1, 10_000)
      await own.activate(2)
      await own.hold(1)
      await own.unhold(1)
      const head = await own.firmware.headOf(own.model)
      expect([head.active, head.staged]).to.deep.equal([0n, 2n])
      await wait(2 * DAYS)
      expect(await own.statusOf(1)).to.equal(SUPERSEDED)
    })

    it('leaves a published one published', async () => {
      await desk.publish(await desk.terms(4))
      await desk.hold(4)
      await desk.unhold(4)
      expect(await desk.statusOf(4)).to.equal(PUBLISHED)
      await desk.activate(4)
    })

    it('waits while keys are replaced', async () => {
      await desk.hold(3)
      await desk.propose(makerOf())
      await refuse(desk.unhold(3), 'ReleaseKeysFrozen')
    })
  })

  describe('a yank', () => {
    it('is for ever', async () => {
      await expect(desk.yank([3]))
        .to.emit(desk.firmware, 'ImageYanked')
        .withArgs(desk.model, id('image 3'), REASON)
        .and.to.emit(desk.firmware, 'ReleaseYanked')
        .withArgs(desk.model, 3)
        .and.to.emit(desk.firmware, 'ActiveChanged')
        .withArgs(desk.model, 2)
      expect([await desk.statusOf(3), await active()]).to.deep.equal([YANKED, 2n])
      await refuse(desk.yank([3]), 'ReleaseImageYanked', 3)
      await refuse(desk.hold(3), 'ReleaseStatusUnfit', YANKED)
      await refuse(desk.unhold(3), 'ReleaseStatusUnfit', YANKED)
      await refuse(desk.confirmHold(3), 'ReleaseStatusUnfit', YANKED)
      expect(await desk.firmware.yankedAs(desk.model, id('image 3'))).to.equal(3n)
    })

    it('ends a hold that does not lapse too', async () => {
      await desk.hold(3)
      await desk.confirmHold(3)
      await desk.yank([3])
      expect(await desk.statusOf(3)).to.equal(YANKED)
    })

    it('takes every number of the image, now or later', async () => {
      const imageSha256 = id('image 1')
      for (const sequence of [4, 5]) await desk.release(sequence, { imageSha256 })
      await desk.yank([5, 1], imageSha256)
      expect(await active()).to.equal(4n)
      await expect(desk.firmware.spreadYank(desk.model, imageSha256, [number(4), number(5)]))
        .to.emit(desk.firmware, 'ReleaseYanked')
        .withArgs(desk.model, 4)
      for (const sequence of [1, 4, 5]) expect(await desk.statusOf(sequence)).to.equal(YANKED)
      expect(await active()).to.equal(3n)
    })

    it('takes the numbers that somebody left out who sent the same signature first', async () => {
      const imageSha256 = id('image 1')
      await desk.release(4, { imageSha256 })
      const deadline = await chain.deadline()
      const by = await desk.sign('guard', yankTypes, { model: desk.model, imageSha256, reason: REASON, deadline })
      const send = (...sequences: number[]) =>
        desk.firmware.yank(desk.model, imageSha256, REASON, deadline, by, sequences.map(number))
      await send(1)
      expect(await active()).to.equal(4n)
      await expect(send(1, 4)).to.not.emit(desk.firmware, 'ImageYanked')
      expect([await desk.statusOf(4), await active()]).to.deep.equal([YANKED, 3n])
      await refuse(send(1, 4), 'ReleaseImageYanked', 1)
    })

    it('takes no number of another image', async () => {
      await refuse(desk.yank([3, 2]), 'ManifestMismatch')
      await refuse(desk.yank([4]), 'ReleaseUnknown', desk.model, 4)
      await refuse(desk.yank([], id('image 3')), 'NumberMissing')
      await refuse(desk.firmware.spreadYank(desk.model, id('image 3'), [number(3)]), 'ImageNotYanked', id('image 3'))
      const none = { threshold: 1, ids: [], approvals: [] }
      const deadline = await chain.deadline()
      await refuse(desk.firmware.yank(ZeroHash, ZeroHash, 0, deadline, none, []), 'ModelUnknown', ZeroHash)
    })

    it('is by guards alone', async () => {
      for (const role of ['release', 'root', 'steward'] as const) {
        await refuse(desk.yank([3], undefined, role), 'StewardsNotNeeded')
      }
    })

    it('takes a staged release away from its devices', async () => {
      const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: accounts('other guard', 1) } }))
      await own.registerManufacturer()
      await own.registerModel(MEDIUM)
      await own.publish(await own.terms(1))
      await wait(2 * DAYS)
      await own.activate(1)
      await own.yank([1])
      const head = await own.firmware.headOf(own.model)
      expect([head.active, head.staged, head.rolloutBps]).to.deep.equal([0n, 0n, 0n])
    })

    it('does not fall back below the minimum', async () => {
      await desk.raiseMinimum(3)
      await desk.yank([3])
      expect(await active()).to.equal(0n)
    })
  })

  describe('cutRollout', () => {
    let own: FirmwareDesk
    beforeEach(async () => {
      own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: accounts('other guard', 1) } }))
      await own.registerManufacturer()
      await own.registerModel(MEDIUM)
      await own.publish(await own.terms(1))
      await wait(2 * DAYS)
      await own.activate(1)
    })

    it('makes the share smaller, down to nobody, and voids what was signed before', async () => {
      const raised = await own.raiseRollout(1, 5000)
      await expect(own.cutRollout(1, 10)).to.emit(own.firmware, 'RolloutChanged').withArgs(own.model, 1, 10)
      await refuse(chain.replay(raised), 'ApprovalSignatureInvalid', 0)
      const cut = await own.cutRollout(1, 0)
      expect((await own.firmware.headOf(own.model)).rolloutBps).to.equal(0n)
      await own.raiseRollout(1, 1000)
      await refuse(chain.replay(cut), 'ApprovalSignatureInvalid', 0)
    })

    it('never makes it larger, and is for what is staged', async () => {
      await refuse(own.cutRollout(1, 1000), 'RolloutNotLower', 1000, 1000)
      await own.raiseRollout(1, 10_000)
      await refuse(own.cutRollout(1, 10), 'ReleaseStatusUnfit', ACTIVE)
      await refuse(own.cutRollout(2, 10), 'ReleaseUnknown', own.model, 2)
    })

    it('is by guards alone', async () => {
      for (const role of ['release', 'root', 'steward'] as const) {
        await refuse(own.cutRollout(1, 10, role), 'StewardsNotNeeded')
      }
    })
  })

  describe('stewards', () => {
    it('stop for ever what a silent maker left, 400 days after its last sign of life', async () => {
      const { publishedAt } = await desk.firmware.headOf(desk.model)
      await chain.moveTo(Number(publishedAt) + 400 * DAYS - 3)
      await refuse(desk.hold(3, 'steward'), 'StewardsNotNeeded', Number(publishedAt) + 400 * DAYS)
      await wait(5)
      await desk.hold(3, 'steward')
      expect((await desk.firmware.releaseOf(desk.model, 3)).heldUntil).to.equal(FIRM)
      await desk.yank([2], undefined, 'steward')
      await desk.hold(1)
      await desk.confirmHold(1, 'steward')
    })

    it('wait again after a sign of life', async () => {
      await wait(399 * DAYS)
      await desk.heartbeat()
      await wait(2 * DAYS)
      await refuse(desk.hold(3, 'steward'), 'StewardsNotNeeded')
      await wait(400 * DAYS)
      await refuse(desk.hold(3, 'release'), 'KeysetNotInForce')
      await desk.hold(3, 'steward')
    })

    it('named at sunset stop at once, and the maker’s own no more', async () => {
      const last = { threshold: 1, keys: accounts('last', 1) }
      await desk.sunset(3, last)
      await refuse(desk.hold(3, 'steward'), 'KeysetNotInForce')
      const value = { model: desk.model, sequence: 3, reason: REASON, revision: 0, deadline: await chain.deadline() }
      const by = await quorum(last, desk.domain, holdTypes, value)
      await desk.firmware.hold(desk.model, 3, REASON, value.deadline, by)
      expect(await desk.statusOf(3)).to.equal(HELD)
    })

    it('do not exist where none were named', async () => {
      const own = openDesk(chain, makerOf({ steward: { threshold: 0, keys: [] } }))
      await own.registerManufacturer()
      await own.registerModel()
      await own.release(1)
      await wait(500 * DAYS)
      await refuse(own.hold(1, 'steward'), 'KeysetNotInForce')
    })
  })
})

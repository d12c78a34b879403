import { expect } from 'chai'
import { holdTypes, unholdTypes } from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  ACTIVE,
  FIRM,
  HELD,
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
  structOf,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { payingKey } from '#test/contracts/keys.ts'

const DAYS = 86_400

describe('FirmwareRegistry: holds', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel()
    for (const sequence of [1, 2, 3]) await desk.release(sequence)
  })
  const active = async (): Promise<bigint> => (await desk.firmware.headOf(desk.model)).active

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
})

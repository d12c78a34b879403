import { expect } from 'chai'
import { rolloutRaiseTypes } from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  ACTIVE,
  HELD,
  MEDIUM,
  STAGED,
  SUPERSEDED,
  YANKED,
  accounts,
  makerOf,
  openDesk,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { payingKey } from '#test/contracts/keys.ts'

const HOURS = 3600
const ALL = 10_000

describe('FirmwareRegistry: rollout and minimum', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture((opened, its) => {
    ;[chain, desk] = [opened, its]
  })

  describe('raiseRollout', () => {
    beforeEach(async () => {
      await desk.registerModel(MEDIUM)
      await desk.publish(await desk.terms(1))
      await wait(25 * HOURS)
      await desk.activate(1)
    })

    it('rises by steps to all devices', async () => {
      const { firmware, model } = desk
      await expect(desk.raiseRollout(1, 5000)).to.emit(firmware, 'RolloutChanged').withArgs(model, 1, 5000)
      expect((await firmware.headOf(model)).rolloutBps).to.equal(5000n)
      await expect(desk.raiseRollout(1, ALL)).to.emit(firmware, 'ActiveChanged').withArgs(model, 1)
      const head = await firmware.headOf(model)
      expect([head.active, head.staged, head.rolloutBps]).to.deep.equal([1n, 0n, 0n])
      await refuse(desk.raiseRollout(1, ALL), 'ReleaseStatusUnfit', ACTIVE)
    })

    it('never falls, stands still or passes all', async () => {
      for (const bps of [0, 999, 1000, ALL + 1]) await refuse(desk.raiseRollout(1, bps), 'RolloutOutOfRange', 1000, bps)
    })

    it('is not for guards, stewards or roots', async () => {
      const value = { model: desk.model, sequence: 1, bps: ALL, revision: 0, deadline: await chain.deadline() }
      for (const role of ['guard', 'steward', 'root'] as const) {
        const by = await desk.sign(role, rolloutRaiseTypes, value)
        await refuse(desk.firmware.raiseRollout(desk.model, 1, ALL, value.deadline, by), 'KeysetNotInForce')
      }
    })

    it('is not undone by a newer release that was not started', async () => {
      await desk.publish(await desk.terms(2))
      await desk.raiseRollout(1, 2000)
      await wait(25 * HOURS)
      await desk.activate(2)
      expect([await desk.statusOf(1), await desk.statusOf(2)]).to.deep.equal([SUPERSEDED, STAGED])
      await refuse(desk.raiseRollout(1, 3000), 'ReleaseStatusUnfit', SUPERSEDED)
    })

    it('stops while keys are replaced', async () => {
      await desk.propose(makerOf())
      await refuse(desk.raiseRollout(1, ALL), 'ReleaseKeysFrozen')
    })
  })

  describe('raiseMinimum', () => {
    beforeEach(async () => {
      await desk.registerModel()
      for (const sequence of [1, 2, 3]) await desk.release(sequence)
      await desk.publish(await desk.terms(4))
    })

    it('rises up to the active release, and each signature counts once', async () => {
      const { firmware, model } = desk
      const sent = await desk.raiseMinimum(2)
      await expect(sent).to.emit(firmware, 'MinimumRaised')
      await refuse(chain.replay(sent), 'MinimumOutOfRange', 2, 3, 2)
      await refuse(desk.raiseMinimum(1), 'MinimumOutOfRange', 2, 3, 1)
      await refuse(desk.raiseMinimum(4), 'MinimumOutOfRange', 2, 3, 4)
      await desk.raiseMinimum(3)
      expect((await firmware.headOf(model)).minimum).to.equal(3n)
    })

    it('is never a release that was stopped', async () => {
      await desk.hold(2)
      await refuse(desk.raiseMinimum(2), 'ReleaseStatusUnfit', HELD)
      await desk.yank([2])
      await refuse(desk.raiseMinimum(2), 'ReleaseStatusUnfit', YANKED)
    })
  })

  describe('a pause', () => {
    it('stops what is new and nothing that protects', async () => {
      await desk.registerModel()
      await desk.release(1)
      await desk.release(2)
      await desk.publish(await desk.terms(3))
      await desk.hold(2)
      await desk.firmware.pause()
      await refuse(desk.publish(await desk.terms(4)), 'EnforcedPause')
      await refuse(desk.activate(3), 'EnforcedPause')
      await refuse(desk.unhold(2), 'EnforcedPause')
      await refuse(desk.raiseRollout(3, ALL), 'EnforcedPause')
      await refuse(
        openDesk(chain, makerOf({ guard: { threshold: 1, keys: accounts('x', 1) } })).registerManufacturer(),
        'EnforcedPause'
      )
      await refuse(desk.registerModel(), 'EnforcedPause')
      await desk.hold(1)
      await desk.confirmHold(2)
      await desk.yank([2])
      await desk.heartbeat()
      await desk.propose(makerOf())
      await desk.firmware.unpause()
    })

    it('is for governance alone', async () => {
      const { signer } = await payingKey(chain, 'nobody')
      await refuse(desk.firmware.connect(signer).pause(), 'AccessManagedUnauthorized')
    })
  })
})

import { expect } from 'chai'
import { ZeroHash, id, keccak256 } from 'ethers'
import { yankTypes } from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  ACTIVE,
  MANIFEST,
  MEDIUM,
  REASON,
  SUPERSEDED,
  YANKED,
  accounts,
  makerOf,
  openDesk,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'

const DAYS = 86_400

describe('FirmwareRegistry: yanks and smaller rollouts', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel()
    for (const sequence of [1, 2, 3]) await desk.release(sequence)
  })
  const active = async (): Promise<bigint> => (await desk.firmware.headOf(desk.model)).active
  const number = (sequence: number): { sequence: number; manifestDigest: string } => ({
    sequence,
    manifestDigest: keccak256(MANIFEST)
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

    it('does not fall back below the minimum, and nothing below it starts', async () => {
      await desk.publish(await desk.terms(4))
      await desk.release(5)
      await desk.raiseMinimum(5)
      await desk.yank([5])
      expect(await active()).to.equal(0n)
      await refuse(desk.activate(4), 'ReleaseStatusUnfit', SUPERSEDED)
    })

    it('leaves the minimum itself free to start', async () => {
      await desk.publish(await desk.terms(4))
      await desk.release(5)
      await desk.raiseMinimum(4)
      await desk.yank([5])
      expect(await active()).to.equal(0n)
      await desk.activate(4)
      expect(await active()).to.equal(4n)
    })

    it('does not fall back to a release with a hole that the yanked one closed, which does not start either', async () => {
      await desk.publish(await desk.terms(4))
      await desk.release(5, { securityCounter: 2 })
      await desk.release(6, { securityCounter: 2 })
      await desk.yank([6])
      expect(await active()).to.equal(5n)
      await desk.yank([5])
      expect(await active()).to.equal(0n)
      await refuse(desk.activate(4), 'ReleaseStatusUnfit', SUPERSEDED)
      await desk.release(7, { securityCounter: 2, imageSha256: id('image 3') })
      expect(await active()).to.equal(7n)
    })

    it('of a held release offers no such one either while the hold lasts', async () => {
      await desk.release(4, { securityCounter: 2 })
      await desk.hold(4)
      expect(await active()).to.equal(0n)
      await desk.unhold(4)
      expect(await active()).to.equal(4n)
      await desk.release(5, { securityCounter: 2 })
      await desk.hold(5)
      expect(await active()).to.equal(4n)
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
})

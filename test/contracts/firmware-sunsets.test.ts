import { expect } from 'chai'
import { ZeroHash } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import { keysetDigest } from '#core/firmware/keyset.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import { ACTIVE, accounts, keysetsOf, makerOf, structOf, type FirmwareDesk } from '#test/contracts/firmware-requests.ts'

const HOURS = 3600

describe('FirmwareRegistry: the end of a model', () => {
  const stewards = { threshold: 1, keys: accounts('last steward', 1) }
  const set = { threshold: 1, signers: stewards.keys.map(key => key.signer as Hex) }
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel()
    await desk.release(1)
  })

  it('is told when it is proposed, and takes effect 48 hours later, by anybody', async () => {
    const { firmware, model } = desk
    const sent = await desk.proposeSunset(1, stewards)
    const due = (await chain.now()) + 48 * HOURS
    await expect(sent).to.emit(firmware, 'SunsetProposed').withArgs(model, 1, due, [1, set.signers])
    expect([...(await firmware.sunsetOf(model))]).to.deep.equal([1n, BigInt(due), 1n, keysetDigest(set)])
    await chain.moveTo(due - 2)
    await refuse(firmware.completeSunset(model), 'SunsetNotDue', due)
    expect((await firmware.headOf(model)).isSunset).to.equal(false)
    await chain.moveTo(due - 1)
    await expect(firmware.completeSunset(model)).to.emit(firmware, 'ModelSunset').withArgs(model, 1)
    expect(await chain.now()).to.equal(due)
    expect((await firmware.headOf(model)).isSunset).to.equal(true)
    expect([...(await firmware.sunsetOf(model))]).to.deep.equal([1n, 0n, 1n, keysetDigest(set)])
    await refuse(firmware.completeSunset(model), 'SunsetNotProposed')
  })

  it('ends releases, stops none, and happens once', async () => {
    await desk.sunset(1, stewards)
    await refuse(desk.publish(await desk.terms(2)), 'ModelIsSunset', desk.model)
    await refuse(desk.proposeSunset(1, stewards), 'ModelIsSunset', desk.model)
    expect(await desk.statusOf(1)).to.equal(ACTIVE)
  })

  it('leaves the maker’s stewards in place until then', async () => {
    await desk.proposeSunset(1, stewards)
    await wait(401 * 24 * HOURS)
    await desk.hold(1, 'steward')
  })

  it('can be cancelled, and its signatures never come back', async () => {
    const { firmware, model } = desk
    await refuse(desk.cancelSunset(), 'SunsetNotProposed')
    const sent = await desk.proposeSunset(1, stewards)
    const cancelled = await desk.cancelSunset()
    await expect(cancelled).to.emit(firmware, 'SunsetCancelled').withArgs(model)
    await refuse(chain.replay(sent), 'SunsetOutOfSequence', 2, 0)
    await wait(48 * HOURS)
    await refuse(firmware.completeSunset(model), 'SunsetNotProposed')
  })

  it('is not cancelled by what cancelled another one', async () => {
    await desk.proposeSunset(1, stewards)
    const cancelled = await desk.cancelSunset()
    await desk.proposeSunset(1, stewards)
    await refuse(chain.replay(cancelled), 'ApprovalSignatureInvalid', 0)
  })

  it('can be proposed anew, which starts the time anew', async () => {
    await desk.proposeSunset(1, { threshold: 1, keys: accounts('other', 1) })
    await wait(47 * HOURS)
    await desk.proposeSunset(1, stewards)
    await wait(2 * HOURS)
    await refuse(desk.firmware.completeSunset(desk.model), 'SunsetNotDue')
    expect((await desk.firmware.sunsetOf(desk.model)).stewards).to.equal(keysetDigest(set))
  })

  it('is void when a release follows: the release keys know nothing of it', async () => {
    await desk.proposeSunset(1, stewards)
    await desk.publish(await desk.terms(2))
    await wait(48 * HOURS)
    await refuse(desk.firmware.completeSunset(desk.model), 'ReleaseOutOfSequence', 2, 1)
  })

  it('is void when the keys that proposed it are replaced', async () => {
    const next = makerOf({ root: { threshold: 2, keys: accounts('next root', 2) } })
    await desk.propose(next)
    await desk.proposeSunset(1, stewards)
    await wait(49 * HOURS)
    await desk.firmware.completeRotation(desk.manufacturer, structOf(keysetsOf(next)))
    await refuse(desk.firmware.completeSunset(desk.model), 'SunsetNotProposed')
  })

  it('is about the newest release of a model that there is, and names somebody', async () => {
    await refuse(desk.proposeSunset(0, stewards), 'ReleaseOutOfSequence', 1, 0)
    await refuse(desk.proposeSunset(2, stewards), 'ReleaseOutOfSequence', 1, 2)
    await refuse(desk.proposeSunset(1, { threshold: 0, keys: [] }), 'SignerSetSizeInvalid', 0)
    await refuse(desk.firmware.completeSunset(ZeroHash), 'SunsetNotProposed')
    const none = { threshold: 1, ids: [], approvals: [] }
    const deadline = await chain.deadline()
    await refuse(desk.firmware.proposeSunset(ZeroHash, 0, set, 0, deadline, none), 'ModelUnknown', ZeroHash)
  })
})

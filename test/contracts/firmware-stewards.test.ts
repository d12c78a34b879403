import { expect } from 'chai'
import { holdTypes } from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  FIRM,
  HELD,
  REASON,
  accounts,
  makerOf,
  openDesk,
  quorum,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'

const DAYS = 86_400

describe('FirmwareRegistry: stewards', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel()
    for (const sequence of [1, 2, 3]) await desk.release(sequence)
  })

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

import { expect } from 'chai'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import { REASON, type FirmwareDesk } from '#test/contracts/firmware-requests.ts'

describe('FirmwareRegistry: what goes on after a hold', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel()
    await desk.release(1)
  })

  it('a model without stages tells of the hold’s end, and of no new rollout', async () => {
    await desk.hold(1)
    const sent = await desk.unhold(1)
    const now = await chain.now()
    await expect(sent).to.emit(desk.firmware, 'ReleaseUnheld').withArgs(desk.model, 1, REASON, now)
    expect((await sent.wait())?.logs).to.have.length(1)
  })
})

import { expect } from 'chai'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  REASON,
  keysetsOf,
  makerOf,
  openDesk,
  structOf,
  type FirmwareDesk,
  type Maker
} from '#test/contracts/firmware-requests.ts'
import { accountKey, payingKey } from '#test/contracts/keys.ts'

describe('FirmwareRegistry: what goes on after a hold', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { wait } = firmwareFixture(async (opened, its) => {
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

  // The end of an address takes the place of another: nothing of the old one may shine through.
  for (const [of, next] of [
    [1n, 0n],
    [0n, 1n]
  ] as const) {
    it(`a guard whose address ends in ${String(next)} takes over from one that ends in ${String(of)}`, async () => {
      const guardOf = (bit: bigint): Maker => makerOf({ guard: { threshold: 1, keys: [accountKey(nameOf(bit))] } })
      const own = openDesk(chain, guardOf(of))
      await own.registerManufacturer()
      await own.registerModel()
      await own.release(1)
      await own.propose(guardOf(next))
      await wait(3 * 86_400)
      await own.firmware.completeRotation(own.manufacturer, structOf(keysetsOf(guardOf(next))))
      const [before, after] = [await payingKey(chain, nameOf(of)), await payingKey(chain, nameOf(next))]
      await own.firmware.connect(before.signer).holdOnDuty(own.model, 1, 0)
      await own.unhold(1)
      await own.firmware.connect(after.signer).holdOnDuty(own.model, 1, 0)
    })
  }
})

/** Name of a key whose address has this as its last bit. */
function nameOf(bit: bigint): string {
  const names = Array.from({ length: 32 }, (_, i) => `guard ${String(i)}`)
  return names.find(name => (BigInt(accountKey(name).id) & 1n) === bit) ?? ''
}

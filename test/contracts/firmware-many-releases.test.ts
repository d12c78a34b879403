import { expect } from 'chai'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { SUPERSEDED, openDesk, type FirmwareDesk } from '#test/contracts/firmware-requests.ts'

describe('FirmwareRegistry: more releases than one word holds', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  before(async function () {
    // A client of its own seals a block for each of them.
    this.timeout(300_000)
    chain = await openChain()
    desk = openDesk(chain)
    await desk.registerManufacturer()
    await desk.registerModel()
    for (let sequence = 1; sequence < 255; sequence++) await desk.publish(await desk.terms(sequence))
    await desk.release(255)
    await desk.release(256)
    await desk.publish(await desk.terms(257))
    await desk.release(258)
    await desk.raiseMinimum(255)
  })
  after(() => chain.close())

  const active = async (): Promise<bigint> => (await desk.firmware.headOf(desk.model)).active

  it('a hold falls back to the newest one, over those that are held or never were for all devices', async () => {
    expect(await active()).to.equal(258n)
    await desk.hold(258)
    expect(await active()).to.equal(256n)
    await desk.unhold(258)
    await desk.hold(256)
    expect(await active()).to.equal(258n)
    await desk.hold(258)
    expect(await active()).to.equal(255n)
    await desk.hold(255)
    expect(await active()).to.equal(0n)
    for (const sequence of [255, 256, 258]) await desk.unhold(sequence)
  })

  it('not below the minimum, wherever that lies', async () => {
    expect(await active()).to.equal(258n)
    await desk.raiseMinimum(256)
    await desk.hold(256)
    await desk.hold(258)
    expect(await active()).to.equal(0n)
    expect(await desk.statusOf(255)).to.equal(SUPERSEDED)
  })
})

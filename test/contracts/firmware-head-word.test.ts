import { expect } from 'chai'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import { MEDIUM, accounts, type FirmwareDesk } from '#test/contracts/firmware-requests.ts'
import { hashOf } from '#test/contracts/research-contracts.ts'

/** Slots of the registry that are looked at; the mapping of heads is among them. */
const SLOTS = 40
/** Tells the model from anything else. */
const SLOT_MIB = 9_999n

describe('FirmwareRegistry: the word of a model that a device proves', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { wait } = firmwareFixture((opened, its) => {
    ;[chain, desk] = [opened, its]
  })

  /** The word whose highest bit is set, among what the contract keeps of the model. */
  async function headWord(): Promise<bigint> {
    const { address } = chain.deployment.contracts.FirmwareRegistry
    const words = await Promise.all(
      Array.from({ length: SLOTS }, (_, slot) =>
        chain.provider.getStorage(address, hashOf(['bytes32', 'uint256'], [desk.model, slot]))
      )
    )
    const [word, ...others] = words
      .map(BigInt)
      .filter(each => each >> 255n === 1n && (each >> 232n) % 65_536n === SLOT_MIB)
    expect(others).to.deep.equal([])
    return word ?? 0n
  }

  it('is laid out as its page draws it, until the end of the model', async () => {
    await desk.registerModel(MEDIUM, Number(SLOT_MIB))
    for (const sequence of [1, 2]) await desk.publish(await desk.terms(sequence, { securityCounter: 3 }))
    const { timestamp } = (await chain.provider.getBlock('latest'))!
    await wait(2 * 86_400)
    await desk.activate(1)
    await desk.raiseRollout(1, 10_000)
    await desk.activate(2)
    const { riskClass, keysetVersion } = await desk.firmware.headOf(desk.model)
    const fields: [bigint, bigint][] = [
      [2n, 0n],
      [1n, 32n],
      [2n, 64n],
      [0n, 96n],
      [3n, 128n],
      [keysetVersion, 160n],
      [1000n, 176n],
      [BigInt(timestamp), 192n],
      [SLOT_MIB, 232n],
      [riskClass, 248n],
      [1n, 255n]
    ]
    const word = fields.reduce((sum, [value, shift]) => sum | (value << shift), 0n)
    expect(await headWord()).to.equal(word)
    await desk.sunset(2, { threshold: 1, keys: accounts('last steward', 1) })
    expect(await headWord()).to.equal(word | (1n << 254n))
  })
})

import { expect } from 'chai'
import { ZeroHash, concat, id } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import { keysetsDigest } from '#core/firmware/keyset.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  HELD,
  MANIFEST,
  MEDIUM,
  PUBLISHED,
  YANKED,
  accounts,
  keysetsOf,
  makerOf,
  openDesk,
  quorum,
  structOf,
  type FirmwareDesk,
  type KeySet,
  type Quorum
} from '#test/contracts/firmware-requests.ts'
import { accountKey, payingKey } from '#test/contracts/keys.ts'

const DAYS = 86_400
const ATTESTOR = accountKey('attestor').signer

describe('FirmwareRegistry: attacks', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse } = firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel(MEDIUM)
    for (const sequence of [1, 2]) await desk.publish(await desk.terms(sequence))
    await chain.moveTo((await chain.now()) + 2 * DAYS)
    await desk.activate(1)
    await desk.raiseRollout(1, 10_000)
    await desk.activate(2)
  })
  const refused = (call: Promise<unknown>): Promise<void> => refuse(call, 'ApprovalSignatureInvalid')

  it('a rotation takes the old root keys and the new, each over exactly these keys', async () => {
    const { firmware, manufacturer, domain, maker } = desk
    const next = makerOf({ root: { threshold: 2, keys: accounts('fresh root', 2) } })
    const { rotationNonce: nonce } = await firmware.manufacturerOf(manufacturer)
    const value = { manufacturer, keysets: keysetsDigest(keysetsOf(next)), nonce, deadline: await chain.deadline() }
    const sign = (keys: KeySet, changes: Record<string, unknown> = {}): Promise<Quorum> =>
      quorum(keys, domain, types.keysetRotationTypes, { ...value, ...changes })
    const send = (byOld: Quorum, byNew: Quorum): Promise<unknown> =>
      firmware.proposeRotation(manufacturer, structOf(keysetsOf(next)), nonce, value.deadline, byOld, byNew)
    const [byOld, byNew] = [await sign(maker.root), await sign(next.root)]
    for (const changes of [{ keysets: id('others') }, { nonce: nonce + 1n }, { manufacturer: id('another') }]) {
      await refused(send(await sign(maker.root, changes), byNew))
      await refused(send(byOld, await sign(next.root, changes)))
    }
    for (const keys of [next.root, maker.release, maker.guard]) await expectRefusal(send(await sign(keys), byNew))
    for (const keys of [maker.root, next.release, next.guard]) await expectRefusal(send(byOld, await sign(keys)))
    await send(byOld, byNew)
  })

  it('a report counts by its attestor alone, as it was signed', async () => {
    const { firmware, model, domain } = desk
    const addition = { model, signer: ATTESTOR, deadline: await chain.deadline() }
    const by = await desk.sign('release', types.attestorAdditionTypes, addition)
    await firmware.addAttestor(model, ATTESTOR, addition.deadline, by)
    const counts = { confirmed: 9, failed: 2, rolledBack: 1 }
    const report = { model, epoch: 1, root: id('reports'), ...counts, deadline: await chain.deadline() }
    const key = accountKey('attestor')
    for (const field of Object.keys(counts)) {
      const signature = await key.sign(domain, types.fleetReportTypes, { ...report, [field]: 1000 })
      const sent = firmware.anchorReport(report, ATTESTOR, signature)
      await refuse(sent, 'RequestSignatureInvalid')
    }
    const stranger = accountKey('stranger')
    const signature = await stranger.sign(domain, types.fleetReportTypes, report)
    await refuse(firmware.anchorReport(report, ATTESTOR, signature), 'RequestSignatureInvalid')
    await firmware.anchorReport(report, ATTESTOR, await key.sign(domain, types.fleetReportTypes, report))
  })

  describe('a guard that is a hostile contract', () => {
    for (const trick of ['00', '01', '02', '03', '04', '05', '06']) {
      it(`stops nothing by trick ${trick}`, async () => {
        const hostile = await chain.deployMock('HostileGuard', await desk.firmware.getAddress())
        const key = { ...accountKey('hostile'), signer: hostile.toLowerCase(), id: hostile }
        const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: [key] } }))
        await own.registerManufacturer()
        await own.registerModel()
        await own.publish(await own.terms(1))
        const again = own.firmware.interface.encodeFunctionData('spreadYank', [own.model, ZeroHash, []])
        const signature = concat([`0x${trick}`, trick === '02' ? again : '0x'])
        const by = { threshold: 1, ids: [hostile], approvals: [{ index: 0, signer: '0x', signature }] }
        const held = own.firmware.hold(own.model, 1, 0, await chain.deadline(), by, { gasLimit: 3_000_000 })
        await expectRefusal(held)
        expect(await own.statusOf(1)).to.equal(PUBLISHED)
      })
    }
  })

  describe('stolen keys', () => {
    it('one release key publishes nothing, and one signature does not count twice', async () => {
      const terms = await desk.terms(3)
      const { approvals, ...set } = await quorum(desk.maker.release, desk.domain, types.releaseTypes, { ...terms }, [0])
      const twice = [approvals[0]!, { ...approvals[0]!, index: 1 }]
      await refuse(desk.firmware.publish(terms, MANIFEST, { ...set, approvals }), 'ApprovalsTooFew')
      await refused(desk.firmware.publish(terms, MANIFEST, { ...set, approvals: twice }))
    })

    it('all release keys publish, but one guard ends it before any device has it', async () => {
      await desk.publish(await desk.terms(3, { kind: 1 }))
      await refuse(desk.activate(3), 'ReleaseNotDue')
      await desk.yank([3])
      await chain.moveTo((await chain.now()) + DAYS)
      await refuse(desk.activate(3), 'ReleaseStatusUnfit')
      expect(await desk.statusOf(3)).to.equal(YANKED)
    })

    it('all release keys burn at most sixteen steps of the counter with each release', async () => {
      const leap = await desk.terms(3, { securityCounter: 2 ** 32 - 1 })
      await refuse(desk.publish(leap), 'ReleaseCounterOutOfRange')
    })

    it('of a guard delay a release by 14 days with each hold, and no hold prolongs one that runs', async () => {
      await desk.hold(2)
      await refuse(desk.hold(2), 'ReleaseStatusUnfit')
      await chain.moveTo((await chain.now()) + 14 * DAYS + 1)
      expect(await desk.statusOf(2)).to.not.equal(HELD)
    })

    it('of the roots wait two days, in which the true roots cancel', async () => {
      await desk.propose(makerOf({ release: { threshold: 1, keys: accounts('thief', 1) } }))
      await desk.cancelRotation()
      await desk.publish(await desk.terms(3))
    })
  })

  it('nobody but governance can pause, and it can do nothing else', async () => {
    const { signer } = await payingKey(chain, 'nobody')
    for (const call of [desk.firmware.connect(signer).pause(), desk.firmware.connect(signer).unpause()]) {
      await refuse(call, 'AccessManagedUnauthorized')
    }
  })
})

/** Refused, for whichever reason. */
async function expectRefusal(call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => 'done',
    () => 'refused'
  )
  expect(outcome).to.equal('refused')
}

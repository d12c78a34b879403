import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { deviceTree } from '#test/contracts/device-tree.ts'
import {
  ACTIVE,
  HELD,
  MEDIUM,
  YANKED,
  makerOf,
  openDesk,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { WAYS, accountKey, type Way } from '#test/contracts/keys.ts'

const DAYS = 86_400

describe('signed requests about firmware', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** A desk whose first key of each role signs in this way. */
  async function deskOf(way: Way): Promise<FirmwareDesk> {
    const own = async (role: string): Promise<{ threshold: number; keys: ReturnType<typeof accountKey>[] }> => ({
      threshold: role === 'guard' ? 1 : 2,
      keys: [await way.create(chain, role), accountKey(`second ${role}`)]
    })
    const maker = makerOf({
      root: await own('root'),
      release: await own('release'),
      guard: await own('guard'),
      steward: await own('steward')
    })
    const desk = openDesk(chain, maker)
    await desk.registerManufacturer()
    return desk
  }
  const wait = async (seconds: number): Promise<void> => chain.moveTo((await chain.now()) + seconds)

  for (const way of WAYS) {
    describe(`by ${way.name}`, () => {
      it('publish, roll out, stop and let go on', async () => {
        const desk = await deskOf(way)
        await desk.registerModel(MEDIUM)
        await desk.publish(await desk.terms(1))
        await wait(2 * DAYS)
        await desk.activate(1)
        await desk.raiseRollout(1, 5000)
        await desk.cutRollout(1, 4000)
        await desk.raiseRollout(1, 10_000)
        await desk.raiseMinimum(1)
        expect(await desk.statusOf(1)).to.equal(ACTIVE)
        await desk.hold(1)
        await desk.confirmHold(1)
        expect(await desk.statusOf(1)).to.equal(HELD)
        await desk.unhold(1)
        await desk.yank([1])
        expect(await desk.statusOf(1)).to.equal(YANKED)
      })

      it('replace keys, give a sign of life, end a model', async () => {
        const desk = await deskOf(way)
        await desk.registerModel()
        await expect(desk.heartbeat()).to.emit(desk.firmware, 'Heartbeat')
        const next = makerOf({ root: { threshold: 1, keys: [await way.create(chain, 'next root')] } })
        await expect(desk.propose(next)).to.emit(desk.firmware, 'RotationProposed')
        await expect(desk.cancelRotation()).to.emit(desk.firmware, 'RotationCancelled')
        await desk.release(1)
        const stewards = { threshold: 1, keys: [await way.create(chain, 'last steward')] }
        await expect(desk.proposeSunset(1, stewards)).to.emit(desk.firmware, 'SunsetProposed')
        await expect(desk.cancelSunset()).to.emit(desk.firmware, 'SunsetCancelled')
        await expect(desk.sunset(1, stewards)).to.emit(desk.firmware, 'ModelSunset')
      })

      it('stop as stewards of a maker that is gone', async () => {
        const desk = await deskOf(way)
        await desk.registerModel()
        await desk.release(1)
        await wait(401 * DAYS)
        await desk.hold(1, 'steward')
        await desk.yank([1], undefined, 'steward')
        expect(await desk.statusOf(1)).to.equal(YANKED)
      })

      it('say what devices, attestors and rebuilders saw', async () => {
        const desk = await deskOf(way)
        const { firmware, model, domain } = desk
        await desk.registerModel()
        await desk.release(1)
        const devices = [await way.create(chain, 'device'), accountKey('device 2')]
        devices.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
        const tree = deviceTree(devices.map(device => device.id))
        const deadline = await chain.deadline()
        const list = { model, root: tree.root, devices: 2, version: 1, deadline }
        await firmware.setDeviceKeys(
          model,
          tree.root,
          2,
          1,
          deadline,
          await desk.sign('release', types.deviceKeysTypes, list)
        )
        const value = { model, sequence: 1, round: 0, deadline }
        const failures = devices.map(async (device, index) => ({
          signer: device.signer,
          deadline,
          signature: await device.sign(domain, types.failureTypes, value),
          proof: tree.proof(index)
        }))
        await expect(firmware.tripBreaker(model, 1, await Promise.all(failures))).to.emit(firmware, 'BreakerTripped')

        const key = await way.create(chain, 'attestor')
        const addition = { model, signer: key.signer, deadline }
        await firmware.addAttestor(
          model,
          key.signer,
          deadline,
          await desk.sign('release', types.attestorAdditionTypes, addition)
        )
        const report = { model, epoch: 1, root: id('reports'), confirmed: 9, failed: 1, rolledBack: 0, deadline }
        await expect(
          firmware.anchorReport(report, key.signer, await key.sign(domain, types.fleetReportTypes, report))
        ).to.emit(firmware, 'ReportAnchored')
        const removal = { model, attestor: key.id, deadline }
        await firmware.removeAttestor(
          model,
          key.id,
          deadline,
          await desk.sign('release', types.attestorRemovalTypes, removal)
        )

        const rebuild = { model, sequence: 1, imageSha256: id('image 1'), deadline }
        const rebuilt = await key.sign(domain, types.rebuildTypes, rebuild)
        await expect(firmware.addRebuild(model, 1, id('image 1'), deadline, key.signer, rebuilt)).to.emit(
          firmware,
          'RebuildAdded'
        )
        const range = { model, fromSequence: 1, toSequence: 1, vulnerability: ZeroHash, impact: 1 }
        const advisory = { ...range, documentDigest: id('document'), deadline }
        await expect(firmware.addAdvisory(advisory, await desk.sign('guard', types.advisoryTypes, advisory))).to.emit(
          firmware,
          'AdvisoryAdded'
        )
      })
    })
  }
})

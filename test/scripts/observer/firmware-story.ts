import { encodeBytes32String, id, keccak256 } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { deviceTree } from '#test/contracts/device-tree.ts'
import {
  MANIFEST,
  MEDIUM,
  REASON,
  accounts,
  keysetsOf,
  makerOf,
  openDesk,
  structOf,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { accountKey, payingKey } from '#test/contracts/keys.ts'

const [HOUR, DAY] = [3600, 86_400]
const IMAGE = id('image 1')

/** A maker, its devices and those who look at them, from the first release to the end of the model. */
export async function runFirmware(chain: TestChain): Promise<void> {
  const duty = await payingKey(chain, 'guard on duty')
  const guard = { threshold: 1, keys: [duty.key, ...accounts('guard', 1)] }
  const desk = openDesk(chain, makerOf({ guard }))
  const { firmware, model } = desk
  const wait = async (seconds: number): Promise<void> => chain.moveTo((await chain.now()) + seconds)
  await desk.registerManufacturer()
  await desk.registerModel(MEDIUM)
  await desk.publish(await desk.terms(1))
  await wait(2 * DAY)
  await desk.activate(1)
  await desk.cutRollout(1, 500)
  await desk.raiseRollout(1, 10_000)
  await desk.raiseMinimum(1)
  await judge(chain, desk)
  await failOnDevices(chain, desk)
  await desk.unhold(1)
  await wait(HOUR)
  await desk.hold(1)
  await desk.confirmHold(1)
  await desk.unhold(1)
  await wait(HOUR)
  await firmware.connect(duty.signer).holdOnDuty(model, 1, REASON)
  await desk.publish(await desk.terms(2, { imageSha256: IMAGE }))
  await desk.heartbeat()
  const next = makerOf({ guard, release: { threshold: 2, keys: accounts('next release', 3) } })
  await desk.propose(next)
  await desk.cancelRotation()
  await desk.propose(next)
  await wait(3 * DAY)
  await firmware.completeRotation(desk.manufacturer, structOf(keysetsOf(next)))
  await desk.yank([1], IMAGE)
  await firmware.spreadYank(model, IMAGE, [{ sequence: 2, manifestDigest: keccak256(MANIFEST) }])
  await desk.proposeSunset(2, desk.maker.steward)
  await desk.cancelSunset()
  await desk.sunset(2, desk.maker.steward)
}

/** What others say of a release: a flaw, a build of one's own, counts of an attestor. */
async function judge(chain: TestChain, desk: FirmwareDesk): Promise<void> {
  const { firmware, model, domain } = desk
  const [attestor, rebuilder] = [accountKey('attestor'), accountKey('rebuilder')]
  const deadline = await chain.deadline()
  const flaw = { vulnerability: encodeBytes32String('CVE-2026-0001'), impact: 1, documentDigest: id('document') }
  const advisory = { model, fromSequence: 1, toSequence: 1, ...flaw, deadline }
  await firmware.addAdvisory(advisory, await desk.sign('guard', types.advisoryTypes, advisory))
  const rebuild = { model, sequence: 1, imageSha256: IMAGE, deadline }
  const built = await rebuilder.sign(domain, types.rebuildTypes, rebuild)
  await firmware.addRebuild(model, 1, IMAGE, deadline, rebuilder.signer, built)
  const { signer } = attestor
  const addition = await desk.sign('release', types.attestorAdditionTypes, { model, signer, deadline })
  await firmware.addAttestor(model, signer, deadline, addition)
  const report = { model, epoch: 1, root: id('devices'), confirmed: 90, failed: 2, rolledBack: 1, deadline }
  await firmware.anchorReport(report, signer, await attestor.sign(domain, types.fleetReportTypes, report))
  const removal = await desk.sign('release', types.attestorRemovalTypes, { model, attestor: attestor.id, deadline })
  await firmware.removeAttestor(model, attestor.id, deadline, removal)
}

/** Devices of a list stop a release. */
async function failOnDevices(chain: TestChain, desk: FirmwareDesk): Promise<void> {
  const { firmware, model, domain } = desk
  const devices = accounts('device', 8).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
  const tree = deviceTree(devices.map(device => device.id))
  const deadline = await chain.deadline()
  const list = { model, root: tree.root, devices: devices.length, version: 1, deadline }
  const by = await desk.sign('release', types.deviceKeysTypes, list)
  await firmware.setDeviceKeys(model, tree.root, devices.length, 1, deadline, by)
  const failure = { model, sequence: 1, round: await desk.roundOf(1), deadline }
  const failures = devices.slice(0, 5).map(async (device, index) => {
    const signature = await device.sign(domain, types.failureTypes, failure)
    return { signer: device.signer, deadline, signature, proof: tree.proof(index) }
  })
  await firmware.tripBreaker(model, 1, await Promise.all(failures))
}

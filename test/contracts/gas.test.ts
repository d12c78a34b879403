import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { id, keccak256 } from 'ethers'
import { attestorAdditionTypes, fleetReportTypes, yankTypes } from '#core/abi/typed-data/firmware.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { HIGH, accounts, makerOf, openDesk } from '#test/contracts/firmware-requests.ts'
import { MEASURES_COVERAGE } from '#test/contracts/instrumented.ts'
import { accountKey, payingKey } from '#test/contracts/keys.ts'
import {
  anchor,
  claim,
  idOf,
  register,
  registerGateway,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  updateKeyBundle,
  type Sent
} from '#test/contracts/requests.ts'

const SNAPSHOT = new URL('gas-snapshot.json', import.meta.url)
/** Signatures differ with the chain's clock, and so does the number of their zero bytes. */
const TOLERANCE_GAS = 120

describe('gas', () => {
  const [key, next, doctor, gatewayKey] = ['patient', 'next', 'doctor', 'gateway'].map(accountKey)
  const measured: Record<string, number> = {}
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  after(() => chain.close())

  async function measure(name: string, sent: Sent): Promise<void> {
    const receipt = await (await sent).wait()
    measured[name] = Number(receipt?.gasUsed)
  }

  /** Cold slots, accounts' keys; the first guard is on duty and pays itself. */
  async function measureFirmware(): Promise<void> {
    const duty = await payingKey(chain, 'guard on duty')
    const maker = makerOf({
      release: { threshold: 3, keys: accounts('release', 5) },
      guard: { threshold: 1, keys: [duty.key, ...accounts('guard', 2)] }
    })
    const desk = openDesk(chain, maker)
    const manifest = `0x${'a5'.repeat(350)}`
    const ofManifest = { manifestDigest: keccak256(manifest) }
    const publish = async (sequence: number): Sent =>
      desk.publish(await desk.terms(sequence, ofManifest), undefined, manifest)
    const activate = (sequence: number): Sent =>
      desk.firmware.activate(desk.model, sequence, keccak256(manifest), id(`image ${String(sequence)}`))
    await measure('FirmwareRegistry.registerManufacturer, 13 signers', desk.registerManufacturer())
    await measure('FirmwareRegistry.registerModel, 3 of 5', desk.registerModel(HIGH))
    await measure('FirmwareRegistry.publish, 3 of 5, first', publish(1))
    await measure('FirmwareRegistry.publish, 3 of 5, later', publish(2))
    await chain.moveTo((await chain.now()) + 49 * 3600)
    await measure('FirmwareRegistry.activate', activate(1))
    await measure('FirmwareRegistry.raiseRollout, 3 of 5', desk.raiseRollout(1, 1000))
    await measure('FirmwareRegistry.raiseRollout, 3 of 5, to all', desk.raiseRollout(1, 10_000))
    await activate(2)
    await measure('FirmwareRegistry.cutRollout', desk.cutRollout(2, 1))
    await measure('FirmwareRegistry.raiseMinimum, 3 of 5', desk.raiseMinimum(1))
    await measure('FirmwareRegistry.holdOnDuty', desk.firmware.connect(duty.signer).holdOnDuty(desk.model, 2, 7))
    await measure('FirmwareRegistry.confirmHold, 3 of 5', desk.confirmHold(2))
    await measure('FirmwareRegistry.unhold, 3 of 5', desk.unhold(2))
    await measure('FirmwareRegistry.hold', desk.hold(1))
    await measure('FirmwareRegistry.heartbeat, 3 of 5', desk.heartbeat())
    const numbers = [{ sequence: 1, manifestDigest: keccak256(manifest) }]
    const yank = { model: desk.model, imageSha256: id('image 1'), reason: 7, deadline: await chain.deadline() }
    const byGuard = await desk.sign('guard', yankTypes, yank)
    await measure(
      'FirmwareRegistry.yank',
      desk.firmware.yank(desk.model, yank.imageSha256, 7, yank.deadline, byGuard, numbers)
    )
    const attestor = accountKey('attestor')
    const addition = { model: desk.model, signer: attestor.signer, deadline: await chain.deadline() }
    const byRelease = await desk.sign('release', attestorAdditionTypes, addition)
    await measure(
      'FirmwareRegistry.addAttestor, 3 of 5',
      desk.firmware.addAttestor(desk.model, attestor.signer, addition.deadline, byRelease)
    )
    for (const epoch of [1, 2]) {
      const counts = { confirmed: 900, failed: 3, rolledBack: 1 }
      const report = { model: desk.model, epoch, root: id('reports'), ...counts, deadline: await chain.deadline() }
      const signature = await attestor.sign(desk.domain, fleetReportTypes, report)
      const sent = desk.firmware.anchorReport(report, attestor.signer, signature)
      await measure(`FirmwareRegistry.anchorReport${epoch === 1 ? ', first' : ', later'}`, sent)
    }
  }

  it('is what the snapshot says (SALUS_UPDATE_GAS=1 writes a new one)', async function () {
    if (MEASURES_COVERAGE) this.skip()
    const patient = idOf(key!.signer, id('salt'))
    await measure('PatientRegistry.register', register(chain, key!))
    await measure('PatientRegistry.updateKeyBundle', updateKeyBundle(chain, key!, patient, id('new keys')))
    await measure('PatientRegistry.rotateSigner', rotateSigner(chain, key!, next!, patient))
    const grant = await signGrant(chain, next!, patient, termsFor(doctor!, { uses: 1 }))
    await measure('AccessGrants.grant', grant.submit())
    await measure('AccessGrants.claim', claim(chain, doctor!, grant.grantId, 0))
    await measure('AccessGrants.revoke', revoke(chain, next!, patient))

    const gateway = idOf(gatewayKey!.signer, id('salt'))
    await measure('BatchAnchors.register', registerGateway(chain, gatewayKey!))
    const root = id('root')
    await measure('BatchAnchors.anchor, first', anchor(chain, gatewayKey!, { gateway, sequence: 1, treeSize: 8, root }))
    await measure('BatchAnchors.anchor, later', anchor(chain, gatewayKey!, { gateway, sequence: 2, treeSize: 9, root }))

    await measureFirmware()

    if (process.env['SALUS_UPDATE_GAS'] === '1') writeFileSync(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`)
    const snapshot = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as Record<string, number>
    expect(Object.keys(measured)).to.deep.equal(Object.keys(snapshot))
    for (const [name, gas] of Object.entries(snapshot)) expect(measured[name], name).to.be.closeTo(gas, TOLERANCE_GAS)
  })
})

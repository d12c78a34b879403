import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { id, keccak256 } from 'ethers'
import { attestorAdditionTypes, fleetReportTypes, yankTypes } from '#core/abi/typed-data/firmware.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { measureAnchors, measureNodes } from '#test/contracts/gas-anchors.ts'
import { HIGH, accounts, makerOf, openDesk } from '#test/contracts/firmware-requests.ts'
import { inOrder, signBatch } from '#test/contracts/batch-requests.ts'
import { leaveGasRow } from '#test/contracts/gas-rows.ts'
import { measureResearch } from '#test/contracts/gas-research.ts'
import { MEASURES_COVERAGE } from '#test/contracts/instrumented.ts'
import { WAYS, accountKey, payingKey, walletOf } from '#test/contracts/keys.ts'
import {
  claim,
  idOf,
  register,
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
  const [key, next, doctor] = ['patient', 'next', 'doctor'].map(accountKey)
  const measured: Record<string, number> = {}
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  after(() => chain.close())

  async function measure(name: string, sent: Sent): Promise<void> {
    const receipt = await (await sent).wait()
    measured[name] = Number(receipt?.gasUsed)
    await leaveGasRow(chain, name, receipt)
  }

  /** Runs first, and for one patient: every slot that a call opens is new, every other cold. */
  async function measureGrants(patient: string): Promise<void> {
    await measure('AccessGrants.register', register(chain, key!))
    await measure('AccessGrants.updateKeyBundle', updateKeyBundle(chain, key!, patient, id('new keys')))
    await measure('AccessGrants.rotateSigner', rotateSigner(chain, key!, next!, patient))
    const terms = termsFor(doctor!, { notBefore: 1_794_900_000, expiresAt: 1_894_900_000, uses: 2 })
    const grant = await signGrant(chain, next!, patient, terms)
    await measure('AccessGrants.grantWithAccount', grant.submitCompact())
    await measure('AccessGrants.claim', claim(chain, doctor!, grant.grantId, 1))
    await measure('AccessGrants.revoke', revoke(chain, next!, patient))
    await measure('AccessGrants.grant, account', (await signGrant(chain, next!, patient, terms, id('second'))).submit())
    const items = inOrder(Array.from({ length: 100 }, (_, i) => ({ ...terms, scope: id(`batch ${String(i)}`) })))
    const batch = await signBatch(chain, next!, patient, items)
    await measure('AccessGrants.grantBatch, 100', batch.submit())
    await measure('AccessGrants.openFromBatch, of 100', batch.open(items[50]!))
    const own = await signGrant(chain, next!, patient, terms, id('third'))
    await own.submitCompact()
    const [byDoctor, byPatient] = [await chain.sentBy(walletOf('doctor')), await chain.sentBy(walletOf('next'))]
    await measure('AccessGrants.claimByAccount', byDoctor.grants.claimByAccount(own.grantId))
    await measure('AccessGrants.revokeByAccount', byPatient.grants.revokeByAccount(patient, id('third')))
    const passkey = await WAYS[4]!.create(chain, 'passkey')
    const patientWithPasskey = idOf(passkey.signer, id('salt'))
    await register(chain, passkey)
    await measure('AccessGrants.grant, passkey', (await signGrant(chain, passkey, patientWithPasskey, terms)).submit())
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
    await measureGrants(patient)

    await measureAnchors(chain, measure)
    await measureNodes(chain, measure)

    await measureFirmware()

    await measureResearch(chain, measure)

    if (process.env['SALUS_UPDATE_GAS'] === '1') writeFileSync(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`)
    const snapshot = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as Record<string, number>
    expect(Object.keys(measured)).to.deep.equal(Object.keys(snapshot))
    for (const [name, gas] of Object.entries(snapshot)) expect(measured[name], name).to.be.closeTo(gas, TOLERANCE_GAS)
  })
})

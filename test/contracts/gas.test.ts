import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { measureAnchors, measureNodes } from '#test/contracts/gas-anchors.ts'
import { openDesk } from '#test/contracts/firmware-requests.ts'
import { inOrder, signBatch } from '#test/contracts/batch-requests.ts'
import { leaveGasRow } from '#test/contracts/gas-rows.ts'
import { measureResearch } from '#test/contracts/gas-research.ts'
import { MEASURES_COVERAGE } from '#test/contracts/instrumented.ts'
import { WAYS, accountKey, walletOf } from '#test/contracts/keys.ts'
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

  it('is what the snapshot says (SALUS_UPDATE_GAS=1 writes a new one)', async function () {
    if (MEASURES_COVERAGE) this.skip()
    const patient = idOf(key!.signer, id('salt'))
    await measureGrants(patient)

    await measureAnchors(chain, measure)
    await measureNodes(chain, measure)

    const releaseKeys = ['release 0', 'release 1', 'release 2'].map(accountKey)
    const desk = openDesk(chain, { releaseKeys, threshold: 2, guards: [accountKey('guard')] })
    await measure('FirmwareRegistry.registerManufacturer, 3 + 1 signers', desk.registerManufacturer())
    await measure('FirmwareRegistry.registerModel, 2 of 3', desk.registerModel())
    await measure('FirmwareRegistry.publish, 2 of 3, first', desk.publish(await desk.terms(1)))
    await measure('FirmwareRegistry.publish, 2 of 3, later', desk.publish(await desk.terms(2)))
    await measure('FirmwareRegistry.hold', desk.hold(2))
    await measure('FirmwareRegistry.unhold, 2 of 3', desk.unhold(2))
    await measure('FirmwareRegistry.raiseMinimum, 2 of 3', desk.raiseMinimum(1))
    await measure('FirmwareRegistry.yank', desk.yank(2))

    await measureResearch(chain, measure)

    if (process.env['SALUS_UPDATE_GAS'] === '1') writeFileSync(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`)
    const snapshot = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as Record<string, number>
    expect(Object.keys(measured)).to.deep.equal(Object.keys(snapshot))
    for (const [name, gas] of Object.entries(snapshot)) expect(measured[name], name).to.be.closeTo(gas, TOLERANCE_GAS)
  })
})

import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { measureAnchors } from '#test/contracts/gas-anchors.ts'
import { openDesk } from '#test/contracts/firmware-requests.ts'
import { MEASURES_COVERAGE } from '#test/contracts/instrumented.ts'
import { accountKey } from '#test/contracts/keys.ts'
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

    await measureAnchors(chain, measure)

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

    if (process.env['SALUS_UPDATE_GAS'] === '1') writeFileSync(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`)
    const snapshot = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as Record<string, number>
    expect(Object.keys(measured)).to.deep.equal(Object.keys(snapshot))
    for (const [name, gas] of Object.entries(snapshot)) expect(measured[name], name).to.be.closeTo(gas, TOLERANCE_GAS)
  })
})

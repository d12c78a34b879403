import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { openOffice } from '#test/contracts/credential-requests.ts'
import {
  JUSTIFIED,
  REPORT,
  STANDARD,
  breakGlass,
  dispute,
  emergencyOf,
  end,
  reviewByCredential,
  setPolicy
} from '#test/contracts/emergency-requests.ts'
import { openWorld } from '#test/contracts/emergency-world.ts'
import { leaveGasRow } from '#test/contracts/gas-rows.ts'
import { MEASURES_COVERAGE } from '#test/contracts/instrumented.ts'
import { accountKey } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'

const SNAPSHOT = new URL('gas-snapshot-care.json', import.meta.url)
/** Signatures differ with the chain's clock, and so does the number of their zero bytes. */
const TOLERANCE_GAS = 240

describe('gas of credentials and emergencies', () => {
  const measured: Record<string, number> = {}
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  after(() => chain.close())

  async function measure(name: string, sent: Sent, per = 1): Promise<void> {
    const receipt = await (await sent).wait()
    measured[name] = Math.round(Number(receipt?.gasUsed) / per)
    await leaveGasRow(chain, name, receipt)
  }

  it('is what the snapshot says (SALUS_UPDATE_GAS=1 writes a new one)', async function () {
    if (MEASURES_COVERAGE) this.skip()
    const { credentials, emergencies } = chain.contracts
    const { ada, ben, rita, adas, bens, ritas, patient, patientKey } = await openWorld(chain)
    const [key, next] = [accountKey('clinic'), accountKey('next')]
    const office = openOffice(chain, key)
    await measure('CredentialRegistry.accredit', office.accredit())
    await measure('CredentialRegistry.issue, 1', office.issue({ holder: ada }))
    const staff = Array.from({ length: 20 }, (_, index) => ({ holder: accountKey(`staff ${String(index)}`) }))
    await measure('CredentialRegistry.issue, each of 20', office.issue(...staff), 20)
    await measure('CredentialRegistry.revoke', office.revoke(ada))
    await measure('CredentialRegistry.rotateSigner', office.rotate(key, next))
    await measure('CredentialRegistry.suspend', credentials.suspend(office.organisation))
    await measure('CredentialRegistry.reinstate', credentials.reinstate(office.organisation))

    const [first, later] = [emergencyOf(patient, adas, 'first'), emergencyOf(patient, adas, 'later')]
    const two = emergencyOf(patient, adas, 'two', bens)
    await measure('EmergencyAccess.breakGlass, first', breakGlass(chain, [ada], first))
    await measure('EmergencyAccess.breakGlass, later', breakGlass(chain, [ada], later))
    await measure('EmergencyAccess.breakGlass, two responders', breakGlass(chain, [ada, ben], two))
    await measure('EmergencyAccess.setPolicy', setPolicy(chain, patientKey, patient, STANDARD))
    await measure('EmergencyAccess.end, by the responder', end(chain, ada, first))
    await measure('EmergencyAccess.end, by the patient', end(chain, patientKey, later))
    await measure('EmergencyAccess.dispute', dispute(chain, patientKey, first))
    await measure('EmergencyAccess.review', emergencies.review(first, JUSTIFIED, REPORT))
    await measure('EmergencyAccess.reviewByCredential', reviewByCredential(chain, rita, later, ritas))

    if (process.env['SALUS_UPDATE_GAS'] === '1') writeFileSync(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`)
    const snapshot = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as Record<string, number>
    expect(Object.keys(measured)).to.deep.equal(Object.keys(snapshot))
    for (const [name, gas] of Object.entries(snapshot)) expect(measured[name], name).to.be.closeTo(gas, TOLERANCE_GAS)
  })
})

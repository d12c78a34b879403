import { id } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import { NURSE, PHARMACIST, PHYSICIAN, REVIEWER, openOffice, type Office } from '#test/contracts/credential-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { idOf, register } from '#test/contracts/requests.ts'

/** Two hospitals, their staff, and a patient of neither. */
export interface EmergencyWorld {
  readonly patientKey: Key
  readonly patient: string
  /** The hospital of the responders. */
  readonly hospital: Office
  /** The hospital of the reviewer. */
  readonly other: Office
  readonly ada: Key
  readonly ben: Key
  readonly rita: Key
  /** Credentials: of Ada and Ben as physician and nurse of the one hospital, of Rita as reviewer of the other one. */
  readonly adas: string
  readonly bens: string
  readonly ritas: string
  /** A credential of Ada in a role that no standard policy names. */
  readonly adasAsPharmacist: string
}

/** Who signs for the hospital of the responders. */
export const hospitalKey: Key = accountKey('hospital')

/** Accredits, hires and registers. */
export async function openWorld(chain: TestChain, patientKey: Key = accountKey('patient')): Promise<EmergencyWorld> {
  const [ada, ben, rita] = [accountKey('ada'), accountKey('ben'), accountKey('rita')]
  const hospital = openOffice(chain, hospitalKey)
  const other = openOffice(chain, accountKey('other hospital'))
  await hospital.accredit()
  await other.accredit()
  await register(chain, patientKey)
  return {
    patientKey,
    patient: idOf(patientKey.signer, id('salt')),
    hospital,
    other,
    ada,
    ben,
    rita,
    adas: await hospital.hire(ada, PHYSICIAN),
    bens: await hospital.hire(ben, NURSE),
    ritas: await other.hire(rita, REVIEWER),
    adasAsPharmacist: await hospital.hire(ada, PHARMACIST)
  }
}

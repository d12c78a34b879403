import { id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { NURSE, PHARMACIST, PHYSICIAN, REVIEWER, openOffice, type Office } from '#test/contracts/credential-requests.ts'
import { DAY, breakGlass, emergencyOf, type Emergency } from '#test/contracts/emergency-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { refusalBy, type Refuse } from '#test/contracts/refusal.ts'
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

/** What governance bounds at first. */
export const LIMITS = {
  perResponder: 12,
  perPatient: 6,
  window: DAY,
  reviewWithin: 3 * DAY,
  maxOverdue: 3,
  blockFor: 30 * DAY
} as const

/** What the tests of emergencies say often. */
export interface EmergencyTests {
  /** Expects that the contract refuses a call with this error. */
  readonly refuse: Refuse
  readonly wait: (seconds: number) => Promise<void>
  /** One responder, Ada unless told, breaks the glass for a second. */
  readonly open: (salt: string, key?: Key, credential?: string) => Promise<Emergency>
  /** Where a responder stands: until when it is blocked, what awaits review, whether that is overdue. */
  readonly standing: (key: Key) => Promise<unknown[]>
}

/** Opens a chain for the tests around it, and a world of its own for each. */
export function inEmergencyWorld(enter: (chain: TestChain, world: EmergencyWorld) => void): EmergencyTests {
  let chain: TestChain
  let world: EmergencyWorld
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    world = await openWorld(chain)
    enter(chain, world)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())
  return {
    refuse: refusalBy(() => chain.contracts.emergencies),
    wait: async seconds => chain.moveTo((await chain.now()) + seconds),
    async open(salt, key = world.ada, credential = world.adas) {
      const emergency = emergencyOf(world.patient, credential, salt)
      await breakGlass(chain, [key], emergency, { duration: 1 })
      return emergency
    },
    standing: async key => [...(await chain.contracts.emergencies.responderOf(key.id))]
  }
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

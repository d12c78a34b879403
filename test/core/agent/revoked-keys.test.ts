import { expect } from 'chai'
import { Wallet } from 'ethers'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { openAsGrantee, openAttributesAsGrantee } from '#core/agent/grantee-entries.ts'
import { patientEvidence } from '#core/agent/grantee-requests.ts'
import { acceptCapsule, createGrantee, type GranteeState, type HeldGrant } from '#core/agent/grantee-state.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { planGrant, type GrantWish, type PlannedGrant } from '#core/agent/patient-grant.ts'
import { planItemGrant } from '#core/agent/patient-item-grant.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { planRevocation } from '#core/agent/patient-revocation.ts'
import { createPatient, type PatientState } from '#core/agent/patient-state.ts'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { NO_EXPIRY, RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { dayOf } from '#core/record/day.ts'
import { leafFromCover } from '#core/record/day-tree.ts'
import { openAttribute, openEntry, openEntryWithKey } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { chainAgreesWith } from '#test/core/agent/chain-facts.ts'
import { keysOf } from '#test/core/people.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}
const NOW_S = 1_795_180_000
const TODAY = dayOf(NOW_S * 1000)
const DAYS = [TODAY, TODAY + 29]
const CONTENT = {
  type: 'application/fhir+json',
  recordedAtMs: NOW_S * 1000,
  body: utf8('{"resourceType":"Observation","status":"final"}')
}
const ADDRESS = fromHex(new Wallet(`0x${'22'.repeat(32)}`).address, 20)

describe('keys of a grant that was ended', () => {
  const random = seededRandom('revoked-keys')
  let patient: PatientState
  let keys: AgentKeys
  let held: AgentKeys

  const wish = (change: Partial<GrantWish>): GrantWish => ({
    grantee: ADDRESS,
    bundle: held.bundleBytes,
    notBefore: NOW_S,
    expiresAt: NO_EXPIRY,
    rights: RIGHT_READ,
    uses: UNLIMITED_USES,
    compartments: ['vitals', 'mental'],
    purpose: 'TREAT',
    nowS: NOW_S,
    ...change
  })
  const seal = (compartment: Compartment, day: number, attributes: boolean): ReceivedEntry => ({
    ...sealAsPatient(p, random, { state: patient, keys }, { compartment, day, content: CONTENT, attributes }),
    evidenceBytes: patientEvidence(keys)
  })
  const planning = () => ({ state: patient, keys, target: TARGET })
  const ordinary = (change: Partial<GrantWish>) => async (): Promise<PlannedGrant> =>
    planGrant(p, random, planning(), wish(change))
  const single = (paths: readonly string[]) => async (): Promise<PlannedGrant> => {
    return planItemGrant(p, random, planning(), {
      ...wish({}),
      items: [{ sealed: seal('vitals', TODAY, true), paths }]
    })
  }
  const KINDS: Readonly<Record<string, () => Promise<PlannedGrant>>> = {
    continuous: ordinary({}),
    'that only writes': ordinary({ rights: RIGHT_WRITE }),
    'with everything that was before': ordinary({ rights: RIGHT_READ | RIGHT_WRITE | RIGHT_HISTORY }),
    'of every part of the record': ordinary({ compartments: COMPARTMENTS, rights: RIGHT_READ | RIGHT_HISTORY }),
    'for one use': ordinary({ uses: 1 }),
    'until tomorrow': ordinary({ expiresAt: NOW_S + 86_400 }),
    'of a span of days': ordinary({ days: { fromDay: TODAY, toDay: TODAY + 30 } }),
    'of one entry': single([]),
    'of one attribute': single(['/status'])
  }

  before(async () => {
    held = await keysOf(2)
  })

  beforeEach(async () => {
    patient = createPatient(random, TARGET, new Uint8Array(20).fill(1))
    keys = await patientKeys(p, patient)
  })

  for (const [kind, plan] of Object.entries(KINDS)) {
    it(`open nothing that is sealed afterwards: a grant ${kind}`, async () => {
      const { state, given, capsuleBytes } = await plan()
      patient = state
      const nobody = createGrantee(patient.network, ADDRESS)
      const holder = await acceptCapsule(p, nobody, held, capsuleBytes, chainAgreesWith(capsuleBytes))
      const isSingle = /^of one/.test(kind)
      // What was sealed in time, so that the test would notice a key that opens nothing at all.
      if (!isSingle) expect(opens(holder, seal('vitals', TODAY, false))).to.equal(true)
      const ended = await planRevocation(p, random, planning(), { grantId: given.grantId, nowS: NOW_S + 60 })
      patient = ended.state
      expect(ended.capsules).to.have.lengthOf(0)
      for (const compartment of COMPARTMENTS) {
        for (const day of DAYS) {
          for (const attributes of [false, true]) {
            expect(opens(holder, seal(compartment, day, attributes)), `${compartment} ${String(day)}`).to.equal(false)
          }
        }
      }
    })
  }

  /** Tries every key in every way, as somebody would who does not ask which key is meant for what. */
  function opens(holder: GranteeState, sealed: ReceivedEntry): boolean {
    const record = {
      target: TARGET,
      patient: patient.patient,
      keyBundles: [{ digest: keyBundleDigest(keys.bundleBytes), replacedAtS: null }],
      grants: []
    }
    const ways = [
      () => openAsGrantee(p, holder, sealed, record),
      () => openAttributesAsGrantee(p, holder, sealed, record),
      ...holder.grants.flatMap(grant => forcings(grant, sealed))
    ]
    return ways.some(way => {
      try {
        way()
        return true
      } catch (error) {
        if (isSalusError(error)) return false
        throw error
      }
    })
  }

  function forcings(
    { keys: days, entries = [], attributes = [] }: HeldGrant,
    sealed: ReceivedEntry
  ): (() => unknown)[] {
    return [
      ...days.flatMap(({ cover, tag }) =>
        DAYS.map(day => () => openEntry(p, { ...sealed, tag, leafKey: leafFromCover(p, cover, day) }))
      ),
      ...[...entries, ...attributes].flatMap(({ key }) => [
        () => openEntryWithKey(p, { ...sealed, contentKey: key }),
        ...Array.from({ length: 8 }, (_, index) => () => openAttribute(p, { ...sealed, index, key }))
      ])
    ]
  }
})

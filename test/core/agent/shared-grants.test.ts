import { expect } from 'chai'
import { capsuleOf } from '#core/agent/patient-capsule.ts'
import { mergePatientStates } from '#core/agent/patient-merge.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { planReplacement, planRevocation } from '#core/agent/patient-revocation.ts'
import { planSharedGrant } from '#core/agent/patient-shared-grant.ts'
import { planGrant, type GrantWish } from '#core/agent/patient-grant.ts'
import { createPatient, type GivenGrant, type PatientState } from '#core/agent/patient-state.ts'
import { decodePatientState, encodePatientState } from '#core/agent/patient-state-codec.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import { NO_EXPIRY } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}
const NOW_S = 1_795_180_000
const random = seededRandom('shared grants')

let patient: PatientState
let keys: AgentKeys
let wish: GrantWish

before(async () => {
  patient = createPatient(random, TARGET, new Uint8Array(20).fill(1))
  keys = await patientKeys(p, patient)
  wish = {
    grantee: new Uint8Array(20).fill(7),
    bundle: (await keysOf(7)).bundleBytes,
    compartments: ['vitals'],
    purpose: 'second opinion',
    ...{ rights: 1, uses: 1, notBefore: NOW_S, expiresAt: NOW_S + 86_400, nowS: NOW_S }
  }
})

const shared = (change: Partial<GrantWish> = {}) => planSharedGrant(p, random, patient, { ...wish, ...change })
const by = (state: PatientState) => ({ state, keys, target: TARGET })
const replaced = async (state: PatientState, compartments: readonly Compartment[]) =>
  planReplacement(p, random, by(state), { compartments, nowS: NOW_S + 60 })
const custodyOf = ({ grants }: PatientState, { grantId }: GivenGrant) =>
  grants.find(each => each.grantId === grantId || Buffer.from(each.grantId).equals(grantId))?.custody

describe('a one-time grant whose keys custodians give', () => {
  it('is for one use, to read, and with an end', async () => {
    await expectCode('GRANT_ONCE', () => shared({ uses: 255 }))
    await expectCode('GRANT_ONCE', () => shared({ uses: 2 }))
    await expectCode('GRANT_ONCE', () => shared({ rights: 3 }))
    await expectCode('GRANT_ONCE', () => shared({ expiresAt: NO_EXPIRY }))
    expect(shared().keys.map(({ compartment }) => compartment)).to.deep.equal(['vitals'])
  })

  it('has no capsule, whoever asks for one', async () => {
    const { state, given } = shared()
    await expectCode('GRANT_SHARED', async () => capsuleOf(p, random, by(state), given))
    const { state: later, capsules } = await replaced(state, COMPARTMENTS)
    expect(capsules).to.deep.equal([])
    expect(custodyOf(later, given)).to.equal('outdated')
    const [kept] = later.grants
    expect(kept?.capsuleRevision).to.equal(1)
    await expectCode('GRANT_SHARED', async () => capsuleOf(p, random, by(later), kept!))
  })

  it('gets none when another grant of the same part is ended, and the others still get theirs', async () => {
    const { state, given } = shared()
    const first = await planGrant(p, random, by(state), { ...wish, uses: 255 })
    const second = await planGrant(p, random, by(first.state), { ...wish, uses: 255 })
    const { grantId } = first.given
    const { capsules, state: after } = await planRevocation(p, random, by(second.state), { grantId, nowS: NOW_S + 60 })
    expect(capsules.map(each => each.grantId)).to.deep.equal([second.given.grantId])
    for (const { capsuleBytes } of capsules) {
      expect(decodeCapsule(capsuleBytes).grantId).to.not.deep.equal(given.grantId)
    }
    expect(custodyOf(after, given)).to.equal('outdated')
  })

  it('stays as it is when other parts get new keys, and ends like any grant', async () => {
    const { state, given } = shared()
    expect(custodyOf((await replaced(state, ['labs'])).state, given)).to.equal('shared')
    const ended = await planRevocation(p, random, by(state), { grantId: given.grantId, nowS: NOW_S + 60 })
    expect(ended.capsules).to.deep.equal([])
    expect(ended.revoked.grantId).to.deep.equal(given.grantId)
    expect(ended.state.grants[0]?.isRevoked).to.equal(true)
  })

  it('says so in the bytes that are kept and backed up', async () => {
    const { state, given } = shared()
    expect(decodePatientState(encodePatientState(state))).to.deep.equal(state)
    expect(custodyOf(decodePatientState(encodePatientState(state)), given)).to.equal('shared')
    const map = decodeCanonical(encodePatientState(state), { area: 'TEST', maxBytes: 1 << 20 }) as {
      grants: Record<string, unknown>[]
    }
    for (const custody of [null, '', 'none', 1, true]) {
      const bytes = encodeCanonical({ ...map, grants: [{ ...map.grants[0], custody }] })
      await expectCode('PATIENT_STATE_SHAPE', () => decodePatientState(bytes))
    }
  })

  it('keeps its state when devices are merged, in any order, and never becomes one with a capsule', async () => {
    const { state, given } = shared()
    const there = (await replaced(patient, ['vitals'])).state
    for (const [a, b] of [
      [state, there],
      [there, state]
    ] as const) {
      const { state: merged, torn } = mergePatientStates(a, b)
      expect(custodyOf(merged, given)).to.equal('outdated')
      expect(torn).to.deep.equal([])
      expect(mergePatientStates(merged, a).state).to.deep.equal(merged)
      expect(mergePatientStates(merged, b).state).to.deep.equal(merged)
    }
    const known = (await replaced(state, ['vitals'])).state
    expect(custodyOf(mergePatientStates(state, known).state, given)).to.equal('outdated')
    expect(custodyOf(mergePatientStates(state, patient).state, given)).to.equal('shared')
    const elsewhere = (await replaced(patient, ['labs'])).state
    expect(custodyOf(mergePatientStates(state, elsewhere).state, given)).to.equal('shared')
  })
})

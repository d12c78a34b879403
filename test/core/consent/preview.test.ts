import { expect } from 'chai'
import fc from 'fast-check'
import { Wallet } from 'ethers'
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import { patientEvidence } from '#core/agent/grantee-requests.ts'
import { acceptCapsule, createGrantee } from '#core/agent/grantee-state.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { prepareGrant, type PatientSigning } from '#core/agent/patient-grant.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import { createPatient, type PatientState } from '#core/agent/patient-state.ts'
import { foldRecordOnChain } from '#core/agent/record-on-chain.ts'
import { describePreview } from '#core/consent/explain.ts'
import { opensEntry, previewGrant, type EntryFacts } from '#core/consent/preview.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { NO_EXPIRY, RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES } from '#core/grant/terms.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { dayOf } from '#core/record/day.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { SealedEntry } from '#core/record/seal-entry.ts'
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
const patientWallet = new Wallet(`0x${'11'.repeat(32)}`)
const DOCTOR = fromHex(`0x${'d0'.repeat(20)}`, 20)

const compartments = fc.subarray(['vitals', 'labs', 'mental'] as Compartment[], { minLength: 1 })
/** What happens to a record, in this order. */
const events = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('entry' as const),
      at: fc.constantFrom<Compartment>('vitals', 'labs', 'mental'),
      ago: fc.integer({ min: -1, max: 20 })
    }),
    fc.record({ kind: fc.constant('rotation' as const), of: compartments })
  ),
  { maxLength: 12 }
)
const wishes = fc.record({
  compartments,
  rights: fc.constantFrom(RIGHT_READ, RIGHT_READ | RIGHT_HISTORY, RIGHT_READ | RIGHT_WRITE, RIGHT_WRITE),
  begunDaysAgo: fc.integer({ min: 0, max: 5 }),
  lastsDays: fc.option(fc.integer({ min: 1, max: 5 }))
})

describe('the preview of a grant', () => {
  const random = seededRandom('preview')

  it('is what its keys open, for any record and any grant', async () => {
    const doctorKeys = await keysOf(2)
    await fc.assert(
      fc.asyncProperty(events, wishes, events, async (before, wish, after) => {
        let state = createPatient(random, TARGET, fromHex(patientWallet.address, 20))
        const keys = await patientKeys(p, state)
        const signing = (): PatientSigning => ({
          state,
          keys,
          target: TARGET,
          deadlineS: NOW_S + 3600,
          signTypedData: (...data) => patientWallet.signTypedData(...data)
        })
        const grant = async (to: Uint8Array, of: typeof wish) => {
          const notBefore = NOW_S - of.begunDaysAgo * 86_400
          const expiresAt = of.lastsDays == null ? NO_EXPIRY : NOW_S + of.lastsDays * 86_400
          const terms = { grantee: to, notBefore, expiresAt, rights: of.rights, uses: UNLIMITED_USES }
          const { bundleBytes: bundle } = doctorKeys
          return await prepareGrant(p, random, signing(), {
            ...terms,
            bundle,
            compartments: of.compartments,
            purpose: 'TREAT',
            nowS: NOW_S
          })
        }
        const entries: (EntryFacts & { sealed: SealedEntry })[] = []
        let newest: Uint8Array = new Uint8Array()
        let grantId: Uint8Array = new Uint8Array()
        const play = async (happened: typeof before): Promise<void> => {
          for (const each of happened) {
            if (each.kind === 'entry') {
              const content = { type: 'text/plain', recordedAtMs: 0, body: utf8('72') }
              const wanted = {
                compartment: each.at,
                day: TODAY - each.ago,
                content,
                entry: random(16),
                revision: 1,
                parents: []
              }
              const sealed = sealAsPatient(p, random, { state, keys }, wanted)
              const { generation, day } = decodeEntry(sealed.headerBytes).header
              entries.push({ compartment: each.at, generation, day, kind: 'Observation', sealed })
            } else {
              const other = { ...wish, compartments: each.of, rights: RIGHT_READ, begunDaysAgo: 0, lastsDays: null }
              const given = await grant(new Uint8Array(20).fill(9), other)
              state = given.state
              const revoked = await prepareRevocation(p, random, signing(), { grantId: given.grantId, nowS: NOW_S })
              state = revoked.state
              newest = revoked.capsules.find(each => toHex(each.grantId) === toHex(grantId))?.capsuleBytes ?? newest
            }
          }
        }

        await play(before)
        const prepared = await grant(DOCTOR, wish)
        ;({ state, grantId } = prepared)
        newest = prepared.capsuleBytes
        await play(after)

        const given = state.grants.find(each => toHex(each.grantId) === toHex(prepared.grantId))
        const chain = chainAgreesWith(newest)
        const doctor = await acceptCapsule(p, createGrantee(state.network, DOCTOR), doctorKeys, newest, chain)
        const opened = entries.filter(({ sealed }) => {
          try {
            openAsGrantee(
              p,
              doctor,
              { ...sealed, evidenceBytes: patientEvidence(keys) },
              recordOf(state, keys.bundleBytes)
            )
            return true
          } catch {
            return false
          }
        })
        if (given == null) throw new Error('the grant is gone')
        expect(entries.filter(entry => opensEntry(given, entry))).to.deep.equal(opened)
        const preview = previewGrant(given, entries)
        expect(preview.seen + preview.hidden).to.equal(entries.length)
        expect(preview.sections.reduce((sum, each) => sum + each.entries, 0)).to.equal(preview.seen)
      }),
      { numRuns: 40 }
    )
  })

  it('tells sensitive sections apart, and counts kinds that have the names of a machine', async () => {
    const state = createPatient(random, TARGET, fromHex(patientWallet.address, 20))
    const keys = await patientKeys(p, state)
    const { bundleBytes: bundle } = await keysOf(2)
    const { state: after } = await prepareGrant(
      p,
      random,
      {
        state,
        keys,
        target: TARGET,
        deadlineS: NOW_S,
        signTypedData: (...data) => patientWallet.signTypedData(...data)
      },
      {
        grantee: DOCTOR,
        notBefore: NOW_S,
        expiresAt: NO_EXPIRY,
        rights: RIGHT_READ | RIGHT_HISTORY,
        uses: 255,
        bundle,
        compartments: [...COMPARTMENTS.slice(0, 7)],
        purpose: 'TREAT',
        nowS: NOW_S
      }
    )
    const [given] = after.grants
    const entry = (compartment: Compartment, kind: string): EntryFacts => ({ compartment, kind, generation: 1, day: 3 })
    const entries = [
      entry('vitals', 'Observation'),
      entry('vitals', '__proto__'),
      entry('mental', 'Observation'),
      entry('billing', 'Claim')
    ]
    if (given == null) throw new Error('no grant')
    const preview = previewGrant(given, entries)
    expect(describePreview(preview)).to.equal('would see 3 items today, 1 in sensitive sections; 1 item stays shut')
    expect(Object.entries(preview.sections[0]?.kinds ?? {})).to.deep.equal([
      ['Observation', 1],
      ['__proto__', 1]
    ])
    expect(preview.sections.map(each => [each.compartment, each.isSensitive])).to.deep.equal([
      ['vitals', false],
      ['mental', true]
    ])
    expect(opensEntry({ ...given, isRevoked: true }, entries[0] ?? entry('vitals', ''))).to.equal(false)
  })
})

function recordOf(state: PatientState, bundle: Uint8Array) {
  const patient = toHex(state.patient)
  const registered = {
    name: 'PatientRegistered' as const,
    patient,
    signer: patient,
    keyBundle: toHex(keyBundleDigest(bundle))
  }
  return foldRecordOnChain(TARGET, state.patient, [{ event: registered, timeS: NOW_S }])
}

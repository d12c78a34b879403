import { expect } from 'chai'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { createGrantee } from '#core/agent/grantee-state.ts'
import { patientEvidence } from '#core/agent/grantee-requests.ts'
import { granteeLogFacts, patientLogFacts, type KnownOfChain } from '#core/agent/log-facts.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { createPatient, currentGeneration, type PatientState } from '#core/agent/patient-state.ts'
import { signRotation } from '#core/grant/rotation.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { createLog } from '#core/log/log.ts'
import { verifyLog } from '#core/log/verify.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { keysOf } from '#test/core/people.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}
const TODAY = 20_777

describe('the facts that agents verify a log by', () => {
  const random = seededRandom('log-facts')
  const content = { type: 'text/plain', recordedAtMs: 0, body: utf8('x') }
  let state: PatientState
  let keys: AgentKeys
  let known: KnownOfChain
  let tag: Uint8Array

  const rotation = (by: AgentKeys, day: number, patient = state.patient): Uint8Array =>
    signRotation(p, { network: state.network, patient, revision: 1, day, retired: [tag] }, by)
  const codeOf = (day: number, rotations: readonly Uint8Array[]): string | null => {
    const { headerBytes } = sealAsPatient(p, random, { state, keys }, { compartment: 'vitals', day, content })
    const facts = patientLogFacts(p, state, { ...known, rotations })
    return verifyLog(p, [{ headerBytes, evidenceBytes: patientEvidence(keys) }], facts).verdicts[0]!.code
  }

  before(async () => {
    state = createPatient(random, TARGET, new Uint8Array(20).fill(1))
    keys = await patientKeys(p, state)
    tag = compartmentTag(p, currentGeneration(state, 'vitals').key, 'vitals')
    const keyBundles = [{ digest: keyBundleDigest(keys.bundleBytes), replacedAtS: null }]
    const record = { target: TARGET, patient: state.patient, keyBundles, grants: [] }
    known = { record, blockTimeS: TODAY * 86_400, rotations: [] }
  })

  it('tell the patient where every tag lies, and a grantee those of its grants', () => {
    const facts = patientLogFacts(p, state, known)
    expect(facts.placeOf?.(toHex(tag))).to.deep.equal({ compartment: 'vitals', generation: 1 })
    const key = { compartment: 'labs' as const, tag, generation: 3, cover: [] }
    const grant = {
      grantId: random(32),
      patient: state.patient,
      rights: 1,
      revision: 1,
      document: random(8),
      keys: [key]
    }
    const grantee = {
      ...createGrantee(state.network, new Uint8Array(20)),
      grants: [grant, { ...grant, patient: random(32) }]
    }
    const theirs = granteeLogFacts(p, grantee, known)
    expect(theirs.placeOf?.(toHex(tag))).to.include({ compartment: 'labs', generation: 3 })
    expect(theirs.known).to.deep.equal([grant])
    expect(theirs.placeOf?.(toHex(random(16)))).to.equal(undefined)
  })

  it('take rotations that the patient signed, the earliest of several, and no others', async () => {
    const stranger = await keysOf(9)
    expect(codeOf(TODAY, [])).to.equal(null)
    expect(codeOf(TODAY, [rotation(keys, TODAY - 1)])).to.equal(null)
    expect(codeOf(TODAY, [rotation(keys, TODAY), rotation(keys, TODAY - 2)])).to.equal('LOG_RETIRED')
    const bad = [rotation(stranger, 1), rotation(keys, 1, random(32)), Uint8Array.of(1), rotation(keys, 1).fill(0, -64)]
    expect(codeOf(TODAY, bad)).to.equal(null)
  })

  it('let a log be renewed when a rotation arrives late', () => {
    const log = createLog(p, patientLogFacts(p, state, known))
    const { headerBytes } = sealAsPatient(p, random, { state, keys }, { compartment: 'vitals', day: TODAY, content })
    const { name } = log.add({ headerBytes, evidenceBytes: patientEvidence(keys) })
    const rotations = [rotation(keys, TODAY - 5)]
    expect(log.renew(patientLogFacts(p, state, { ...known, rotations }))).to.deep.equal([name])
    expect(log.node(name)).to.include({ state: 'unproven', code: 'LOG_RETIRED' })
  })
})

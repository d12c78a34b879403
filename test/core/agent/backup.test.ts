import { expect } from 'chai'
import { Wallet } from 'ethers'
import { createAgentState, type AgentState } from '#core/agent/agent-state.ts'
import { decodeAgentState, encodeAgentState } from '#core/agent/agent-state-codec.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { openBackup, sealBackup } from '#core/agent/backup.ts'
import { mergeDevices, revokeDevice } from '#core/agent/device.ts'
import { granteeEvidence, patientEvidence } from '#core/agent/grantee-requests.ts'
import { createGrantee } from '#core/agent/grantee-state.ts'
import { planGrant } from '#core/agent/patient-grant.ts'
import { mergePatientStates } from '#core/agent/patient-merge.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { planReplacement, planRevocation } from '#core/agent/patient-revocation.ts'
import { createPatient, currentGeneration, type PatientState } from '#core/agent/patient-state.ts'
import { encodePatientState } from '#core/agent/patient-state-codec.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { decodeRotation } from '#core/grant/rotation.ts'
import { NO_EXPIRY } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}
const NOW_S = 1_795_180_000
const NOW_MS = NOW_S * 1000
const random = seededRandom('backup')
const wallet = new Wallet(`0x${'11'.repeat(32)}`)

let patient: PatientState
let keys: AgentKeys
let device: AgentState

async function granted(state: PatientState, compartments: readonly Compartment[]): Promise<PatientState> {
  const doctor = await keysOf(7)
  const wish = { grantee: new Uint8Array(20).fill(7), bundle: doctor.bundleBytes, compartments, purpose: 'treatment' }
  const terms = { rights: 1, uses: 255, notBefore: NOW_S, expiresAt: NO_EXPIRY, nowS: NOW_S }
  return (await planGrant(p, random, { state, keys, target: TARGET }, { ...wish, ...terms })).state
}

async function replaced(state: PatientState, compartments: readonly Compartment[]): Promise<PatientState> {
  return (await planReplacement(p, random, { state, keys, target: TARGET }, { compartments, nowS: NOW_S })).state
}

before(async () => {
  patient = createPatient(random, TARGET, fromHex(wallet.address, 20))
  keys = await patientKeys(p, patient)
  device = createAgentState(p, random, { network: patient.network, deviceName: 'laptop', nowMs: NOW_MS })
})

describe('a backup on the network', () => {
  const record = () => {
    const keyBundles = [{ digest: keyBundleDigest(keys.bundleBytes), replacedAtS: null }]
    return { target: TARGET, patient: patient.patient, keyBundles, grants: [] }
  }
  const sealed = (change: { deviceSeed?: Uint8Array; keys?: AgentKeys } = {}): ReceivedEntry => {
    const { deviceId, deviceSeed, devices } = device
    const backup = { device: deviceId, devices, state: patient }
    const input = { keys, deviceSeed, revision: 1, parent: null, nowMs: NOW_MS, ...change }
    return { ...sealBackup(p, random, backup, input), evidenceBytes: patientEvidence(keys) }
  }

  it('opens with the seed and holds the whole state', () => {
    const { state, devices, revision } = openBackup(p, patient.seed, sealed(), record())
    expect(state).to.deep.equal(patient)
    expect(devices).to.deep.equal(device.devices)
    expect(revision).to.equal(1)
  })

  it('opens with no other seed', async () => {
    await expectCode('ENTRY_TAG', () => openBackup(p, new Uint8Array(32), sealed(), record()))
  })

  it('is refused from whoever is not the patient, or not the device that it names', async () => {
    await expectCode('BACKUP_DEVICE', () =>
      openBackup(p, patient.seed, sealed({ deviceSeed: new Uint8Array(32).fill(1) }), record())
    )
    const stranger = await keysOf(8)
    await expectCode('EVIDENCE_AUTHOR', () => openBackup(p, patient.seed, sealed({ keys: stranger }), record()))
  })
})

describe('the states of two devices', () => {
  const merged = (a: PatientState, b: PatientState) => {
    const one = mergePatientStates(a, b)
    const other = mergePatientStates(b, a)
    expect(one.torn).to.deep.equal(other.torn)
    expect(one.state.generations).to.deep.equal(other.state.generations)
    expect(mergePatientStates(one.state, a).state.generations).to.deep.equal(one.state.generations)
    return one
  }

  it('give the newer one where only one has changed', async () => {
    const newer = await granted(await replaced(patient, ['vitals']), ['vitals'])
    const { state, torn } = merged(patient, newer)
    expect(encodePatientState(state)).to.deep.equal(encodePatientState(newer))
    expect(torn).to.deep.equal([])
  })

  it('keep the grants and the revocations of both', async () => {
    const both = await granted(await granted(patient, ['vitals']), ['labs'])
    const [{ grantId } = { grantId: new Uint8Array() }] = both.grants
    const wish = { grantId, nowS: NOW_S }
    const ended = (await planRevocation(p, random, { state: both, keys, target: TARGET }, wish)).state
    const third = await granted(both, ['imaging'])
    const { state, torn } = merged(ended, third)
    expect(state.grants.map(({ isRevoked }) => isRevoked).sort()).to.deep.equal([false, false, true])
    expect(torn).to.deep.equal([])
  })

  it('are torn where a grant was given under a generation that the other had replaced', async () => {
    const { torn } = merged(await granted(patient, ['vitals', 'labs']), await replaced(patient, ['vitals']))
    expect(torn).to.deep.equal(['vitals'])
  })

  it('are torn where both replaced a generation, and whole again after the next', async () => {
    const base = await granted(patient, ['vitals'])
    const { state, torn } = merged(await replaced(base, ['vitals']), await replaced(base, ['vitals']))
    expect(torn).to.deep.equal(['vitals'])
    const by = { state, keys, target: TARGET }
    const mended = await planReplacement(p, random, by, { compartments: torn, nowS: NOW_S })
    expect(decodeRotation(mended.rotationBytes).retired).to.have.lengthOf(2)
    expect(mended.capsules).to.have.lengthOf(1)
    expect(currentGeneration(mended.state, 'vitals').number).to.equal(3)
    expect(merged(mended.state, base).torn).to.deep.equal([])
  })

  it('of two patients are not merged', async () => {
    const other = createPatient(random, TARGET, new Uint8Array(20))
    await expectCode('MERGE_PATIENT', () => mergePatientStates(patient, other))
  })
})

describe('a list of devices', () => {
  it('remembers every device, and that one was revoked', async () => {
    const other = createAgentState(p, random, { network: patient.network, deviceName: 'phone', nowMs: NOW_MS })
    const both = mergeDevices(device.devices, other.devices)
    expect(both).to.have.lengthOf(2)
    const revoked = revokeDevice(both, other.deviceId, NOW_MS + 1)
    expect(mergeDevices(both, revoked).map(({ revokedAtMs }) => revokedAtMs)).to.deep.equal([null, NOW_MS + 1])
    await expectCode('DEVICE_UNKNOWN', () => revokeDevice(revoked, other.deviceId, NOW_MS))
  })
})

describe('an agent’s state', () => {
  let full: AgentState
  let guarded: AgentState

  before(async () => {
    const doctor = await keysOf(7)
    const evidence = await granteeEvidence(doctor, {
      target: TARGET,
      notAfterS: NOW_S,
      signTypedData: (...data) => wallet.signTypedData(...data)
    })
    const settled = { digest: new Uint8Array(32), notAfterS: NOW_S, isAnswered: true }
    const guardian = { address: new Uint8Array(20), bundle: Uint8Array.of(1), sealed: Uint8Array.of(2) }
    const guardians = {
      ...{ revision: 1, threshold: 2, delayS: 86_400, root: new Uint8Array(32) },
      guardians: [
        { ...guardian, isConfirmed: true },
        { ...guardian, isConfirmed: false }
      ]
    }
    const [receipt, log] = [
      { number: 3, kind: 'share' as const, subject: new Uint8Array(32), atMs: NOW_MS, address: null },
      { url: 'http://127.0.0.1:1', peer: new Uint8Array(38), key: new Uint8Array(32), size: 4 }
    ]
    full = {
      ...device,
      patient: {
        state: { ...patient, guardians },
        wallet: { kind: 'key', key: new Uint8Array(32).fill(1) },
        operations: [
          {
            ...{ id: new Uint8Array(16), kind: 'grant', grantId: new Uint8Array(32), messages: [Uint8Array.of(1)] },
            shares: [{ custodian: 'http://127.0.0.1:1', keeper: new Uint8Array(32), sealed: Uint8Array.of(3) }]
          }
        ],
        backup: { revision: 0, cid: null, isDue: true },
        requests: [{ code: Uint8Array.of(1), receivedAtS: NOW_S }],
        answered: [settled]
      },
      clinician: {
        state: createGrantee(patient.network, new Uint8Array(20)),
        seed: new Uint8Array(32),
        wallet: { kind: 'rpc', url: 'http://127.0.0.1:8550', address: new Uint8Array(20) },
        evidence,
        requests: [settled],
        invitations: [
          {
            ...{ grantId: new Uint8Array(32), patient: patient.patient, author: new Uint8Array(32) },
            ...{ custodians: ['http://127.0.0.1:1'], isFetched: true }
          }
        ]
      }
    }
    guarded = {
      ...full,
      kept: [Uint8Array.of(5)],
      recovery: {
        ...{ patient: patient.patient, seed: new Uint8Array(32), walletKey: new Uint8Array(32).fill(1), evidence }
      },
      logs: [{ ...log, peaks: [new Uint8Array(32)], note: null, receipts: [receipt] }]
    }
  })

  it('reads back, empty and full', () => {
    for (const state of [device, full, guarded]) expect(decodeAgentState(encodeAgentState(state))).to.deep.equal(state)
  })

  itRefusesBadInput({
    area: 'AGENT_STATE',
    maxBytes: 167_772_160,
    valid: () => encodeAgentState(full),
    decode: decodeAgentState,
    mutations: 1_000
  })
})

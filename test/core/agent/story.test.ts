import { expect } from 'chai'
import { Signature, Wallet, verifyTypedData } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import { grantTypes, revocationTypes } from '#core/abi/typed-data/grants.ts'
import { registrationTypes } from '#core/abi/typed-data/patients.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { openAsGrantee, sealAsGrantee } from '#core/agent/grantee-entries.ts'
import { granteeEvidence, patientEvidence } from '#core/agent/grantee-requests.ts'
import { acceptCapsule, advanceDays, createGrantee, type GranteeState } from '#core/agent/grantee-state.ts'
import { openAsPatient, sealAsPatient } from '#core/agent/patient-entries.ts'
import { prepareGrant, type GrantWish, type PatientSigning } from '#core/agent/patient-grant.ts'
import { patientKeys, registrationCall } from '#core/agent/patient-registration.ts'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import { createPatient, type PatientState } from '#core/agent/patient-state.ts'
import { decodePatientState, encodePatientState } from '#core/agent/patient-state-codec.ts'
import { foldRecordOnChain, type RecordOnChain } from '#core/agent/record-on-chain.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import { decodeRotation, verifyRotation } from '#core/grant/rotation.ts'
import { NO_EXPIRY, RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { checkBinding, keyBindingDomain } from '#core/identity/key-binding.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { dayOf } from '#core/record/day.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { SealedEntry } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { chainAgreesWith } from '#test/core/agent/chain-facts.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: {
    AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' }
  }
}
const NOW_S = 1_795_180_000
const TODAY = dayOf(NOW_S * 1000)
const DEADLINE_S = NOW_S + 3600
const CONTENT = { type: 'text/plain', recordedAtMs: NOW_S * 1000, body: utf8('heart rate 72') }

const patientWallet = new Wallet(`0x${'11'.repeat(32)}`)
const doctorWallet = new Wallet(`0x${'22'.repeat(32)}`)
const gatewayWallet = new Wallet(`0x${'33'.repeat(32)}`)
const addressOf = (wallet: Wallet): Uint8Array => fromHex(wallet.address, 20)
const evidenceOf = (wallet: Wallet, keys: AgentKeys): Promise<Uint8Array> =>
  granteeEvidence(keys, {
    target: TARGET,
    notAfterS: NOW_S + 365 * 86_400,
    signTypedData: (...data) => wallet.signTypedData(...data)
  })
const grantsDomain = domain('AccessGrants', TARGET.chainId, TARGET.contracts.AccessGrants.address)

describe('patient and grantee agents', function () {
  const random = seededRandom('agents')
  let patient: PatientState
  let keys: AgentKeys
  let doctorKeys: AgentKeys
  let gatewayKeys: AgentKeys
  let doctor: GranteeState
  let gateway: GranteeState
  let gatewayEvidence: Uint8Array

  const signing = (state: PatientState): PatientSigning => ({
    state,
    keys,
    target: TARGET,
    deadlineS: DEADLINE_S,
    signTypedData: (...data) => patientWallet.signTypedData(...data)
  })

  const wishFor = (wallet: Wallet, granteeKeys: AgentKeys, wish: Partial<GrantWish>): GrantWish => ({
    grantee: addressOf(wallet),
    notBefore: NOW_S,
    expiresAt: NO_EXPIRY,
    rights: RIGHT_READ,
    uses: UNLIMITED_USES,
    bundle: granteeKeys.bundleBytes,
    compartments: ['vitals'],
    purpose: 'TREAT',
    nowS: NOW_S,
    ...wish
  })

  /** What the chain says once the patient has sent what its state remembers. */
  const recordOf = (state: PatientState): RecordOnChain => {
    const id = toHex(state.patient)
    const keyBundle = toHex(keyBundleDigest(keys.bundleBytes))
    const grants = state.grants.map(({ grantId, terms }) => {
      const granted = { patient: id, grantId: toHex(grantId), terms: BigInt(toHex(terms)) }
      return { event: { name: 'Granted' as const, ...granted }, timeS: NOW_S }
    })
    const registered = { name: 'PatientRegistered' as const, patient: id, signer: id, keyBundle }
    return foldRecordOnChain(TARGET, state.patient, [{ event: registered, timeS: NOW_S }, ...grants])
  }

  /** An entry with the evidence of its author: the patient, or the gateway under its grant. */
  const received = (sealed: SealedEntry): ReceivedEntry => {
    const { grant } = decodeEntry(sealed.headerBytes).header
    return { ...sealed, evidenceBytes: grant == null ? patientEvidence(keys) : gatewayEvidence }
  }

  const accept = (state: GranteeState, own: AgentKeys, capsuleBytes: Uint8Array): Promise<GranteeState> =>
    acceptCapsule(p, state, own, capsuleBytes, chainAgreesWith(capsuleBytes))
  const readAs = (reader: GranteeState, sealed: SealedEntry, of: PatientState = patient) =>
    openAsGrantee(p, reader, received(sealed), recordOf(of))
  const readAsPatient = (state: PatientState, sealed: SealedEntry) =>
    openAsPatient(p, state, received(sealed), recordOf(state))

  before(async () => {
    doctorKeys = await keysOf(2, [1, 2])
    gatewayKeys = await keysOf(3)
    gatewayEvidence = await evidenceOf(gatewayWallet, gatewayKeys)
  })

  beforeEach(async () => {
    patient = createPatient(random, TARGET, addressOf(patientWallet))
    keys = await patientKeys(p, patient)
    doctor = createGrantee(patient.network, addressOf(doctorWallet))
    gateway = createGrantee(patient.network, addressOf(gatewayWallet))
  })

  it('keeps a patient’s state through encoding, with its grants and replaced generations', async () => {
    const first = await prepareGrant(p, random, signing(patient), wishFor(doctorWallet, doctorKeys, {}))
    const { state } = await prepareRevocation(p, random, signing(first.state), { grantId: first.grantId, nowS: NOW_S })
    expect(decodePatientState(encodePatientState(state))).to.deep.equal(state)
  })

  it('has the wallet sign the registration of the pseudonym and its key bundle', async () => {
    const call = await registrationCall(patient, keys, signing(patient))
    const [signer, keyBundle, , deadline, signature] = call.args
    const message = { patient: toHex(patient.patient), signer, keyBundle, deadline }
    const registry = domain('AccessGrants', TARGET.chainId, TARGET.contracts.AccessGrants.address)
    expect(verifyTypedData(registry, registrationTypes, message, String(signature))).to.equal(patientWallet.address)
  })

  it('lets a grantee read what was granted from then on, and nothing before or beside it', async () => {
    const { state, capsuleBytes, call } = await prepareGrant(
      p,
      random,
      signing(patient),
      wishFor(doctorWallet, doctorKeys, {})
    )
    const [, , scope, deadline, r, yParityAndS] = call.args
    const message = {
      patient: toHex(patient.patient),
      grantee: doctorWallet.address,
      notBefore: NOW_S,
      expiresAt: NO_EXPIRY,
      rights: RIGHT_READ,
      uses: UNLIMITED_USES,
      scope,
      epoch: 0,
      deadline
    }
    const signature = Signature.from({ r: String(r), yParityAndS: String(yParityAndS) })
    expect(verifyTypedData(grantsDomain, grantTypes, message, signature)).to.equal(patientWallet.address)

    const reader = await accept(doctor, doctorKeys, capsuleBytes)
    const seal = (compartment: 'vitals' | 'mental', day: number) =>
      sealAsPatient(p, random, { state, keys }, { compartment, day, content: CONTENT })
    const opened = readAs(reader, seal('vitals', TODAY))
    expect(opened.content).to.deep.equal(CONTENT)
    expect(opened.compartment).to.equal('vitals')
    expect(opened.author).to.deep.equal({ kind: 'patient' })
    expect(readAs(reader, seal('vitals', TODAY + 3000)).content).to.deep.equal(CONTENT)
    await expectCode('DAY_NOT_COVERED', () => readAs(reader, seal('vitals', TODAY - 1)))
    await expectCode('GRANT_NO_KEY', () => readAs(reader, seal('mental', TODAY)))
    await expectCode('GRANT_NO_KEY', () => readAs(gateway, seal('vitals', TODAY)))
    await expectCode('GRANT_NO_WRITE', () =>
      sealAsGrantee(
        p,
        random,
        { state: reader, keys: doctorKeys, patient: patient.patient },
        { compartment: 'vitals', day: TODAY, content: CONTENT }
      )
    )
  })

  it('opens the past, earlier generations included, with the right to history', async () => {
    const first = await prepareGrant(p, random, signing(patient), wishFor(gatewayWallet, gatewayKeys, {}))
    const old = sealAsPatient(
      p,
      random,
      { state: first.state, keys },
      { compartment: 'vitals', day: TODAY - 900, content: CONTENT }
    )
    const { state } = await prepareRevocation(p, random, signing(first.state), { grantId: first.grantId, nowS: NOW_S })
    const wish = wishFor(doctorWallet, doctorKeys, { rights: RIGHT_READ | RIGHT_HISTORY })
    const { capsuleBytes } = await prepareGrant(p, random, signing(state), wish)
    const reader = await accept(doctor, doctorKeys, capsuleBytes)
    expect(readAs(reader, old).content).to.deep.equal(CONTENT)
  })

  it('prepares no grant of the past before it begins', async () => {
    const early = { rights: RIGHT_READ | RIGHT_HISTORY, notBefore: NOW_S + 365 * 86_400 }
    await expectCode('GRANT_HISTORY_EARLY', () =>
      prepareGrant(p, random, signing(patient), wishFor(doctorWallet, doctorKeys, early))
    )
    const wish = wishFor(doctorWallet, doctorKeys, { notBefore: NOW_S + 86_400 })
    const { state, capsuleBytes } = await prepareGrant(p, random, signing(patient), wish)
    const reader = await accept(doctor, doctorKeys, capsuleBytes)
    const seal = (day: number) =>
      sealAsPatient(p, random, { state, keys }, { compartment: 'vitals', day, content: CONTENT })
    await expectCode('DAY_NOT_COVERED', () => readAs(reader, seal(TODAY)))
    expect(readAs(reader, seal(TODAY + 1)).content).to.deep.equal(CONTENT)
  })

  it('opens of a replaced generation no day after the grant’s last, and all others up to it', async () => {
    const wish = { rights: RIGHT_READ | RIGHT_HISTORY, expiresAt: NOW_S + 3600 }
    const first = await prepareGrant(p, random, signing(patient), wishFor(doctorWallet, doctorKeys, wish))
    const second = await prepareGrant(p, random, signing(first.state), wishFor(gatewayWallet, gatewayKeys, {}))
    const { state } = second
    const [today, tomorrow] = [TODAY, TODAY + 1].map(day =>
      sealAsPatient(p, random, { state, keys }, { compartment: 'vitals', day, content: CONTENT })
    ) as [SealedEntry, SealedEntry]
    const { capsules } = await prepareRevocation(p, random, signing(state), { grantId: second.grantId, nowS: NOW_S })
    const reader = await accept(doctor, doctorKeys, capsules[0]?.capsuleBytes ?? new Uint8Array())
    expect(readAs(reader, today).content).to.deep.equal(CONTENT)
    await expectCode('DAY_NOT_COVERED', () => readAs(reader, tomorrow))
  })

  it('opens what was dated a day ahead under a replaced generation, where the grant lasts', async () => {
    const first = await prepareGrant(p, random, signing(patient), wishFor(doctorWallet, doctorKeys, {}))
    const second = await prepareGrant(p, random, signing(first.state), wishFor(gatewayWallet, gatewayKeys, {}))
    const { state } = second
    const ahead = { compartment: 'vitals', day: TODAY + 1, content: CONTENT } as const
    const tomorrow = sealAsPatient(p, random, { state, keys }, ahead)
    const { capsules } = await prepareRevocation(p, random, signing(state), { grantId: second.grantId, nowS: NOW_S })
    const reader = await accept(doctor, doctorKeys, capsules[0]?.capsuleBytes ?? new Uint8Array())
    expect(readAs(reader, tomorrow).content).to.deep.equal(CONTENT)
  })

  it('opens nothing after its last day', async () => {
    const wish = wishFor(doctorWallet, doctorKeys, { expiresAt: NOW_S + 10 * 86_400 })
    const { state, capsuleBytes } = await prepareGrant(p, random, signing(patient), wish)
    const reader = await accept(doctor, doctorKeys, capsuleBytes)
    const late = sealAsPatient(p, random, { state, keys }, { compartment: 'vitals', day: TODAY + 11, content: CONTENT })
    await expectCode('DAY_NOT_COVERED', () => readAs(reader, late))
  })

  it('lets a writer write, and the patient read it, but not the past once days have gone', async () => {
    const wish = wishFor(gatewayWallet, gatewayKeys, { rights: RIGHT_WRITE })
    const { state, capsuleBytes, grantId } = await prepareGrant(p, random, signing(patient), wish)
    const writer = await accept(gateway, gatewayKeys, capsuleBytes)
    const by = { state: writer, keys: gatewayKeys, patient: patient.patient }
    const sealed = sealAsGrantee(p, random, by, { compartment: 'vitals', day: TODAY, content: CONTENT })
    expect(decodeEntry(sealed.headerBytes).header.grant).to.deep.equal(grantId)
    const opened = readAsPatient(state, sealed)
    expect(opened.content).to.deep.equal(CONTENT)
    expect(opened.author).to.deep.equal({ kind: 'grantee', address: addressOf(gatewayWallet), grantId })

    const tomorrow = advanceDays(p, writer, TODAY + 1)
    await expectCode('DAY_NOT_COVERED', () => readAs(tomorrow, sealed))
    const next = sealAsGrantee(
      p,
      random,
      { ...by, state: tomorrow },
      { compartment: 'vitals', day: TODAY + 1, content: CONTENT }
    )
    expect(readAsPatient(state, next).compartment).to.equal('vitals')
  })

  it('closes the record to a revoked grantee and hands the new keys to those who remain', async () => {
    const forDoctor = await prepareGrant(p, random, signing(patient), wishFor(doctorWallet, doctorKeys, {}))
    const wish = wishFor(gatewayWallet, gatewayKeys, { rights: RIGHT_WRITE })
    const forGateway = await prepareGrant(p, random, signing(forDoctor.state), wish)
    const reader = await accept(doctor, doctorKeys, forDoctor.capsuleBytes)
    const oldWriter = await accept(gateway, gatewayKeys, forGateway.capsuleBytes)
    const before = sealAsGrantee(
      p,
      random,
      { state: oldWriter, keys: gatewayKeys, patient: patient.patient },
      { compartment: 'vitals', day: TODAY, content: CONTENT }
    )

    const revocation = await prepareRevocation(p, random, signing(forGateway.state), {
      grantId: forDoctor.grantId,
      nowS: NOW_S
    })
    const [patientHex, scope, deadline, signer, signature] = revocation.call.args
    expect(signer).to.equal(toHex(addressOf(patientWallet)))
    const message = { patient: patientHex, scope, deadline }
    expect(verifyTypedData(grantsDomain, revocationTypes, message, String(signature))).to.equal(patientWallet.address)

    const rotation = decodeRotation(revocation.rotationBytes, revocation.state)
    expect(verifyRotation(p, rotation)).to.equal(true)
    expect(rotation.retired).to.deep.equal([decodeEntry(before.headerBytes).header.tag])

    expect(revocation.capsules).to.have.length(1)
    const [reissued] = revocation.capsules
    const capsuleBytes = reissued?.capsuleBytes ?? new Uint8Array()
    expect(decodeCapsule(capsuleBytes).revision).to.equal(2)
    const writer = await accept(oldWriter, gatewayKeys, capsuleBytes)
    const after = sealAsGrantee(
      p,
      random,
      { state: writer, keys: gatewayKeys, patient: patient.patient },
      { compartment: 'vitals', day: TODAY, content: CONTENT }
    )

    expect(readAs(reader, before, revocation.state).content).to.deep.equal(CONTENT)
    await expectCode('GRANT_NO_KEY', () => readAs(reader, after))
    expect(readAsPatient(revocation.state, before).content).to.deep.equal(CONTENT)
    expect(readAsPatient(revocation.state, after).content).to.deep.equal(CONTENT)
    await expectCode('CAPSULE_STALE', () => accept(writer, gatewayKeys, forGateway.capsuleBytes))
    await expectCode('GRANT_UNKNOWN', () =>
      prepareRevocation(p, random, signing(revocation.state), { grantId: forDoctor.grantId, nowS: NOW_S })
    )
  })

  it('gives no new keys to a grant that has expired', async () => {
    const wish = wishFor(doctorWallet, doctorKeys, { expiresAt: NOW_S + 60 })
    const expiring = await prepareGrant(p, random, signing(patient), wish)
    const lasting = await prepareGrant(p, random, signing(expiring.state), wishFor(gatewayWallet, gatewayKeys, {}))
    const { capsules } = await prepareRevocation(p, random, signing(lasting.state), {
      grantId: lasting.grantId,
      nowS: NOW_S + 61
    })
    expect(capsules).to.deep.equal([])
  })

  it('refuses a capsule for someone else, or that differs from the chain', async () => {
    const { capsuleBytes } = await prepareGrant(p, random, signing(patient), wishFor(doctorWallet, doctorKeys, {}))
    const { terms } = decodeCapsule(capsuleBytes)
    await expectCode('CAPSULE_ADDRESS', () => accept(gateway, gatewayKeys, capsuleBytes))
    await expectCode('CAPSULE_RECIPIENT', () => accept(doctor, gatewayKeys, capsuleBytes))
    const onChain = { terms: BigInt(toHex(terms)), keyBundle: new Uint8Array(32) }
    await expectCode('CAPSULE_CHAIN', () => acceptCapsule(p, doctor, doctorKeys, capsuleBytes, onChain))
  })

  it('shows evidence that ties a grantee’s keys to its address', async () => {
    const signTypedData: PatientSigning['signTypedData'] = (...data) => doctorWallet.signTypedData(...data)
    const bytes = await granteeEvidence(doctorKeys, { target: TARGET, notAfterS: DEADLINE_S, signTypedData })
    const bindingDomain = keyBindingDomain(TARGET.chainId, TARGET.contracts.AccessGrants.address)
    const evidence = decodeEvidence(bytes)
    checkBinding(bindingDomain, evidence, { address: doctorWallet.address, nowS: NOW_S })
    await expectCode('BINDING_EXPIRED', () => {
      checkBinding(bindingDomain, evidence, { address: doctorWallet.address, nowS: DEADLINE_S + 1 })
    })
    await expectCode('BINDING_ADDRESS', () => {
      checkBinding(bindingDomain, evidence, { address: gatewayWallet.address, nowS: NOW_S })
    })
  })
})

import { claimGrant } from '#scripts/story/capsules.ts'
import { registrationCall } from '#core/agent/patient-registration.ts'
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { prepareGrant } from '#core/agent/patient-grant.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES } from '#core/grant/terms.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { dayOf } from '#core/record/day.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { NOTE } from '#scripts/story/markers.ts'
import { followedTo } from '#scripts/story/network.ts'
import {
  createDemoClinician,
  createDemoPatient,
  deadlineS,
  nowS,
  osRandom,
  type DemoClinician,
  type DemoPatient
} from '#scripts/story/people.ts'
import { publishEntry, relay } from '#agent/network/record.ts'
import { readRecord } from '#scripts/story/read.ts'
import { expectThat, nodeAt, type Cast, type Stage } from '#scripts/story/stage.ts'
import { until } from '#scripts/story/until.ts'

const YEAR_S = 365 * 24 * 3600

/** Registers the patient, makes the clinicians, grants the doctor and writes a first entry that the doctor reads. */
export async function playGrant(stage: Stage): Promise<Cast> {
  const { report } = stage
  const patient = await report.step('patient', 'The patient registers a pseudonym; the hospital’s relayer pays', () =>
    registerPatient(stage)
  )
  const [doctor, nurse] = await report.step('clinicians', 'A doctor and a nurse make their keys', async () => [
    await createDemoClinician(stage.deployment),
    await createDemoClinician(stage.deployment)
  ])
  const doctorGrant = await report.step('grant', 'The patient lets the doctor read vitals and documents', () =>
    giveGrant(stage, patient, {
      address: doctor.address,
      bundle: doctor.keys.bundleBytes,
      rights: RIGHT_READ | RIGHT_HISTORY,
      compartments: ['vitals', 'documents']
    })
  )
  await report.step('note', 'The patient writes a note; the doctor reads it at another node', () =>
    writeAndReadNote(stage, patient, doctor, doctorGrant)
  )
  return { patient, doctor, nurse, doctorGrant }
}

async function registerPatient(stage: Stage): Promise<DemoPatient> {
  const patient = await createDemoPatient(stage.deployment)
  const { state, keys, signTypedData } = patient
  const call = await registrationCall(state, keys, { target: stage.deployment, deadlineS: deadlineS(), signTypedData })
  await followedTo(stage.nodes, await relay(nodeAt(stage, 0).client, call))
  return patient
}

/** Grants and hands out the capsule; resolves when every node knows both. */
export async function giveGrant(
  stage: Stage,
  patient: DemoPatient,
  wish: {
    readonly address: Uint8Array
    readonly bundle: Uint8Array
    readonly rights: number
    readonly compartments: readonly ('vitals' | 'documents')[]
  }
): Promise<Uint8Array> {
  const prepared = await prepareGrant(
    nativePrimitives,
    osRandom,
    { ...signing(stage, patient) },
    {
      grantee: wish.address,
      bundle: wish.bundle,
      rights: wish.rights,
      uses: UNLIMITED_USES,
      // A minute back: the chain's clock and this one need not agree to the second.
      notBefore: nowS() - 60,
      expiresAt: nowS() + YEAR_S,
      compartments: wish.compartments,
      purpose: (wish.rights & RIGHT_WRITE) === 0 ? 'treatment' : 'monitoring',
      nowS: nowS()
    }
  )
  await followedTo(stage.nodes, await relay(nodeAt(stage, 0).client, prepared.call))
  patient.state = prepared.state
  await publishCapsule(stage, patient, prepared.capsuleBytes)
  return prepared.grantId
}

/** Hands a capsule to the first node. */
export async function publishCapsule(stage: Stage, patient: DemoPatient, capsule: Uint8Array): Promise<void> {
  await nodeAt(stage, 0).client.publish(encodeMessage({ kind: 'capsule', network: patient.state.network, capsule }))
}

/** What signs for the patient now. */
export function signing(stage: Stage, patient: DemoPatient) {
  const { state, keys, signTypedData } = patient
  return { state, keys, target: stage.deployment, deadlineS: deadlineS(), signTypedData }
}

/** Seals and hands in a note with the markers, as the patient. */
export async function writeNote(stage: Stage, patient: DemoPatient): Promise<void> {
  const entry = sealAsPatient(nativePrimitives, osRandom, patient, {
    compartment: 'documents',
    day: dayOf(Date.now()),
    content: { type: 'application/octet-stream', recordedAtMs: Date.now(), body: NOTE }
  })
  await publishEntry(nodeAt(stage, 0).client, patient.state.network, entry, patient.evidence)
}

async function writeAndReadNote(
  stage: Stage,
  patient: DemoPatient,
  doctor: DemoClinician,
  grant: Uint8Array
): Promise<void> {
  const elsewhere = nodeAt(stage, 2)
  await writeNote(stage, patient)
  await until('the capsule has reached the volunteer’s node', 20_000, () => claimGrant(stage, elsewhere, doctor, grant))
  await until('the note has reached the volunteer’s node', 20_000, async () => {
    const entries = await readRecord(elsewhere.client, doctor, patient.state.patient, grant)
    return entries.length === 1
  })
  const [entry] = await readRecord(elsewhere.client, doctor, patient.state.patient, grant)
  expectThat(entry != null, 'the note is there')
  const record = await stage.facts.recordOf(patient.state.patient)
  const { content, author } = openAsGrantee(nativePrimitives, doctor.state, entry, record)
  expectThat(author.kind === 'patient', 'the chain says that the patient wrote it')
  expectThat(equalBytes(content.body, NOTE), 'the doctor reads what the patient wrote')
}

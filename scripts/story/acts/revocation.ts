import { openAsPatient } from '#core/agent/patient-entries.ts'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { publishCapsule, signing, writeNote } from '#scripts/story/acts/grant.ts'
import { codeOf, forceOpen } from '#scripts/story/acts/strangers.ts'
import { opensWithAnyKey } from '#scripts/story/any-key.ts'
import { nowS, osRandom } from '#scripts/story/people.ts'
import { relay } from '#agent/network/record.ts'
import { readRecord } from '#scripts/story/read.ts'
import { expectThat, nodeAt, type Cast, type Stage } from '#scripts/story/stage.ts'
import { until } from '#scripts/story/until.ts'

/**
 * The patient ends the doctor's grant; what is written afterwards stays shut.
 *
 * @param monitorOn - lets the gateway, whose grant remains, write one more batch
 */
export async function playRevocation(stage: Stage, cast: Cast, monitorOn: () => Promise<void>): Promise<void> {
  const { patient, doctor, doctorGrant } = cast
  const { report, nodes } = stage
  const before = await readRecord(nodeAt(stage, 0).client, patient, patient.state.patient, null)

  await report.step('revoke', 'The patient revokes; every node refuses the doctor', async () => {
    const wish = { grantId: doctorGrant, nowS: nowS() }
    const prepared = await prepareRevocation(nativePrimitives, osRandom, signing(stage, patient), wish)
    await relay(nodeAt(stage, 0).client, prepared.call)
    patient.state = prepared.state
    const { network } = patient.state
    await nodeAt(stage, 0).client.publish(
      encodeMessage({ kind: 'rotation', network, rotation: prepared.rotationBytes })
    )
    for (const { capsuleBytes } of prepared.capsules) {
      await publishCapsule(stage, patient, capsuleBytes)
      const code = await forceOpen(capsuleBytes, doctor)
      expectThat(code === 'HPKE_OPEN', `the new keys of those who remain, with the doctor’s keys: ${code}`)
    }
    await until('every node refuses the doctor', 20_000, async () => {
      const codes = await Promise.all(
        nodes.map(({ client }) => codeOf(readRecord(client, doctor, patient.state.patient, doctorGrant)))
      )
      return codes.every(code => code === 'READ_REVOKED')
    })
  })

  await report.step(
    'after-revocation',
    'New notes and readings open for the patient, and with no key of the doctor',
    async () => {
      await writeNote(stage, patient)
      await monitorOn()
      const all = await readRecord(nodeAt(stage, 0).client, patient, patient.state.patient, null)
      const newer = all.slice(before.length)
      expectThat(newer.length >= 2, 'a new note and a new batch are there')
      const record = await stage.facts.recordOf(patient.state.patient)
      for (const entry of newer) {
        openAsPatient(nativePrimitives, patient.state, entry, record)
        expectThat(
          !opensWithAnyKey(doctor.state, entry),
          'no key of the doctor opens what was sealed after the revocation'
        )
      }
      expectThat(
        before.some(entry => opensWithAnyKey(doctor.state, entry)),
        'the same search finds what the doctor could open'
      )
    }
  )
}

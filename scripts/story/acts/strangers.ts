import { isSalusError } from '#core/error.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { acceptCapsule } from '#core/agent/grantee-state.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { opensWithAnyKey } from '#scripts/story/any-key.ts'
import { capsuleOnChain } from '#scripts/story/chain-facts.ts'
import { readRecord } from '#scripts/story/record.ts'
import { expectThat, nodeAt, type Cast, type Stage } from '#scripts/story/stage.ts'

/** The code of the error that a promise fails with, or `no error`. */
export async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'no error'
  } catch (error) {
    if (isSalusError(error)) return error.code
    throw error
  }
}

/** The nurse has no grant: no node hands her anything, and what she might take from a disk does not open. */
export async function playStrangers(stage: Stage, { patient, doctor, nurse, doctorGrant }: Cast): Promise<void> {
  await stage.report.step(
    'nurse',
    'The nurse, who was granted nothing, is refused by every node and opens nothing',
    async () => {
      const { patient: id } = patient.state
      for (const { client } of stage.nodes) {
        const underHisGrant = await codeOf(readRecord(client, nurse, id, doctorGrant))
        const asIfThePatient = await codeOf(readRecord(client, nurse, id, null))
        expectThat(underHisGrant.startsWith('READ_'), `under the doctor’s grant: ${underHisGrant}`)
        expectThat(asIfThePatient.startsWith('READ_'), `as if she were the patient: ${asIfThePatient}`)
      }
      const [capsule] = await nodeAt(stage, 0).client.queryCapsules(toHex(doctorGrant))
      expectThat(capsule != null, 'the doctor’s capsule is public')
      const onChain = await capsuleOnChain(stage, doctorGrant, id)
      const asDoctor = { ...nurse.state, address: doctor.address }
      const stolen = await codeOf(acceptCapsule(nativePrimitives, asDoctor, nurse.keys, capsule.capsule, onChain))
      expectThat(stolen === 'CAPSULE_RECIPIENT', `the doctor’s capsule with the nurse’s keys: ${stolen}`)
      const entries: ReceivedEntry[] = await readRecord(nodeAt(stage, 0).client, patient, id, null)
      expectThat(entries.length > 0 && !entries.some(entry => opensWithAnyKey(nurse.state, entry)), 'nothing opens')
    }
  )
}

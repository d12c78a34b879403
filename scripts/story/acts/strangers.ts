import { keccak_256 } from '@noble/hashes/sha3.js'
import { isSalusError } from '#core/error.ts'
import { acceptCapsule } from '#core/agent/grantee-state.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeCapsule, openCapsule } from '#core/grant/capsule.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { DemoClinician } from '#scripts/story/people.ts'
import { readRecord } from '#scripts/story/read.ts'
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

/** Tries to open a capsule with somebody's keys, whomever it says that it is for; the code that this fails with. */
export async function forceOpen(capsuleBytes: Uint8Array, { keys }: DemoClinician): Promise<string> {
  const capsule = decodeCapsule(capsuleBytes)
  const key = keys.kemSecrets.find(({ suite }) => suite === capsule.suite)
  expectThat(key != null, 'there is a key of that suite')
  return codeOf(openCapsule({ ...capsule, kemKey: keccak_256(key.publicKey) }, keys))
}

/** The nurse has no grant: no node hands her anything, and what she might take from a disk does not open. */
export async function playStrangers(stage: Stage, { patient, doctor, nurse, doctorGrant }: Cast): Promise<void> {
  await stage.report.step(
    'nurse',
    'The nurse, who was granted nothing, is refused by every node; her keys open no capsule',
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
      const onChain = await stage.facts.capsuleOf(doctorGrant, id)
      const asDoctor = { ...nurse.state, address: doctor.address }
      const stolen = await codeOf(acceptCapsule(nativePrimitives, asDoctor, nurse.keys, capsule.capsule, onChain))
      expectThat(stolen === 'CAPSULE_RECIPIENT', `the doctor’s capsule with the nurse’s keys: ${stolen}`)
      const forced = await forceOpen(capsule.capsule, nurse)
      expectThat(forced === 'HPKE_OPEN', `the same, made out to the nurse: ${forced}`)
      const itsOwn = await forceOpen(capsule.capsule, doctor)
      expectThat(itsOwn === 'no error', `the same way with the doctor’s own keys: ${itsOwn}`)
    }
  )
}

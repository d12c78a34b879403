import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import { openAsPatient } from '#core/agent/patient-entries.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { dayOf } from '#core/record/day.ts'
import { leafFromCover } from '#core/record/day-tree.ts'
import { sealEntry, type SealedEntry } from '#core/record/seal-entry.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { codeOf } from '#scripts/story/acts/strangers.ts'
import { createDemoClinician, osRandom, type DemoClinician } from '#scripts/story/people.ts'
import { publishEntry } from '#agent/network/record.ts'
import { expectThat, nodeAt, type Cast, type Stage } from '#scripts/story/stage.ts'

/** A key that opens also seals: whoever took the doctor's keys can make entries, but nobody takes or believes them. */
export async function playForgery(stage: Stage, { patient, doctor, doctorGrant }: Cast): Promise<void> {
  await stage.report.step(
    'forgery',
    'An entry forged with the doctor’s read keys is refused by the node, the patient and the doctor',
    async () => {
      const { network, patient: id } = patient.state
      const record = await stage.facts.recordOf(id)
      const stranger = await createDemoClinician(stage.deployment)
      const forgeries = [
        { author: stranger, evidence: stranger.evidence, grant: null },
        { author: stranger, evidence: patient.evidence, grant: null },
        { author: stranger, evidence: stranger.evidence, grant: doctorGrant },
        // The doctor himself may read, not write.
        { author: doctor, evidence: doctor.evidence, grant: doctorGrant }
      ]
      for (const { author, evidence, grant } of forgeries) {
        const forged = forge(doctor, id, author, grant)
        const handedIn = await codeOf(publishEntry(nodeAt(stage, 0).client, network, forged, evidence))
        expectThat(REFUSALS.includes(handedIn), `the node refuses it for its author: ${handedIn}`)
        const received: ReceivedEntry = { ...forged, evidenceBytes: evidence }
        for (const open of [
          () => openAsPatient(nativePrimitives, patient.state, received, record),
          () => openAsGrantee(nativePrimitives, doctor.state, received, record)
        ]) {
          const code = await codeOf(Promise.resolve().then(open))
          expectThat(REFUSALS.includes(code), `handed over directly, it is refused for its author: ${code}`)
        }
      }
    }
  )
}

/** Codes that speak of the author; any other would mean that the forgery was not as good as its maker could have made it. */
const REFUSALS = ['PATIENT_KEYS', 'ENTRY_AUTHOR_UNPROVEN', 'EVIDENCE_AUTHOR', 'GRANT_NO_RIGHT']

function forge(
  { state }: DemoClinician,
  patient: Uint8Array,
  author: DemoClinician,
  grant: Uint8Array | null
): SealedEntry {
  const key = state.grants[0]?.keys.find(({ compartment }) => compartment === 'documents')
  expectThat(key != null, 'the doctor has a key of the documents')
  const day = dayOf(Date.now())
  const { tag, generation, cover } = key
  return sealEntry(nativePrimitives, osRandom, {
    ...{ network: state.network, patient, tag, generation, day, grant },
    leafKey: leafFromCover(nativePrimitives, cover, day),
    author: author.keys,
    content: { type: 'text/plain', recordedAtMs: Date.now(), body: utf8('no allergies known') }
  })
}

import { randomBytes } from 'node:crypto'
import { concat, utf8 } from '#core/encoding/bytes.ts'

const NAME = 'Erika-Musterfrau-Plaintext-Marker'
const ALLERGY = 'Allergy-to-Penicillin-Plaintext-Marker'

/** Random bytes, which compression leaves as they are: without encryption they would lie on a disk just so. */
const ATTACHMENT = new Uint8Array(randomBytes(4096))

/** What only the patient and those who were granted access may ever see; the last act searches every disk for it. */
export const MARKERS: Readonly<Record<string, Uint8Array>> = {
  name: utf8(NAME),
  allergy: utf8(ALLERGY),
  attachment: ATTACHMENT.subarray(2000, 2048)
}

/** The patient's note of the story: a FHIR R4 AllergyIntolerance and an attachment, with the markers in them. */
export const NOTE: Uint8Array = concat(
  utf8(
    JSON.stringify({
      resourceType: 'AllergyIntolerance',
      clinicalStatus: { text: 'active' },
      code: { text: ALLERGY },
      patient: { display: NAME }
    })
  ),
  ATTACHMENT
)

/** Words that only the patient and those who were granted access may ever see; the last act searches every disk for them. */
export const MARKERS = ['Erika-Musterfrau-Plaintext-Marker', 'Allergy-to-Penicillin-Plaintext-Marker'] as const

/** The patient's note of the story, a FHIR R4 AllergyIntolerance, with the markers in it. */
export function noteWithMarkers(): string {
  return JSON.stringify({
    resourceType: 'AllergyIntolerance',
    clinicalStatus: { text: 'active' },
    code: { text: MARKERS[1] },
    patient: { display: MARKERS[0] }
  })
}

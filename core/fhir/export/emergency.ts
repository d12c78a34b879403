import { patientSummary, type IpsInit, type IpsResource } from '#core/fhir/export/ips.ts'
import { FHIR_JSON } from '#core/fhir/import/planned-entry.ts'
import { isSensitive, type SensitiveCompartment } from '#core/fhir/sensitivity/rank.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** A resource and the section of the record that it was found in. */
export interface PlacedIpsResource extends IpsResource {
  readonly compartment: Compartment
}

/** What the emergency section holds: one entry, written anew whenever something in it changes. */
export interface EmergencyEntry {
  readonly compartment: Extract<Compartment, 'emergency'>
  readonly type: string
  /** A patient summary. */
  readonly text: string
}

/**
 * The summary that an ambulance crew sees after breaking the glass (docs/specs/fhir.md#emergency). It is a copy: what it is made of stays
 * in its own section. Nothing of a sensitive section is in it unless the patient said so for that section.
 *
 * @param includes - sensitive sections that the patient wants a crew to see
 * @throws SalusError `FHIR_NO_PATIENT`
 */
export function emergencySummary(
  resources: readonly PlacedIpsResource[],
  init: IpsInit,
  includes: readonly SensitiveCompartment[] = []
): EmergencyEntry {
  const shown = resources.filter(({ compartment }) => !isSensitive(compartment) || includes.includes(compartment))
  return { compartment: 'emergency', type: FHIR_JSON, text: patientSummary(shown, init) }
}

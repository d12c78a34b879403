import type { Primitives } from '#core/crypto/primitives.ts'
import { surveyImport, type ImportSource, type Survey } from '#core/fhir/import/survey.ts'
import { createFhirValidator, type FhirValidator } from '#core/fhir/validate.ts'
import type { Compartment } from '#core/record/compartment.ts'

let validator: Promise<FhirValidator> | undefined

/**
 * Reads a source for the first time: where each resource has to lie, and whether it is sound.
 *
 * @throws SalusError as `surveyImport`
 */
export async function checkImport(
  primitives: Primitives,
  source: ImportSource,
  today: number,
  elsewhere: (name: string) => Compartment | undefined
): Promise<Survey> {
  validator ??= createFhirValidator()
  return surveyImport(source, { primitives, today, elsewhere, validator: await validator })
}

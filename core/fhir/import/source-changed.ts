import { SalusError } from '#core/error.ts'

/** Refuses a second reading that finds something else than the first. */
export function refuseChange(): never {
  throw new SalusError('FHIR_SOURCE_CHANGED', 'The source changed while it was imported; import it again.')
}

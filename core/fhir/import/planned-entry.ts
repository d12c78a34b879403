import type { Place } from '#core/fhir/import/survey.ts'

/** Media type of an entry that holds one resource. */
export const FHIR_JSON = 'application/fhir+json'

/** Media type of an entry that holds several, one a line. */
export const FHIR_NDJSON = 'application/fhir+ndjson'

/** A part of an attachment, before it has an id. */
export interface PlannedPart extends Place {
  readonly type: string
  readonly body: Uint8Array
}

/** One entry to seal. */
export interface PlannedEntry extends Place {
  readonly kind: 'resource' | 'batch' | 'attachment' | 'manifest'
  /** The entry's id, 16 random bytes. */
  readonly entry: Uint8Array
  /** Media type of the body. */
  readonly type: string
  readonly body: Uint8Array
  /** `Type/id` of the one resource that it holds, as its source calls it; null for anything else. */
  readonly name: string | null
}

import { isSalusError } from '#core/error.ts'
import { encodeBodyRow } from '#core/fhir/server/body-row.ts'
import { indexBody, isFhirType } from '#core/fhir/server/indexed-body.ts'
import type { Content } from '#core/record/content.ts'

/** What the patient's index keeps of a body of FHIR; null of anything else, and of what has no canonical form. */
export function fhirRow({ type, body }: Pick<Content, 'type' | 'body'>): Uint8Array | null {
  if (!isFhirType(type)) return null
  try {
    return encodeBodyRow(indexBody(type, body).lines)
  } catch (error) {
    if (isSalusError(error)) return null
    throw error
  }
}

import { isSalusError } from '#core/error.ts'
import { encodeBodyRow, MAX_BODY_ROW_BYTES } from '#core/fhir/server/body-row.ts'
import { indexBody, isFhirType } from '#core/fhir/server/indexed-body.ts'
import type { Content } from '#core/record/content.ts'

/** What the patient's index keeps of a body of FHIR; null of anything else, of what has no canonical form, and of too much. */
export function fhirRow({ type, body }: Pick<Content, 'type' | 'body'>): Uint8Array | null {
  if (!isFhirType(type)) return null
  try {
    const row = encodeBodyRow(indexBody(type, body).lines)
    return row.length > MAX_BODY_ROW_BYTES ? null : row
  } catch (error) {
    if (isSalusError(error)) return null
    throw error
  }
}

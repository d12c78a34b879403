/**
 * What is kept of a body of FHIR so that it can be found, and named on the endpoint, without opening it again
 * (docs/specs/agent-index.md#rows). What was decrypted is checked here: what is no sound JSON has issues, and is not served.
 */
import { isSalusError } from '#core/error.ts'
import { FHIR_JSON, FHIR_NDJSON } from '#core/fhir/import/planned-entry.ts'
import { isJsonObject, parseJson, type JsonObject } from '#core/fhir/json/parse.ts'
import { termsOf, type ResourceTerms } from '#core/fhir/search/index-resource.ts'
import { contentsOf, type NamedContent } from '#core/fhir/server/served.ts'
import type { FhirIssue, FhirValidator } from '#core/fhir/validate.ts'

const LINE_END = 0x0a
const ID = /^[A-Za-z0-9\-.]{1,64}$/

/** One resource of a body. */
export interface IndexedLine extends ResourceTerms {
  /** From 0; null where the body is one resource. */
  readonly line: number | null
  /** Its own id, if that can be a name. */
  readonly ownId: string | null
  /** Its attachments whose contents have entries of their own. */
  readonly contents: readonly NamedContent[]
}

/** All resources of a body, and what is wrong with it. */
export interface IndexedBody {
  readonly lines: readonly IndexedLine[]
  readonly issues: readonly FhirIssue[]
}

/** Whether content of a media type is FHIR to serve. */
export function isFhirType(type: string): boolean {
  return type === FHIR_JSON || type === FHIR_NDJSON
}

/**
 * Indexes a body.
 *
 * @param validator - reports what is unsound; that is served all the same, as hospitals' data often are
 */
export function indexBody(type: string, body: Uint8Array, validator?: FhirValidator): IndexedBody {
  const taken = linesOf(type, body).map(({ bytes, line }): IndexedBody => {
    const resource = resourceIn(bytes)
    if (typeof resource === 'string') return { lines: [], issues: [unsound(resource)] }
    const { id } = resource
    const ownId = typeof id === 'string' && ID.test(id) ? id : null
    const indexed = { ...termsOf(resource), line, ownId, contents: contentsOf(bytes) }
    return { lines: [indexed], issues: validator?.checkValue(resource) ?? [] }
  })
  return { lines: taken.flatMap(({ lines }) => lines), issues: taken.flatMap(({ issues }) => issues) }
}

/** The resource, or the code of what is wrong with its bytes. */
function resourceIn(bytes: Uint8Array): JsonObject | string {
  try {
    const value = parseJson(bytes)
    return isJsonObject(value) && typeof value['resourceType'] === 'string' ? value : 'structure'
  } catch (error) {
    if (isSalusError(error)) return error.code
    throw error
  }
}

function unsound(code: string): FhirIssue {
  return { severity: 'error', code, text: 'The entry holds no sound FHIR resource.' }
}

function linesOf(type: string, body: Uint8Array): { readonly bytes: Uint8Array; readonly line: number | null }[] {
  if (type === FHIR_JSON) return [{ bytes: body, line: null }]
  const lines: { bytes: Uint8Array; line: number }[] = []
  for (let from = 0; from <= body.length;) {
    const end = body.indexOf(LINE_END, from)
    const to = end < 0 ? body.length : end
    lines.push({ bytes: body.subarray(from, to), line: lines.length })
    from = to + 1
  }
  return lines
}

/**
 * Checks resources against FHIR R4 (docs/specs/fhir.md#validation). What was decrypted is checked like what was imported: a key
 * that opens an entry also seals one.
 */
import { OperationOutcomeError, loadDataType, validateResource } from '@medplum/core'
import type { Resource, StructureDefinition } from '@medplum/fhirtypes'
import { isSalusError } from '#core/error.ts'
import { isJsonObject, parseJson, type JsonObject } from '#core/fhir/json/parse.ts'
import type { JsonLimits } from '#core/fhir/json/scanner.ts'
import { isKnownType } from '#core/fhir/resource-types.ts'

/** What is checked at once: the check cannot be stopped, so its input is bounded. Larger resources are refused unchecked. */
export const VALIDATION_LIMITS: JsonLimits = { maxBytes: 4_194_304, maxDepth: 64, maxItems: 100_000 }

/** The library takes the beginning of an absolute reference for a resource type. */
const MISREAD_REFERENCE = /^Invalid reference: got "(?:https?|urn):/

const MAX_ISSUES = 100
const MAX_TEXT = 200

/** One thing that is wrong with a resource, as FHIR's OperationOutcome has it. */
export interface FhirIssue {
  readonly severity: 'error' | 'warning' | 'information'
  /** Of FHIR's issue types, or a code of docs/errors.md for what is no JSON to begin with. */
  readonly code: string
  /** Where, as a FHIRPath; never what stands there. */
  readonly expression?: string
  readonly text: string
}

/** Checks resources. */
export interface FhirValidator {
  /** The issues of one resource's bytes; none if it is sound. */
  check(bytes: Uint8Array): readonly FhirIssue[]
  /** The same for what was parsed already within the limits. */
  checkValue(value: unknown): readonly FhirIssue[]
}

/** Loads the definitions, which are kept out of the way until then, and makes a validator. */
export async function createFhirValidator(): Promise<FhirValidator> {
  const { DATA_TYPES, RESOURCES } = await import('#core/fhir/definitions/r4.ts')
  const loaded = new Set<string>()
  const load = (type: string): void => {
    const definition = RESOURCES[type]
    if (definition == null || loaded.has(type)) return
    loaded.add(type)
    loadDataType(JSON.parse(definition) as StructureDefinition)
  }
  for (const definition of DATA_TYPES) loadDataType(JSON.parse(definition) as StructureDefinition)
  load('Resource')
  load('DomainResource')
  const checkValue = (value: unknown): readonly FhirIssue[] => {
    for (const type of typesIn(value)) {
      if (typeof type !== 'string' || !isKnownType(type)) return [UNKNOWN_TYPE]
      load(type)
    }
    return validated(value)
  }
  const check = (bytes: Uint8Array): readonly FhirIssue[] => {
    let value: unknown
    try {
      value = parseJson(bytes, VALIDATION_LIMITS)
    } catch (error) {
      if (!isSalusError(error)) throw error
      return [{ severity: 'error', code: error.code, text: error.message }]
    }
    return checkValue(value)
  }
  return { check, checkValue }
}

const UNKNOWN_TYPE: FhirIssue = {
  severity: 'error',
  code: 'not-supported',
  text: 'This is no resource of a type that records hold.'
}

/** The types of a resource and of those within it. */
function typesIn(value: unknown): unknown[] {
  if (!isJsonObject(value)) return [undefined]
  const within = (list: unknown): JsonObject[] => (Array.isArray(list) ? list.filter(isJsonObject) : [])
  const nested = [
    ...within(value['contained']),
    ...[...within(value['entry']), ...within(value['parameter'])].map(each => each['resource']).filter(isJsonObject)
  ]
  return [value['resourceType'], ...nested.flatMap(typesIn)]
}

function validated(value: unknown): readonly FhirIssue[] {
  try {
    return issuesOf(validateResource(value as Resource, { base64BinaryMaxBytes: VALIDATION_LIMITS.maxBytes }))
  } catch (error) {
    if (error instanceof OperationOutcomeError) return issuesOf(error.outcome.issue)
    // The library stumbles over some shapes that it does not expect, such as a number where an object belongs.
    return [{ severity: 'error', code: 'structure', text: 'The resource is not built as its type asks.' }]
  }
}

function issuesOf(issues: NonNullable<OperationOutcomeError['outcome']['issue']>): readonly FhirIssue[] {
  const real = issues.filter(({ details }) => !MISREAD_REFERENCE.test(details?.text ?? ''))
  return real.slice(0, MAX_ISSUES).map(({ severity, code, expression, details }) => ({
    severity: severity === 'fatal' ? 'error' : severity,
    code,
    ...(expression?.[0] == null ? {} : { expression: expression[0] }),
    text: (details?.text ?? 'The resource is not built as its type asks.').slice(0, MAX_TEXT)
  }))
}

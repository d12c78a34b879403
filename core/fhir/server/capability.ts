import { RESOURCE_TYPES } from '#core/fhir/resource-types.ts'
import { SPECIAL, parametersOf } from '#core/fhir/search/parameters.ts'

/** The CapabilityStatement of the read-only endpoint, made from the tables that it works by. */
export function capabilityStatement(base: string, date: string): unknown {
  const resource = Object.keys(RESOURCE_TYPES).map(type => ({
    type,
    interaction: [{ code: 'read' }, { code: 'search-type' }],
    versioning: 'no-version',
    readHistory: false,
    searchParam: [
      ...Object.entries(SPECIAL).map(([name, kind]) => ({ name, type: kind })),
      ...Object.entries(parametersOf(type)).map(([name, { kind }]) => ({ name, type: kind }))
    ]
  }))
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date,
    kind: 'instance',
    software: { name: 'Salus' },
    implementation: { description: 'One person’s record, read-only, on the person’s own machine', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [{ mode: 'server', security: { description: 'A bearer token of this machine' }, resource }]
  }
}

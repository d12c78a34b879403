/** Decides in which section of the record a resource lies, before it is sealed (docs/specs/fhir.md#compartments). */
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'
import { RESOURCE_TYPES, isKnownType } from '#core/fhir/resource-types.ts'
import { findSensitive } from '#core/fhir/sensitivity/find.ts'
import { isSensitive, strictest } from '#core/fhir/sensitivity/rank.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** Sections by the code of a category, for the types whose resources lie in several. */
const CATEGORIES: Readonly<Record<string, Readonly<Record<string, Compartment>>>> = {
  Observation: {
    'vital-signs': 'vitals',
    laboratory: 'labs',
    imaging: 'imaging',
    'social-history': 'conditions',
    survey: 'conditions',
    exam: 'conditions',
    therapy: 'conditions',
    activity: 'vitals',
    procedure: 'conditions'
  },
  // HL7 v2 table 0074.
  DiagnosticReport: {
    GE: 'genomics',
    CG: 'genomics',
    RAD: 'imaging',
    RUS: 'imaging',
    CT: 'imaging',
    NMR: 'imaging',
    NMS: 'imaging',
    VUS: 'imaging',
    CUS: 'imaging',
    OUS: 'imaging',
    'LP29684-5': 'imaging',
    'LP29708-2': 'conditions',
    LAB: 'labs'
  },
  Media: { image: 'imaging', video: 'imaging', audio: 'documents' },
  DocumentReference: { 'imaging-report': 'imaging' }
}

/** Types that say who or where, nothing of an illness: what refers to them, and what they refer to, tells nothing. */
const NEUTRAL: readonly string[] = [
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Endpoint'
]

/** Types that are the content of what refers to them, and lie where that lies. */
const PARTS: readonly string[] = [
  ...[
    'Binary',
    'Media',
    'Specimen',
    'Observation',
    'Medication',
    'ImagingStudy',
    'QuestionnaireResponse',
    'MolecularSequence'
  ],
  ...['DocumentReference']
]

/** Types whose references name their content rather than their circumstances. */
const WHOLES: readonly string[] = [
  ...[
    'DiagnosticReport',
    'DocumentReference',
    'DocumentManifest',
    'Observation',
    'Media',
    'ImagingStudy',
    'MedicationRequest'
  ],
  ...['MedicationStatement', 'MedicationAdministration', 'MedicationDispense']
]

/** What has to be known of a resource to place it beside others. */
export interface PlacedResource {
  readonly type: string
  /** How others may refer to it: `Condition/1`, its full URL. */
  readonly names: readonly string[]
  /** What it refers to, as written. */
  readonly references: readonly string[]
  /** The section that it would lie in alone. */
  readonly compartment: Compartment
}

/** The section of one resource by its own type, category, codes and labels. */
export function compartmentOf(resource: JsonObject): Compartment {
  const { resourceType } = resource
  const type = typeof resourceType === 'string' ? resourceType : ''
  const plain = categoryOf(type, resource) ?? (isKnownType(type) ? RESOURCE_TYPES[type] : undefined) ?? 'documents'
  const sensitive = findSensitive(resource)
  return sensitive == null ? plain : (strictest([plain, sensitive]) ?? sensitive)
}

function categoryOf(type: string, { category, type: kind }: JsonObject): Compartment | undefined {
  const table = Object.hasOwn(CATEGORIES, type) ? CATEGORIES[type] : undefined
  if (table == null) return undefined
  const concepts: unknown[] = [category, ...(type === 'Media' ? [kind] : [])].flat()
  const codes = concepts
    .filter(isJsonObject)
    .flatMap(({ coding }) => (Array.isArray(coding) ? (coding as unknown[]) : []))
  const sections = codes.filter(isJsonObject).flatMap(({ code }) => {
    return typeof code === 'string' && Object.hasOwn(table, code) ? [table[code] ?? 'documents'] : []
  })
  return strictest(sections) ?? sections[0]
}

/** What a resource refers to anywhere within it. */
export function referencesIn(resource: JsonObject): string[] {
  const found = new Set<string>()
  const visit = (value: unknown, key: string): void => {
    if (Array.isArray(value)) value.forEach(item => visit(item, key))
    else if (isJsonObject(value)) for (const [name, field] of Object.entries(value)) visit(field, name)
    // An attachment's url may name a Binary.
    else if (typeof value === 'string' && (key === 'reference' || key === 'url')) found.add(withoutVersion(value))
  }
  visit(resource, '')
  return [...found]
}

/**
 * The section of each of some resources that refer to each other, in their order: who refers to something sensitive, or is a
 * part of it, tells of it, and lies where that lies.
 *
 * @param elsewhere - the section of a resource that the record holds already, by one of its names
 */
export function placeTogether(
  resources: readonly PlacedResource[],
  elsewhere: (name: string) => Compartment | undefined = () => undefined
): Compartment[] {
  const places = resources.map(({ compartment }) => compartment)
  const byName = new Map<string, number>()
  /** Pairs of one name: what is told twice, as versions are, lies in one section, whichever of them a reference finds. */
  const sames: [number, number][] = []
  resources.forEach(({ names, type }, i) => {
    for (const name of names) {
      const before = byName.get(name)
      if (before != null && before !== i && !NEUTRAL.includes(type)) sames.push([before, i])
      byName.set(name, i)
    }
  })
  resources.forEach(({ type, references }, i) => {
    const outside = references.map(elsewhere).filter(each => each != null)
    if (!NEUTRAL.includes(type)) places[i] = stricter(places[i], outside)
  })
  const follows = followers(resources, byName)
  for (const [one, other] of sames) {
    follows[one]?.push(other)
    follows[other]?.push(one)
  }
  // A section only ever becomes stricter, and there are few: each resource is looked at a few times, however long the chain.
  const moved = resources.map((_, i) => i)
  for (let i = moved.pop(); i != null; i = moved.pop()) {
    for (const follower of follows[i] ?? []) {
      const place = stricter(places[follower], [places[i] ?? 'documents'])
      if (place === places[follower]) continue
      places[follower] = place
      moved.push(follower)
    }
  }
  return places
}

/** Of each resource those that have to lie where it lies, if that is a sensitive section. */
function followers(resources: readonly PlacedResource[], byName: ReadonlyMap<string, number>): number[][] {
  const follows: number[][] = resources.map(() => [])
  resources.forEach(({ type: whole, references }, from) => {
    for (const name of references) {
      const to = byName.get(name)
      const part = to == null ? '' : (resources[to]?.type ?? '')
      if (to == null || to === from || NEUTRAL.includes(whole) || NEUTRAL.includes(part)) continue
      follows[to]?.push(from)
      if (WHOLES.includes(whole) && PARTS.includes(part)) follows[from]?.push(to)
    }
  })
  return follows
}

function stricter(place: Compartment = 'documents', others: readonly Compartment[]): Compartment {
  return strictest([place, ...others.filter(isSensitive)]) ?? place
}

/** `Condition/1/_history/2` names the same resource as `Condition/1`. */
function withoutVersion(reference: string): string {
  const at = reference.indexOf('/_history/')
  return at < 0 ? reference : reference.slice(0, at)
}

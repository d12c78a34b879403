/** Reading a FHIR R4 Consent into rules (docs/specs/consent.md). */
import { SalusError } from '#core/error.ts'
import type { ConsentPolicy, DataReference, Period, Provision } from '#core/consent/policy.ts'

/** Exceptions of exceptions; nobody needs more, and a hostile document would. */
const MAX_DEPTH = 8
const MAX_ITEMS = 1024
const MEANINGS = ['instance', 'authoredby', 'related', 'dependents'] as const
const DATE = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?)?)?$/
/** What this version knows how to weigh; a rule with anything else might mean more than it would be read for. */
const PROVISION_FIELDS = new Set([
  'id',
  'type',
  'period',
  'actor',
  'action',
  'securityLabel',
  'purpose',
  'class',
  'code',
  'dataPeriod',
  'data',
  'provision'
])

type Json = Readonly<Record<string, unknown>>

/** Members of a group, by its reference. */
export type Members = (reference: string) => readonly string[]

/**
 * Reads a consent. A group among its actors stands for its members.
 *
 * @param membersOf - those of a `Group/…`; what it does not know has none
 * @throws SalusError `FHIR_CONSENT_SHAPE` (not a Consent, too deep or large, a date that is none), `FHIR_CONSENT_UNKNOWN` (a criterion, a modifier or a
 * meaning that this version does not know: a rule that is read in part would permit too much)
 */
export function readFhirConsent(resource: unknown, membersOf: Members = () => []): ConsentPolicy {
  const consent = objectOf(resource)
  if (consent['resourceType'] !== 'Consent') throw shape('it is no Consent')
  refuseModifiers(consent)
  const isActive = consent['status'] === 'active'
  return { isActive, root: readProvision(objectOf(consent['provision'] ?? {}), membersOf, 1) }
}

function readProvision(json: Json, membersOf: Members, depth: number): Provision {
  if (depth > MAX_DEPTH) throw shape('its exceptions are nested too deep')
  refuseModifiers(json)
  for (const field of Object.keys(json)) if (!PROVISION_FIELDS.has(field)) throw unknown(field)
  // Only the base rule may leave it out; without a policy of the place it permits nothing.
  const effect = json['type'] ?? (depth === 1 ? 'deny' : undefined)
  if (effect !== 'permit' && effect !== 'deny') throw shape('a rule is neither permit nor deny')
  return {
    effect,
    period: readPeriod(json['period']),
    purposes: list(json['purpose'], codeOf),
    actors: list(json['actor'], actor => actorsOf(objectOf(actor), membersOf)).flat(),
    actions: list(json['action'], codesOf).flat(),
    labels: list(json['securityLabel'], codeOf),
    types: list(json['class'], codeOf),
    codes: list(json['code'], fullCodesOf).flat(),
    dataPeriod: readPeriod(json['dataPeriod']),
    data: list(json['data'], readData),
    exceptions: list(json['provision'], each => readProvision(objectOf(each), membersOf, depth + 1))
  }
}

function actorsOf(actor: Json, membersOf: Members): readonly string[] {
  refuseModifiers(actor)
  const reference = referenceOf(actor['reference'])
  return [reference, ...membersOf(reference)]
}

function readData(value: unknown): DataReference {
  const json = objectOf(value)
  refuseModifiers(json)
  const meaning = MEANINGS.find(each => each === json['meaning'])
  if (meaning == null) throw unknown('data.meaning')
  return { meaning, reference: referenceOf(json['reference']) }
}

function readPeriod(value: unknown): Period | null {
  if (value == null) return null
  const { start = null, end = null } = objectOf(value)
  return { start: dateOf(start), end: dateOf(end) }
}

function dateOf(value: unknown): string | null {
  if (value === null) return null
  if (typeof value !== 'string' || !DATE.test(value) || Number.isNaN(Date.parse(value))) throw shape('a date is none')
  return value
}

function referenceOf(value: unknown): string {
  const { reference } = objectOf(value)
  if (typeof reference !== 'string' || reference === '' || reference.length > 512) throw unknown('reference')
  return reference
}

function codeOf(value: unknown): string {
  const { code } = objectOf(value)
  if (typeof code !== 'string' || code === '') throw shape('a code is missing')
  return code
}

function codesOf(value: unknown): readonly string[] {
  return list(objectOf(value)['coding'], codeOf)
}

function fullCodesOf(value: unknown): readonly string[] {
  return list(objectOf(value)['coding'], coding => {
    const { system } = objectOf(coding)
    return `${typeof system === 'string' ? system : ''}|${codeOf(coding)}`
  })
}

function list<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (value == null) return []
  // An empty list would read as no criterion at all.
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ITEMS)
    throw shape('a list is empty or too long')
  return value.map((item: unknown) => read(item))
}

function objectOf(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw shape('an object is missing')
  return value as Json
}

function refuseModifiers(json: Json): void {
  if (json['modifierExtension'] != null) throw unknown('modifierExtension')
}

function shape(why: string): SalusError {
  return new SalusError('FHIR_CONSENT_SHAPE', `The consent cannot be read: ${why}.`)
}

function unknown(field: string): SalusError {
  return new SalusError(
    'FHIR_CONSENT_UNKNOWN',
    `The consent has a rule that this version cannot weigh (${field.slice(0, 64)}); nothing is permitted by it.`
  )
}

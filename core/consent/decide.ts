/** What a consent says to one access (docs/specs/consent.md). */
import { isTime, isWithin } from '#core/consent/period.ts'
import type { AccessAsked, ConsentPolicy, DataReference, Provision, ResourceFacts } from '#core/consent/policy.ts'

/** Why it was decided so. */
export type Reason =
  /** The consent is not active, or not at that time. */
  | 'no-active-consent'
  /** No rule speaks of it. */
  | 'default-deny'
  | 'root-permit'
  | 'root-deny'
  | 'exception-permit'
  | 'exception-deny'

/** A decision and where it comes from. */
export interface Decision {
  readonly isPermitted: boolean
  readonly reason: Reason
  /** Places of the rule that decided among the exceptions of each level; empty for the root. */
  readonly rule: readonly number[]
}

/**
 * Decides by one consent. What no rule speaks of is denied. An exception beats the rule it is from, whatever that says of the access; of
 * several exceptions that speak of it, one that denies wins. An exception that names no purpose is for those of its rule.
 */
export function decide({ isActive, root }: ConsentPolicy, asked: AccessAsked, resource: ResourceFacts): Decision {
  if (!isActive || (root.period != null && !isWithin(asked.at, root.period))) {
    return { isPermitted: false, reason: 'no-active-consent', rule: [] }
  }
  const found = speak({ ...root, period: null }, asked, resource, [])
  if (found == null) return { isPermitted: false, reason: 'default-deny', rule: [] }
  const isPermitted = found.effect === 'permit'
  return { isPermitted, reason: `${found.rule.length === 0 ? 'root' : 'exception'}-${found.effect}`, rule: found.rule }
}

/**
 * Decides by all consents of a person: each that is in force and speaks of the access is heard, and one that denies wins. A consent that
 * says nothing of it does not deny what another permits.
 */
export function decideByAll(
  policies: readonly ConsentPolicy[],
  asked: AccessAsked,
  resource: ResourceFacts
): Decision & { /** Place of the consent that decided; null if none spoke. */ readonly policy: number | null } {
  const decisions = policies.map((each, policy) => ({ ...decide(each, asked, resource), policy }))
  const spoken = decisions.filter(({ reason }) => reason !== 'default-deny' && reason !== 'no-active-consent')
  const deciding = spoken.find(({ isPermitted }) => !isPermitted) ?? spoken[0]
  return deciding ?? { isPermitted: false, reason: 'default-deny', rule: [], policy: null }
}

interface Spoken {
  readonly effect: Provision['effect']
  readonly rule: readonly number[]
}

/** The word of a rule or of its exceptions; `undefined` where none of them speaks of the access. */
function speak(
  provision: Provision,
  asked: AccessAsked,
  resource: ResourceFacts,
  rule: readonly number[]
): Spoken | undefined {
  const words = provision.exceptions.flatMap((exception, i) => {
    const purposes = exception.purposes.length === 0 ? provision.purposes : exception.purposes
    return speak({ ...exception, purposes }, asked, resource, [...rule, i]) ?? []
  })
  const exception = words.find(({ effect }) => effect === 'deny') ?? words[0]
  if (exception != null) return exception
  return matches(provision, asked, resource) ? { effect: provision.effect, rule } : undefined
}

function matches(provision: Provision, asked: AccessAsked, resource: ResourceFacts): boolean {
  const { effect, period, purposes, actors, actions, labels, types, codes, dataPeriod, data } = provision
  // What is not known about a resource speaks for a rule that denies, and against one that permits.
  const ifUnknown = effect === 'deny'
  return (
    (period == null || isWithin(asked.at, period)) &&
    isOpenOrHas(purposes, [asked.purpose]) &&
    isOpenOrHas(actors, asked.actors) &&
    isOpenOrHas(actions, [asked.action]) &&
    isOpenOrHas(labels, resource.labels) &&
    isOpenOrHas(types, [resource.reference.split('/', 1)[0] ?? '']) &&
    isOpenOrHas(codes, resource.codes) &&
    (dataPeriod == null || (isKnown(resource.date) ? isWithin(resource.date, dataPeriod) : ifUnknown)) &&
    (data.length === 0 || data.some(each => isMeant(each, resource, ifUnknown)))
  )
}

/** A date that nobody can read is not known: whoever writes one must not get around a rule that denies. */
function isKnown(date: string | null): date is string {
  return date != null && isTime(date)
}

function isOpenOrHas(criteria: readonly string[], values: readonly string[]): boolean {
  return criteria.length === 0 || values.some(value => criteria.includes(value))
}

function isMeant({ meaning, reference }: DataReference, resource: ResourceFacts, ifUnknown: boolean): boolean {
  const isIt = resource.reference === reference
  switch (meaning) {
    case 'instance':
      return isIt
    case 'authoredby':
      return resource.author == null ? ifUnknown : resource.author === reference
    case 'related':
    case 'dependents':
      return isIt || resource.encounter === reference
  }
}

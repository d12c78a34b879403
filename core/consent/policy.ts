/** What a person's consent says, as data that decides (docs/specs/consent.md). */

/** What somebody wants to do with one resource. */
export interface AccessAsked {
  /** References to who asks: the person, and the organisation or groups asked for. */
  readonly actors: readonly string[]
  /** Purpose of use, a code of HL7 v3 ActReason, for example `TREAT`. */
  readonly purpose: string
  /** `access` to read, `correct` to write (HL7 consentaction); consents that name no action speak of both. */
  readonly action: 'access' | 'correct'
  /** When, ISO 8601 date or date and time. */
  readonly at: string
}

/** What a consent can ask about a resource. */
export interface ResourceFacts {
  /** `Type/id`. */
  readonly reference: string
  /** Codes of `meta.security`. */
  readonly labels: readonly string[]
  /** When what it tells happened, ISO 8601; null if it does not say. */
  readonly date: string | null
  readonly author: string | null
  readonly encounter: string | null
  /** Codes of what it is, each `system|code`. */
  readonly codes: readonly string[]
}

/** Both ends included, at the precision in which they are given; null where open. */
export interface Period {
  readonly start: string | null
  readonly end: string | null
}

/** One reference among a provision's data. */
export interface DataReference {
  readonly meaning: 'instance' | 'authoredby' | 'related' | 'dependents'
  readonly reference: string
}

/** A rule, and the exceptions from it. Criteria that are empty or null ask for nothing. */
export interface Provision {
  readonly effect: 'permit' | 'deny'
  readonly period: Period | null
  readonly purposes: readonly string[]
  readonly actors: readonly string[]
  readonly actions: readonly string[]
  readonly labels: readonly string[]
  /** Resource types. */
  readonly types: readonly string[]
  /** Each `system|code`. */
  readonly codes: readonly string[]
  readonly dataPeriod: Period | null
  readonly data: readonly DataReference[]
  readonly exceptions: readonly Provision[]
}

/** A person's consent. */
export interface ConsentPolicy {
  readonly isActive: boolean
  readonly root: Provision
}

/** Rules by which a person's software grants to roles and specialties (docs/specs/consent.md). */
import { RIGHT_READ, RIGHT_WRITE } from '#core/grant/terms.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** One rule. What no rule allows is refused. */
export interface RoleRule {
  readonly name: string
  /** Codes of roles it is for (core/credential/roles.ts). */
  readonly roles: readonly number[]
  /** Codes of specialties it is for; empty for any. */
  readonly specialties: readonly number[]
  /** It holds only for patients with one of these conditions: beginnings of codes, `system|code`; empty for all. */
  readonly conditions: readonly string[]
  /** It holds only for members of the patient's care team. */
  readonly careTeamOnly: boolean
  readonly compartments: readonly Compartment[]
  /** Sum of `RIGHT_READ` and `RIGHT_WRITE`. */
  readonly rights: number
}

/** A credential as the chain has it. */
export interface CredentialFacts {
  readonly role: number
  readonly specialty: number
  /** Seconds since 1970-01-01. */
  readonly expiresAtS: number
  readonly isRevoked: boolean
  /** Its organisation is accredited and not suspended. */
  readonly isOrganisationInForce: boolean
}

/** Who asks for what, and about whom. */
export interface RoleQuestion {
  readonly credential: CredentialFacts | null
  readonly isInCareTeam: boolean
  /** The patient's active conditions, each `system|code`. */
  readonly conditions: readonly string[]
  readonly compartment: Compartment
  /** `RIGHT_READ` or `RIGHT_WRITE`. */
  readonly right: number
  readonly nowS: number
}

/** Yes by a rule, or no and why. */
export type RoleAnswer =
  { readonly isAllowed: true; readonly rule: string } | { readonly isAllowed: false; readonly because: RoleRefusal }

/** Why not. The nearest miss is named: what would have to change first. */
export type RoleRefusal =
  | 'no-credential'
  | 'credential-revoked'
  | 'credential-expired'
  | 'organisation-not-in-force'
  | 'no-rule-for-role'
  | 'no-rule-for-specialty'
  | 'not-in-care-team'
  | 'not-for-this-condition'
  | 'not-this-part-of-the-record'
  | 'not-this-right'

/** The tests of a rule, in the order in which a miss is named. */
const TESTS: readonly (readonly [
  RoleRefusal,
  (rule: RoleRule, asked: RoleQuestion, held: CredentialFacts) => boolean
])[] = [
  ['no-rule-for-role', (rule, _asked, held) => rule.roles.includes(held.role)],
  [
    'no-rule-for-specialty',
    (rule, _asked, held) => rule.specialties.length === 0 || rule.specialties.includes(held.specialty)
  ],
  ['not-in-care-team', (rule, asked) => !rule.careTeamOnly || asked.isInCareTeam],
  ['not-for-this-condition', (rule, asked) => isFor(rule.conditions, asked.conditions)],
  ['not-this-part-of-the-record', (rule, asked) => rule.compartments.includes(asked.compartment)],
  ['not-this-right', (rule, asked) => (rule.rights & asked.right) === asked.right]
]

/** Decides by all rules; one that allows is enough. */
export function decideByRole(rules: readonly RoleRule[], asked: RoleQuestion): RoleAnswer {
  const { credential, nowS, right } = asked
  if (right !== RIGHT_READ && right !== RIGHT_WRITE) throw new RangeError('one right at a time')
  if (credential == null) return { isAllowed: false, because: 'no-credential' }
  if (credential.isRevoked) return { isAllowed: false, because: 'credential-revoked' }
  if (nowS >= credential.expiresAtS) return { isAllowed: false, because: 'credential-expired' }
  if (!credential.isOrganisationInForce) return { isAllowed: false, because: 'organisation-not-in-force' }
  let passed = 0
  for (const rule of rules) {
    const missed = TESTS.findIndex(([, holds]) => !holds(rule, asked, credential))
    if (missed === -1) return { isAllowed: true, rule: rule.name }
    passed = Math.max(passed, missed)
  }
  return { isAllowed: false, because: TESTS[passed]?.[0] ?? 'no-rule-for-role' }
}

function isFor(wanted: readonly string[], conditions: readonly string[]): boolean {
  return wanted.length === 0 || conditions.some(code => wanted.some(start => code.startsWith(start)))
}

/** Granting by a rule for roles: the asker's credential on the chain and the patient's conditions decide (docs/specs/consent.md). */
import { decideByRole, type RoleAnswer } from '#core/consent/role-rules.ts'
import { ROLE_TEMPLATES } from '#core/consent/role-templates.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { RIGHT_READ, RIGHT_WRITE } from '#core/grant/terms.ts'
import type { ChainFacts } from '#agent/chain/chain-facts.ts'
import type { HeldCredential } from '#agent/chain/credential-facts.ts'
import { activeConditions } from '#agent/patient/conditions.ts'
import type { JudgedWish } from '#agent/patient/grants.ts'
import type { RecordIndex } from '#agent/record-index.ts'

/** The rule that a grant has to keep to. */
export interface RoleChoice {
  readonly template: keyof typeof ROLE_TEMPLATES
  /** The patient says that the asker is of the care team. */
  readonly isInCareTeam: boolean
}

/** What judging takes. */
export interface RoleComponents {
  readonly chain: Pick<ChainFacts, 'credentialsOf'>
  readonly record: Pick<RecordIndex, 'search' | 'open'>
}

/**
 * Lets a grant through that the rule allows: for each part of the record and each right in it.
 *
 * @throws SalusError `GRANT_ROLE_REFUSED`
 */
export async function judgeByRole(
  { chain, record }: RoleComponents,
  { template, isInCareTeam }: RoleChoice,
  { grantee, compartments, rights, nowS }: JudgedWish
): Promise<void> {
  const rule = ROLE_TEMPLATES[template]
  const credentials = await chain.credentialsOf(toHex(grantee))
  const conditions = rule.conditions.length === 0 ? [] : await activeConditions(record)
  for (const compartment of compartments) {
    for (const right of [RIGHT_READ, RIGHT_WRITE]) {
      if ((rights & right) === 0) continue
      const asked = { isInCareTeam, conditions, compartment, right, nowS }
      const answers = held(credentials, nowS).map(credential => decideByRole([rule], { credential, ...asked }))
      if (answers.some(({ isAllowed }) => isAllowed)) continue
      const what = right === RIGHT_READ ? 'reading' : 'writing'
      throw new SalusError(
        'GRANT_ROLE_REFUSED',
        `The rule ${template} does not allow ${what} ${compartment}: ${reasonOf(answers)}.`
      )
    }
  }
}

/** Credentials that have begun; one of them suffices. None at all is asked about too. */
function held(credentials: readonly HeldCredential[], nowS: number): readonly (HeldCredential | null)[] {
  const begun = credentials.filter(({ notBeforeS }) => notBeforeS <= nowS)
  return begun.length === 0 ? [null] : begun
}

function reasonOf(answers: readonly RoleAnswer[]): string {
  const reasons = answers.flatMap(answer => (answer.isAllowed ? [] : answer.because))
  return [...new Set(reasons)].join(', ')
}

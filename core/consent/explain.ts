/** Why somebody could open or write something, or could not, step by step (docs/specs/consent.md). */
import type { Preview } from '#core/consent/preview.ts'
import type { RoleAnswer } from '#core/consent/role-rules.ts'
import { UNLIMITED_USES, unpackTerms } from '#core/grant/terms.ts'
import { CLAIM_WINDOW_S } from '#core/network/author-right.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** Where on the chain a fact stands, for whoever wants to see for themselves. */
export interface ChainPlace {
  readonly contract: string
  readonly blockNumber: number
  readonly transactionHash: string
  readonly logIndex: number
}

/** A grant with what became of it, as the chain tells it. */
export interface GrantHistory {
  readonly terms: bigint
  readonly grantedAt: ChainPlace
  readonly claims: readonly { readonly atS: number; readonly place: ChainPlace }[]
  readonly revoked: { readonly atS: number; readonly place: ChainPlace } | null
}

/** What is to be explained. */
export interface AccessToExplain {
  /** Null where no grant names this person. */
  readonly grant: GrantHistory | null
  /** Sections that the grant's document names. */
  readonly compartments: readonly Compartment[]
  readonly compartment: Compartment
  /** `RIGHT_READ` or `RIGHT_WRITE`. */
  readonly right: number
  /** When it happened, or would, seconds since 1970-01-01. */
  readonly atS: number
  /** The entry it is about; null where the question is of the whole section. */
  readonly entry: { readonly isOpened: boolean } | null
  /** By which rule for roles it was granted; null where the patient granted it by hand. */
  readonly role: RoleAnswer | null
}

/** One question and its answer. */
export interface Step {
  readonly question:
    | 'GRANT_EXISTS'
    | 'GRANT_BY_RULE'
    | 'SECTION_GRANTED'
    | 'RIGHT_GRANTED'
    | 'GRANT_BEGUN'
    | 'GRANT_NOT_EXPIRED'
    | 'GRANT_NOT_REVOKED'
    | 'USE_CLAIMED'
    | 'KEYS_OPEN'
  readonly holds: boolean
  /** In plain words. */
  readonly because: string
  readonly proof: ChainPlace | null
}

/** The steps, up to the first that does not hold. */
export interface Explanation {
  readonly isAllowed: boolean
  readonly steps: readonly Step[]
}

/** Explains an access by the facts that decided it. */
export function explainAccess(access: AccessToExplain): Explanation {
  const { grant } = access
  if (grant == null) {
    const because = 'No grant of this patient names this person.'
    return { isAllowed: false, steps: [{ question: 'GRANT_EXISTS', holds: false, because, proof: null }] }
  }
  const all = stepsOf(access, grant)
  const failing = all.findIndex(({ holds }) => !holds)
  return { isAllowed: failing === -1, steps: failing === -1 ? all : all.slice(0, failing + 1) }
}

function stepsOf({ compartments, compartment, right, atS, entry, role }: AccessToExplain, grant: GrantHistory): Step[] {
  const { notBefore, expiresAt, rights, uses } = unpackTerms(grant.terms)
  const { grantedAt, revoked } = grant
  const claim = grant.claims.find(({ atS: claimedS }) => claimedS <= atS && atS < claimedS + CLAIM_WINDOW_S)
  const steps: (Step | null)[] = [
    { question: 'GRANT_EXISTS', holds: true, because: 'The patient signed a grant to this person.', proof: grantedAt },
    role && {
      question: 'GRANT_BY_RULE',
      holds: role.isAllowed,
      because: role.isAllowed
        ? `A rule of the patient’s allows it: ${role.rule}.`
        : `No rule of the patient’s allows it: ${role.because}.`,
      proof: null
    },
    {
      question: 'SECTION_GRANTED',
      holds: compartments.includes(compartment),
      because: `The grant names ${compartments.join(', ')}.`,
      proof: grantedAt
    },
    {
      question: 'RIGHT_GRANTED',
      holds: (rights & right) === right,
      because: (rights & right) === right ? 'The grant gives this right.' : 'The grant does not give this right.',
      proof: grantedAt
    },
    {
      question: 'GRANT_BEGUN',
      holds: atS >= notBefore,
      because: `The grant begins at second ${String(notBefore)}.`,
      proof: grantedAt
    },
    {
      question: 'GRANT_NOT_EXPIRED',
      holds: atS < expiresAt,
      because: atS < expiresAt ? 'The grant had not expired.' : 'The grant had expired.',
      proof: grantedAt
    },
    {
      question: 'GRANT_NOT_REVOKED',
      holds: revoked == null || atS < revoked.atS,
      because: revoked == null ? 'The grant was never revoked.' : `It was revoked at second ${String(revoked.atS)}.`,
      proof: revoked?.place ?? null
    },
    uses === UNLIMITED_USES
      ? null
      : {
          question: 'USE_CLAIMED',
          holds: claim != null,
          because: claim == null ? 'No use was claimed in the ten minutes before.' : 'A use was claimed just before.',
          proof: claim?.place ?? null
        },
    entry && {
      question: 'KEYS_OPEN',
      holds: entry.isOpened,
      because: entry.isOpened ? 'The grant’s keys open the entry.' : 'The grant’s keys do not reach this entry.',
      proof: null
    }
  ]
  return steps.filter(step => step != null)
}

/** A preview in one sentence, for a terminal or a button. */
export function describePreview({ seen, sensitive, hidden }: Preview): string {
  const items = (count: number): string => `${String(count)} ${count === 1 ? 'item' : 'items'}`
  const asked = sensitive === 0 ? 'none of them in a sensitive section' : `${String(sensitive)} in sensitive sections`
  return `would see ${items(seen)} today, ${asked}; ${items(hidden)} ${hidden === 1 ? 'stays' : 'stay'} shut`
}

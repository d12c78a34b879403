/** Why somebody may, might or may not: by what the chain says and the patient's own record (docs/specs/consent.md). */
import type { GivenGrant } from '#core/agent/patient-state.ts'
import { explainAccess, type Explanation } from '#core/consent/explain.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import { DAY_S } from '#core/network/author-right.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { Agent } from '#agent/agent.ts'
import { opensVersion, versionsOf, type Version } from '#agent/patient/foresight.ts'

/** What is asked. */
export interface WhyQuestion {
  /** Id of a grant, or the address of a person, of whom each grant is looked at. */
  readonly who: Uint8Array
  /** Id of an entry; `compartment` where the question is of a whole section. */
  readonly entry?: string
  readonly compartment?: Compartment
  /** `RIGHT_READ` or `RIGHT_WRITE`. */
  readonly right: number
  /** Seconds since 1970-01-01. */
  readonly atS: number
}

/** An explanation, and the grant it is by. */
export interface Why extends Explanation {
  /** `0x…`; null where there is none. */
  readonly grant: string | null
}

/**
 * Explains an access. Of several grants, one that allows it; else the one that comes closest.
 *
 * @throws SalusError `ENTRY_UNKNOWN`, `EXPLAIN_SHAPE` (neither entry nor compartment)
 */
export async function explain(agent: Agent, question: WhyQuestion): Promise<Why> {
  const { account } = await agent.accounts.patient()
  const versions = await versionsAsked(agent, question)
  const compartment = versions?.at(-1)?.compartment ?? question.compartment
  if (compartment == null) throw new SalusError('EXPLAIN_SHAPE', 'Name an entry or a part of the record.')
  const { who, right, atS } = question
  const grants = account.state.grants.filter(given => isMeant(given, who))
  const all: Why[] = []
  for (const given of grants) {
    const grant = toHex(given.grantId)
    // Whether it was revoked is a step of its own, with its time.
    const asGiven = { ...given, isRevoked: false }
    const { compartments } = given
    const history = await agent.chain.grantHistory(grant)
    const lastDay = Math.floor((history?.revoked?.atS ?? Number.POSITIVE_INFINITY) / DAY_S)
    const isOpened = versions?.some(each => each.day <= lastDay && opensVersion(asGiven, each))
    const entry = isOpened == null ? null : { isOpened }
    all.push({
      grant,
      ...explainAccess({ grant: history, compartments, compartment, right, atS, entry, role: null })
    })
  }
  const none = explainAccess({ grant: null, compartments: [], compartment, right, atS, entry: null, role: null })
  const best = all.sort((a, b) => Number(b.isAllowed) - Number(a.isAllowed) || b.steps.length - a.steps.length)[0]
  return best ?? { grant: null, ...none }
}

/** Every version of the entry that is asked about; undefined where the question is of a section. */
async function versionsAsked({ record }: Agent, { entry }: WhyQuestion): Promise<readonly Version[] | undefined> {
  if (entry == null) return undefined
  const versions = versionsOf(await record.versions()).filter(each => each.entry === entry)
  if (versions.length > 0) return versions
  throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
}

function isMeant({ grantId, terms }: GivenGrant, who: Uint8Array): boolean {
  return equalBytes(grantId, who) || equalBytes(unpackTerms(BigInt(toHex(terms))).grantee, who)
}

/** What one header is judged by, apart from the other headers (docs/specs/log.md). */
import { proveAuthorBy, type Author, type AuthorEvidence } from '#core/agent/author.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import type { LogItem } from '#core/log/item.ts'
import { DAY_S } from '#core/network/author-right.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** Everything that a log is verified by, besides its headers and their evidence. */
export interface LogFacts {
  /** What the chain says of the record. */
  readonly record: RecordOnChain
  /** Time of the newest block that was followed, seconds since 1970-01-01. */
  readonly blockTimeS: number
  /** By tag, hexadecimal: the day on which a rotation, signed by the patient, replaced it. */
  readonly retired?: ReadonlyMap<string, number>
  /** Names of headers that erasures of the patient name: as if they had never been written, and what follows them does not wait. */
  readonly erased?: ReadonlySet<string>
  /** The reader's own grants: what is written under them must lie in their compartments. */
  readonly known?: readonly { readonly grantId: Uint8Array; readonly document: Uint8Array }[]
  /** Where a tag, hexadecimal, lies, as far as the reader's keys tell. */
  readonly placeOf?: (tag: string) => { readonly compartment: Compartment; readonly generation: number } | undefined
}

/** A header's author and the times between which it must have been written, seconds since 1970-01-01. */
export interface OwnJudgement {
  readonly author: Author
  /** Not before: its author had no right to name before. */
  readonly floorS: number
  /** Not much later: its author's right had ended. */
  readonly endS: number
}

/** The judgement of a header alone, or the code of what it lacks; more of the chain, or other evidence, may cure it. */
export type Own = { readonly ok: OwnJudgement } | { readonly code: string }

/** Judges a header whose signature holds by what the chain says of its author. */
export function judgeAlone(item: LogItem, evidence: AuthorEvidence, facts: LogFacts): Own {
  const { record, retired, placeOf } = facts
  if (item.day > Math.floor(facts.blockTimeS / DAY_S) + 1) return { code: 'ENTRY_DAY_FUTURE' }
  const place = placeOf?.(item.tag)
  if (place != null && place.generation !== item.generation) return { code: 'LOG_GENERATION' }
  const retiredDay = retired?.get(item.tag)
  if (retiredDay != null && item.day > retiredDay + 1) return { code: 'LOG_RETIRED' }
  try {
    const header = { patient: record.patient, author: item.author, grant: item.grant, day: item.day }
    const author = proveAuthorBy(
      { header, compartment: place?.compartment ?? null },
      evidence,
      record,
      facts.known ?? []
    )
    const span = author.kind === 'patient' ? patientSpan(evidence, record) : grantSpan(author.grantId, record)
    const endS = retiredDay == null ? span.endS : Math.min(span.endS, (retiredDay + 1) * DAY_S)
    return { ok: { author, floorS: span.floorS, endS } }
  } catch (error) {
    if (isSalusError(error)) return { code: error.code }
    throw error
  }
}

/** Who wrote it, as one text: `patient`, or a grantee's address. Grants come and go; the address stays. */
export function authorId(author: Author): string {
  return author.kind === 'patient' ? 'patient' : toHex(author.address)
}

/** The rights whose facts changed between two states of the chain: grant ids, hexadecimal, and `patient` for the patient's keys. */
export function changedRights(before: LogFacts, after: LogFacts): Set<string> {
  const changed = new Set<string>()
  const [old, now] = [rightsOf(before.record), rightsOf(after.record)]
  for (const [right, said] of now) if (old.get(right) !== said) changed.add(right)
  for (const right of old.keys()) if (!now.has(right)) changed.add(right)
  return changed
}

/** The right that an item was written under, as {@link changedRights} names it. */
export function rightOf({ grant }: LogItem): string {
  return grant == null ? 'patient' : toHex(grant)
}

function rightsOf({ keyBundles, grants }: RecordOnChain): Map<string, string> {
  const bundles = keyBundles.map(each => [toHex(each.digest), each.namedAtS, each.replacedAtS])
  const rights = new Map([['patient', JSON.stringify(bundles)]])
  for (const { grantId, terms, givenAtS, revokedAtS } of grants) {
    rights.set(toHex(grantId), JSON.stringify([terms.toString(16), givenAtS, revokedAtS ?? null]))
  }
  return rights
}

function patientSpan(
  { bundleDigest }: AuthorEvidence,
  { keyBundles }: RecordOnChain
): { floorS: number; endS: number } {
  const named = keyBundles.filter(({ digest }) => equalBytes(digest, bundleDigest))
  return {
    floorS: Math.min(...named.map(({ namedAtS }) => namedAtS ?? 0)),
    endS: Math.max(...named.map(({ replacedAtS }) => replacedAtS ?? Number.POSITIVE_INFINITY))
  }
}

function grantSpan(grantId: Uint8Array, { grants }: RecordOnChain): { floorS: number; endS: number } {
  const grant = grants.find(each => equalBytes(each.grantId, grantId))
  const expiresAt = grant == null ? 0 : unpackTerms(grant.terms).expiresAt
  return {
    floorS: grant?.givenAtS ?? 0,
    endS: Math.min(expiresAt, grant?.revokedAtS ?? Number.POSITIVE_INFINITY)
  }
}

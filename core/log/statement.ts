/** What a revision does, and why, around the content it brings (docs/specs/statement.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_CONTENT_BYTES, type Content } from '#core/record/content.ts'
import { ENTRY_ID_BYTES, type EntryHeader } from '#core/record/entry.ts'

const AREA = 'STATEMENT'
const MAX_REASON_LENGTH = 1000
const MAX_TYPE_LENGTH = 128

/** Media type of content that is a statement; all other content speaks for itself. */
export const STATEMENT_TYPE = 'application/vnd.salus.statement+dag-cbor'

/**
 * `correct`: the entry was wrong, this is right. `retract`: the entry was made in error and says nothing any more. `resolve`: one
 * version in place of several that conflict. `decline`: a proposal is turned down, what stood stands. `comment`: about another
 * entry, and attached to it.
 */
export const ACTS = ['correct', 'retract', 'resolve', 'decline', 'comment'] as const

/** What a statement does. */
export type Act = (typeof ACTS)[number]

/** Acts that bring content of their own. */
const BRINGING: readonly Act[] = ['correct', 'resolve', 'decline', 'comment']

/** Acts that must say why: rectification without a reason is no rectification (GDPR art. 16). */
const REASONED: readonly Act[] = ['correct', 'retract', 'decline']

/** A statement. */
export interface Statement {
  readonly act: Act
  /** In words, for whoever reads the entry; at most 1,000 characters. */
  readonly reason: string
  /** Id of the entry that a comment is about, 16 bytes; null for all other acts. */
  readonly about: Uint8Array | null
  /** What the entry now says; null for a retraction. */
  readonly content: Pick<Content, 'type' | 'body'> | null
}

/**
 * Content that holds a statement.
 *
 * @throws SalusError `STATEMENT_SHAPE` if its parts do not fit its act
 */
export function contentOfStatement(statement: Statement, recordedAtMs: number): Content {
  const { act, reason, about, content } = checked(statement)
  const body = encodeCanonical({ v: 1, act, reason, about, type: content?.type ?? null, body: content?.body ?? null })
  return { type: STATEMENT_TYPE, recordedAtMs, body }
}

/**
 * The statement that content holds; null where it is plain content.
 *
 * @throws SalusError `STATEMENT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`
 */
export function statementOf({ type, body }: Pick<Content, 'type' | 'body'>): Statement | null {
  if (type !== STATEMENT_TYPE) return null
  const value = decodeCanonical(body, { area: AREA, maxBytes: MAX_CONTENT_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'act', 'reason', 'about', 'type', 'body'])
  const act = ACTS.find(each => each === map['act'])
  if (act == null) throw new SalusError('STATEMENT_SHAPE', 'Refused: a statement of an act that this version lacks.')
  const [innerType, inner] = [map['type'], map['body']]
  const content = {
    type: innerType === null ? '' : readText(innerType, AREA, 'type', MAX_TYPE_LENGTH),
    body: inner === null ? new Uint8Array(0) : readBytes(inner, AREA, 'body', { min: 0, max: MAX_CONTENT_BYTES })
  }
  return checked({
    act,
    reason: readText(map['reason'], AREA, 'reason', MAX_REASON_LENGTH),
    about: map['about'] === null ? null : readBytes(map['about'], AREA, 'about', ENTRY_ID_BYTES),
    content: innerType === null && inner === null ? null : content
  })
}

/**
 * Checks a statement against the header that its author signed, and the ids of the entries that the header's parents are of.
 *
 * @param parents - `entry` of each header that it follows, 16 bytes
 * @throws SalusError `STATEMENT_PLACE` if it revises nothing, resolves no conflict, or is about an entry it does not follow
 */
export function checkStatement(
  { act, about }: Statement,
  header: Pick<EntryHeader, 'entry' | 'revision'>,
  parents: readonly Uint8Array[]
): void {
  const follows = (id: Uint8Array): number => parents.filter(each => String(each) === String(id)).length
  const fits =
    act === 'comment'
      ? about != null && (follows(about) > 0 || header.revision > 1)
      : header.revision > 1 && follows(header.entry) >= (act === 'resolve' ? 2 : 1)
  if (!fits) throw new SalusError('STATEMENT_PLACE', 'Refused: the statement does not fit the entry that it stands in.')
}

function checked(statement: Statement): Statement {
  const { act, reason, about, content } = statement
  const { type = '' } = content ?? {}
  const fits =
    (content != null) === BRINGING.includes(act) &&
    (about != null) === (act === 'comment') &&
    (reason.trim().length > 0 || !REASONED.includes(act)) &&
    reason.length <= MAX_REASON_LENGTH &&
    (content == null || (type !== '' && type !== STATEMENT_TYPE && type.length <= MAX_TYPE_LENGTH))
  if (fits) return statement
  throw new SalusError(
    'STATEMENT_SHAPE',
    'A statement says why, brings content unless it retracts, and only a comment is about another entry.'
  )
}

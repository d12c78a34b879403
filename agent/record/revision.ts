/** Revisions of entries: what a person wants to say of one, as the content, number and parents of the header to write. */
import { CID } from 'multiformats/cid'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { STATEMENT_TYPE, contentOfStatement, type Act, type Statement } from '#core/log/statement.ts'
import type { ReadEntry, ReadRevision } from '#core/log/view.ts'
import type { NewEntry } from '#core/agent/patient-entries.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { Content } from '#core/record/content.ts'
import type { Random } from '#core/crypto/primitives.ts'
import type { RecordIndex } from '#agent/record-index.ts'

/** What can be done with an entry. `update`: it now says something else; `accept`: a proposal is taken up. */
export const REVISIONS = ['update', 'correct', 'retract', 'resolve', 'accept', 'decline', 'comment'] as const

/** See {@link REVISIONS}. */
export type RevisionKind = (typeof REVISIONS)[number]

/** What a person wants to say. */
export interface RevisionWish {
  readonly kind: RevisionKind
  /** Id of the entry. */
  readonly entry: string
  /** In words; corrections, retractions and declinations must have it. */
  readonly reason: string
  /** What it is to say; absent where it says nothing, or what `taken` says. */
  readonly content?: Pick<Content, 'type' | 'body'>
  /** Name of a header: the proposal that is accepted or declined, or the version that ends a conflict. */
  readonly taken?: string
}

/** A revision to seal. */
export type PlannedRevision = Required<Pick<NewEntry, 'entry' | 'revision' | 'parents'>> & {
  readonly compartment: Compartment
  readonly content: Pick<Content, 'type' | 'body'>
}

/**
 * Plans a revision on top of everything that stands now.
 *
 * @throws SalusError `ENTRY_UNKNOWN`, `REVISION_SHAPE` (content or version missing, or not wanted), `REVISION_NO_PROPOSAL`, `REVISION_NO_CONFLICT`,
 * `REVISION_CONFLICT` (end it first), `STATEMENT_SHAPE` (no reason), `LOG_UNKNOWN`
 */
export async function planRevision(
  random: Random,
  record: RecordIndex,
  wish: RevisionWish,
  nowMs: number
): Promise<PlannedRevision> {
  const { kind, entry, taken } = wish
  const { read, compartment } = await record.read(entry)
  if (compartment == null) throw new SalusError('ENTRY_UNKNOWN', 'The entry does not open, so it cannot be revised.')
  const log = await record.log()
  const statement = statementFor(wish, read)
  const content = 'act' in statement ? contentOf(statement, nowMs) : statement
  if (kind === 'comment') {
    const parents = log.parentsOfNew(read.standing.map(({ node }) => node.item.name)).map(name => CID.parse(name))
    return { compartment, content, entry: random(16), revision: 1, parents }
  }
  const proposals = kind === 'accept' || kind === 'decline' ? [taken ?? ''] : []
  const { parents, revision } = log.parentsOfRevision(entry, proposals)
  return { compartment, content, entry: fromHex(entry, 16), revision, parents: parents.map(name => CID.parse(name)) }
}

function contentOf(statement: Statement, nowMs: number): Pick<Content, 'type' | 'body'> {
  const { body } = contentOfStatement(statement, nowMs)
  return { type: STATEMENT_TYPE, body }
}

function statementFor(wish: RevisionWish, read: ReadEntry): Statement | Pick<Content, 'type' | 'body'> {
  const { kind, reason, content = null } = wish
  const of = (act: Act, brings: Pick<Content, 'type' | 'body'> | null): Statement => ({
    act,
    reason,
    about: null,
    content: brings
  })
  switch (kind) {
    case 'update':
      return needed(content)
    case 'correct':
      return of('correct', needed(content))
    case 'retract':
      refuseContent(wish)
      return of('retract', null)
    case 'comment':
      return { ...of('comment', needed(content)), about: fromHex(read.entry, 16) }
    case 'resolve':
      if (read.standing.length < 2) {
        throw new SalusError('REVISION_NO_CONFLICT', 'One version stands: there is no conflict to end.')
      }
      return of('resolve', content ?? needed(versionNamed(read.standing, wish).content))
    case 'accept': {
      refuseContent(wish)
      return acceptance(versionNamed(read.proposed, wish), reason)
    }
    case 'decline': {
      refuseContent(wish)
      versionNamed(read.proposed, wish)
      return of('decline', onlyStanding(read))
    }
  }
}

/** What a proposal says, as the word of whoever accepts it, with the reason it gave unless another is given. */
function acceptance(proposal: ReadRevision, reason: string): Statement | Pick<Content, 'type' | 'body'> {
  const { act, content } = proposal
  const why = reason === '' ? proposal.reason : reason
  if (act === 'retract') return { act, reason: why, about: null, content: null }
  if (act === 'state') return needed(content)
  if (act === 'comment') return { act, reason: why, about: fromHex(proposal.about ?? '', 16), content: needed(content) }
  return { act: 'correct', reason: why === '' ? 'accepted' : why, about: null, content: needed(content) }
}

function versionNamed(versions: readonly ReadRevision[], { taken }: RevisionWish): ReadRevision {
  const found = versions.find(({ node }) => node.item.name === taken)
  if (found != null && found.code == null) return found
  throw new SalusError('REVISION_NO_PROPOSAL', 'There is no such version to take up or turn down; list the entry.')
}

function onlyStanding({ standing }: ReadEntry): Pick<Content, 'type' | 'body'> {
  const [only] = standing
  if (standing.length > 1 || only?.content == null) {
    throw new SalusError('REVISION_CONFLICT', 'No single version stands; end the conflict first.')
  }
  return only.content
}

function needed(content: Pick<Content, 'type' | 'body'> | null): Pick<Content, 'type' | 'body'> {
  if (content != null) return content
  throw new SalusError('REVISION_SHAPE', 'This revision brings content; hand in a file.')
}

function refuseContent({ content }: RevisionWish): void {
  if (content != null) throw new SalusError('REVISION_SHAPE', 'This revision brings no content of its own.')
}

/** An entry as a person reads it: its standing version, what was corrected and why, what is gone (docs/specs/statement.md). */
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import type { LogNode } from '#core/log/node.ts'
import type { EntryState } from '#core/log/revisions.ts'
import { checkStatement, statementOf, type Act } from '#core/log/statement.ts'
import type { Content } from '#core/record/content.ts'

/** What became of opening one revision: its content; that its key is erased; or the code of why it did not open. */
export type Opened = { readonly content: Content } | { readonly erased: true } | { readonly code: string }

/** One revision, opened. */
export interface ReadRevision {
  readonly node: LogNode
  /** `state` for content that speaks for itself; null where it cannot be read. */
  readonly act: Act | 'state' | null
  readonly reason: string
  /** Id of the entry that a comment is about, hexadecimal. */
  readonly about: string | null
  /** What it says; null for a retraction and for what cannot be read. */
  readonly content: Content | null
  readonly isErased: boolean
  /** Why it does not open or may not count. */
  readonly code: string | null
}

/** An entry, opened. */
export interface ReadEntry {
  readonly entry: string
  /**
   * `current`: one version. `conflict`: several, all in `standing`. `retracted`: entered in error. `erased`: its keys are gone.
   * `unreadable`: it does not open, or not as what it claims to be.
   */
  readonly status: 'current' | 'conflict' | 'retracted' | 'erased' | 'unreadable'
  readonly standing: readonly ReadRevision[]
  readonly proposed: readonly ReadRevision[]
  readonly originals: readonly ReadRevision[]
  /** Every revision, the original first: what was corrected stays readable. */
  readonly history: readonly ReadRevision[]
}

/**
 * Reads an entry from its state in the log and its opened revisions.
 *
 * @param openedOf - what became of opening a revision
 * @param nodeOf - the log's nodes, to know which entries a revision follows
 */
export function readEntry(
  state: EntryState,
  openedOf: (node: LogNode) => Opened,
  nodeOf: (name: string) => LogNode | undefined
): ReadEntry {
  const history = state.revisions.map(node => readRevision(node, openedOf(node), nodeOf))
  const of = (nodes: readonly LogNode[]): ReadRevision[] => {
    const wanted = new Set(nodes)
    return history.filter(({ node }) => wanted.has(node))
  }
  const standing = of(state.standing)
  return {
    entry: state.entry,
    status: statusOf(standing),
    standing,
    proposed: of(state.proposed),
    originals: of(state.originals),
    history
  }
}

/**
 * The comments attached to an entry, in the order of their ids, whatever became of the entry, also those that were retracted
 * since. A header that merely follows the entry is none.
 *
 * @param readOf - reads an entry by its id
 */
export function commentsOn(
  { entry, followers }: EntryState,
  nodeOf: (name: string) => LogNode | undefined,
  readOf: (id: string) => ReadEntry | undefined
): ReadEntry[] {
  const ids = new Set(followers.flatMap(name => nodeOf(name)?.item.entry ?? []))
  return [...ids]
    .sort()
    .flatMap(id => readOf(id) ?? [])
    .filter(({ history }) => history.some(({ act, about }) => act === 'comment' && about === entry))
}

function readRevision(node: LogNode, opened: Opened, nodeOf: (name: string) => LogNode | undefined): ReadRevision {
  const nothing = { node, act: null, reason: '', about: null, content: null, isErased: false, code: null }
  if ('erased' in opened) return { ...nothing, isErased: true }
  if ('code' in opened) return { ...nothing, code: opened.code }
  try {
    const statement = statementOf(opened.content)
    if (statement == null) return { ...nothing, act: 'state', content: opened.content }
    const { item } = node
    const parents = item.parents.flatMap(name => nodeOf(name)?.item.entry ?? []).map(id => fromHex(id))
    checkStatement(statement, { entry: fromHex(item.entry), revision: item.revision }, parents)
    const { act, reason, content } = statement
    const about = statement.about == null ? null : toHex(statement.about)
    const { recordedAtMs } = opened.content
    return { ...nothing, act, reason, about, content: content == null ? null : { ...content, recordedAtMs } }
  } catch (error) {
    if (isSalusError(error)) return { ...nothing, code: error.code }
    throw error
  }
}

function statusOf(standing: readonly ReadRevision[]): ReadEntry['status'] {
  const [only] = standing
  if (only == null || standing.length > 1) return 'conflict'
  if (only.isErased) return 'erased'
  if (only.code != null) return 'unreadable'
  return only.act === 'retract' ? 'retracted' : 'current'
}

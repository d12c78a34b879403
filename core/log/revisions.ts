/** The revisions of one entry: which of them live, and whose they are (docs/specs/log.md). */
import type { LogNode } from '#core/log/node.ts'

/** The sound headers of one entry, as the log keeps them. */
export interface EntryNodes {
  /** In the order they were settled, which is no order to show. */
  readonly all: LogNode[]
  readonly live: Set<LogNode>
  /** Headers of other entries that follow one of these. */
  readonly followers: Set<string>
  /** The newest day of its revisions. */
  day: number
  /** What {@link stateOf} told of it; null since something changed. */
  shown: EntryState | null
}

/** An entry as the log shows it. All lists are in an order that does not depend on arrival. */
export interface EntryState {
  /** Id, hexadecimal. */
  readonly entry: string
  /** All revisions, the original first. */
  readonly revisions: readonly LogNode[]
  /** The revisions that nothing supersedes and that the owner or the patient wrote; several are a conflict. */
  readonly standing: readonly LogNode[]
  /** Others' revisions that neither the owner nor the patient has taken up. */
  readonly proposed: readonly LogNode[]
  readonly isConflict: boolean
  /** The owner's last words where the patient's stand in their place: they stay in view. */
  readonly originals: readonly LogNode[]
  /** One key, two headers, one revision number: the author, or who has its key, said two things at once. */
  readonly forks: readonly (readonly LogNode[])[]
  /** Headers of other entries that follow one of this entry: comments among them. */
  readonly followers: readonly string[]
}

/** An entry without revisions. */
export function createEntryNodes(): EntryNodes {
  return { all: [], live: new Set(), followers: new Set(), day: 0, shown: null }
}

/**
 * Adds a sound revision, whose parents were added before. A revision that stands supersedes everything it follows; a proposal
 * only its author's own proposals that it names. Every node is superseded once, so all additions together cost no more than
 * the edges between them.
 */
export function addRevision(entry: EntryNodes, node: LogNode, own: readonly LogNode[], parentsOf: ParentsOf): void {
  entry.shown = null
  entry.all.push(node)
  entry.live.add(node)
  if (node.stands) {
    cover(entry, own, parentsOf)
  } else {
    for (const parent of own) {
      if (parent.authorId !== node.authorId || parent.stands) continue
      parent.isReplaced = true
      entry.live.delete(parent)
    }
  }
  entry.day = Math.max(entry.day, node.item.day)
}

/** Adds a header of another entry that follows one of this entry. */
export function addFollower(entry: EntryNodes, name: string): void {
  entry.shown = null
  entry.followers.add(name)
}

/** Parents of a node that belong to the same entry. */
export type ParentsOf = (node: LogNode) => readonly LogNode[]

function cover(entry: EntryNodes, own: readonly LogNode[], parentsOf: ParentsOf): void {
  const stack = [...own]
  for (let node = stack.pop(); node != null; node = stack.pop()) {
    if (node.isCovered) continue
    node.isCovered = true
    entry.live.delete(node)
    stack.push(...parentsOf(node))
  }
}

/** What an entry's revisions come to; put in order once for each change, since one entry may have as many as its writers like. */
export function stateOf(id: string, entry: EntryNodes): EntryState {
  return (entry.shown ??= orderedState(id, entry))
}

function orderedState(id: string, { all, live, followers }: EntryNodes): EntryState {
  const inOrder = (nodes: Iterable<LogNode>): LogNode[] => [...nodes].sort(byRevision)
  const revisions = inOrder(all)
  const standing = inOrder(live).filter(({ stands }) => stands)
  return {
    entry: id,
    revisions,
    standing,
    proposed: inOrder(live).filter(({ stands }) => !stands),
    isConflict: standing.length > 1,
    originals: originalsOf(revisions, standing),
    forks: forksOf(revisions),
    followers: [...followers].sort()
  }
}

/** Compares revisions of one entry: by number, then by name. */
export function byRevision(a: LogNode, b: LogNode): number {
  return a.item.revision - b.item.revision || (a.item.name < b.item.name ? -1 : 1)
}

/** The last words of those owners of the entry who have no standing revision of their own. */
function originalsOf(revisions: readonly LogNode[], standing: readonly LogNode[]): LogNode[] {
  const owners = new Set(revisions.filter(({ item }) => item.revision === 1).map(({ authorId }) => authorId))
  for (const { authorId } of standing) owners.delete(authorId)
  const theirs = revisions.filter(node => owners.has(node.authorId) && node.stands)
  const followed = new Set(theirs.flatMap(({ item }) => item.parents))
  return theirs.filter(({ item }) => !followed.has(item.name))
}

function forksOf(revisions: readonly LogNode[]): LogNode[][] {
  const byNumber = new Map<string, LogNode[]>()
  for (const node of revisions) {
    const key = `${String(node.item.revision)} ${String(node.item.author)}`
    const same = byNumber.get(key)
    if (same == null) byNumber.set(key, [node])
    else same.push(node)
  }
  return [...byNumber.values()].filter(same => same.length > 1)
}

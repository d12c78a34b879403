/**
 * The graph of a log's headers, fed in any order (docs/specs/log.md). A header settles once everything it follows has settled;
 * until then it waits. Each header and each edge is looked at a bounded number of times, so feeding costs what is new.
 */
import { createDayIndex, type DayIndex } from '#core/log/day-index.ts'
import { authorId, type Own } from '#core/log/facts.ts'
import type { LogItem } from '#core/log/item.ts'
import { nodeOf, settle, type LogNode } from '#core/log/node.ts'
import { addFollower, addRevision, createEntryNodes, type EntryNodes } from '#core/log/revisions.ts'

/** Headers and what they come to. Change it through {@link addNode} and {@link proveNode} only. */
export interface LogGraph {
  readonly nodes: Map<string, LogNode>
  readonly entries: Map<string, EntryNodes>
  /** Entries by the newest day of their revisions. */
  readonly days: DayIndex
  /** Sound headers that nothing sound follows. */
  readonly heads: DayIndex
  /** By name of a header that is not settled or not here: those that wait for it. */
  readonly waiting: Map<string, Set<LogNode>>
  /** Names that nothing waits for: the patient has had them erased. */
  readonly erased: ReadonlySet<string>
  /** Headers whose author is not proven yet, oldest first. */
  readonly unproven: Set<LogNode>
  /** Those of them that may be let go: never proven, and not kept from before. */
  readonly strangers: Set<LogNode>
  /** How many proven headers wait for others. */
  waiters: number
  /** The same by author, oldest first. */
  readonly waitersOf: Map<string, Set<LogNode>>
  /** By tag: the generations that sound headers name with it. One, where nobody lies. */
  readonly generations: Map<string, Set<number>>
}

/** A graph without headers. */
export function createGraph(erased: ReadonlySet<string> = new Set()): LogGraph {
  return {
    nodes: new Map(),
    entries: new Map(),
    days: createDayIndex(),
    heads: createDayIndex(),
    waiting: new Map(),
    erased,
    unproven: new Set(),
    strangers: new Set(),
    waiters: 0,
    waitersOf: new Map(),
    generations: new Map()
  }
}

/**
 * Adds a header with its judgement; returns the nodes that this settled, itself included where it settled.
 *
 * @param isKept - not to be let go while its author is not proven
 */
export function addNode(graph: LogGraph, item: LogItem, own: Own, isKept: boolean): LogNode[] {
  const node = nodeOf(item)
  node.isKept = isKept
  graph.nodes.set(item.name, node)
  return proveNode(graph, node, own)
}

/** Gives a node that is not settled its judgement; returns the nodes that this settled. */
export function proveNode(graph: LogGraph, node: LogNode, own: Own): LogNode[] {
  if ('code' in own) {
    node.state = 'unproven'
    node.code = own.code
    graph.unproven.add(node)
    if (!node.isKept) graph.strangers.add(node)
    return []
  }
  graph.unproven.delete(node)
  graph.strangers.delete(node)
  const { author, floorS, endS } = own.ok
  Object.assign(node, { state: 'waiting', code: null, author, authorId: authorId(author), floorS, endS })
  const open = node.item.parents.filter(name => !graph.erased.has(name) && !isSettled(graph.nodes.get(name)))
  node.unsettled = open.length
  for (const name of open) addTo(graph.waiting, name, node)
  if (open.length === 0) return settleFrom(graph, node)
  graph.waiters++
  addTo(graph.waitersOf, node.authorId, node)
  return []
}

/** Forgets the header that has been unproven longest; whoever hands it out can do so again. */
export function dropUnproven(graph: LogGraph): LogNode | undefined {
  const [node] = graph.strangers
  if (node == null) return undefined
  graph.strangers.delete(node)
  graph.unproven.delete(node)
  graph.nodes.delete(node.item.name)
  return node
}

/** Forgets the header that waits longest, of the author of whom most wait: nobody crowds out the others. */
export function dropWaiter(graph: LogGraph): LogNode | undefined {
  let most: ReadonlySet<LogNode> = new Set()
  for (const theirs of graph.waitersOf.values()) if (theirs.size > most.size) most = theirs
  const [node] = most
  if (node == null) return undefined
  endWaiting(graph, node)
  graph.nodes.delete(node.item.name)
  for (const name of node.item.parents) takeFrom(graph.waiting, name, node)
  return node
}

/** Tells whether a node's state is final, as far as headers go. */
export function isSettled(node: LogNode | undefined): boolean {
  return node?.state === 'sound' || node?.state === 'refused'
}

/** Settles a node and whatever waited for it. A stack, not a recursion: a chain may be as long as the log. */
function settleFrom(graph: LogGraph, first: LogNode): LogNode[] {
  const settled: LogNode[] = []
  const stack = [first]
  for (let node = stack.pop(); node != null; node = stack.pop()) {
    const parents = node.item.parents.flatMap(name => graph.nodes.get(name) ?? [])
    settle(node, parents)
    settled.push(node)
    if (node.state === 'sound') place(graph, node, parents)
    for (const child of graph.waiting.get(node.item.name) ?? []) {
      child.unsettled--
      if (child.unsettled > 0) continue
      endWaiting(graph, child)
      stack.push(child)
    }
    graph.waiting.delete(node.item.name)
  }
  return settled
}

function place(graph: LogGraph, node: LogNode, parents: readonly LogNode[]): void {
  const { item } = node
  for (const parent of parents) {
    if (parent.state !== 'sound') continue
    if (!parent.isFollowed) graph.heads.remove(parent.item.day, parent.item.name)
    parent.isFollowed = true
    const followed = parent.item.entry === item.entry ? undefined : graph.entries.get(parent.item.entry)
    if (followed != null) addFollower(followed, item.name)
  }
  graph.heads.add(item.day, item.name)
  const entry = graph.entries.get(item.entry) ?? createEntryNodes()
  const before = graph.entries.has(item.entry) ? entry.day : null
  graph.entries.set(item.entry, entry)
  const ofEntry = (of: LogNode): LogNode[] =>
    of.item.parents.flatMap(name => graph.nodes.get(name) ?? []).filter(each => each.item.entry === of.item.entry)
  addRevision(entry, node, ofEntry(node), ofEntry)
  if (before !== entry.day) {
    if (before != null) graph.days.remove(before, item.entry)
    graph.days.add(entry.day, item.entry)
  }
  const numbers = graph.generations.get(item.tag) ?? new Set<number>()
  graph.generations.set(item.tag, numbers.add(item.generation))
}

function endWaiting(graph: LogGraph, node: LogNode): void {
  graph.waiters--
  takeFrom(graph.waitersOf, node.authorId, node)
}

function addTo(sets: Map<string, Set<LogNode>>, key: string, node: LogNode): void {
  const set = sets.get(key)
  if (set == null) sets.set(key, new Set([node]))
  else set.add(node)
}

function takeFrom(sets: Map<string, Set<LogNode>>, key: string, node: LogNode): void {
  const set = sets.get(key)
  if (set?.delete(node) === true && set.size === 0) sets.delete(key)
}

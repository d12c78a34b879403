/**
 * The graph of a log's headers, fed in any order (docs/specs/log.md). A header settles once everything it follows has settled;
 * until then it waits. Each header and each edge is looked at a bounded number of times, so feeding costs what is new.
 */
import { createDayIndex, type DayIndex } from '#core/log/day-index.ts'
import { authorId, type Own } from '#core/log/facts.ts'
import type { LogItem } from '#core/log/item.ts'
import { nodeOf, settle, type LogNode } from '#core/log/node.ts'
import { addRevision, createEntryNodes, type EntryNodes } from '#core/log/revisions.ts'

/** Headers and what they come to. Change it through {@link addNode} and {@link proveNode} only. */
export interface LogGraph {
  readonly nodes: Map<string, LogNode>
  readonly entries: Map<string, EntryNodes>
  /** Entries by the newest day of their revisions. */
  readonly days: DayIndex
  /** Sound headers that nothing sound follows. */
  readonly heads: DayIndex
  /** By name of a header that is not settled or not here: those that wait for it. */
  readonly waiting: Map<string, LogNode[]>
  /** Names that nothing waits for: the patient has had them erased. */
  readonly erased: ReadonlySet<string>
  /** Headers whose author is not proven yet, oldest first. */
  readonly unproven: Set<LogNode>
  /** How many proven headers wait for others. */
  waiters: number
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
    waiters: 0,
    generations: new Map()
  }
}

/** Adds a header with its judgement; returns the nodes that this settled, itself included where it settled. */
export function addNode(graph: LogGraph, item: LogItem, own: Own): LogNode[] {
  const node = nodeOf(item)
  graph.nodes.set(item.name, node)
  return proveNode(graph, node, own)
}

/** Gives a node that is not settled its judgement; returns the nodes that this settled. */
export function proveNode(graph: LogGraph, node: LogNode, own: Own): LogNode[] {
  if ('code' in own) {
    node.state = 'unproven'
    node.code = own.code
    graph.unproven.add(node)
    return []
  }
  graph.unproven.delete(node)
  const { author, floorS, endS } = own.ok
  Object.assign(node, { state: 'waiting', code: null, author, authorId: authorId(author), floorS, endS })
  const open = node.item.parents.filter(name => !graph.erased.has(name) && !isSettled(graph.nodes.get(name)))
  node.unsettled = open.length
  for (const name of open) {
    const others = graph.waiting.get(name)
    if (others == null) graph.waiting.set(name, [node])
    else others.push(node)
  }
  if (open.length === 0) return settleFrom(graph, node)
  graph.waiters++
  return []
}

/** Forgets the header that has been unproven longest; whoever hands it out can do so again. */
export function dropUnproven(graph: LogGraph): LogNode | undefined {
  const [node] = graph.unproven
  if (node == null) return undefined
  graph.unproven.delete(node)
  graph.nodes.delete(node.item.name)
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
      graph.waiters--
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
    if (parent.item.entry !== item.entry) graph.entries.get(parent.item.entry)?.followers.add(item.name)
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

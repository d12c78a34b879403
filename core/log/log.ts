/**
 * A patient's log: verified headers of several writers, merged without losing any (docs/specs/log.md). Its state is a function
 * of which headers and facts it was given, never of their order. What it keeps of each goes out as a row, so that a
 * signature is checked once in the life of an agent.
 */
import { networkIdOf } from '#core/chain/network-id.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { SalusError, isSalusError } from '#core/error.ts'
import type { PagePlace } from '#core/log/day-index.ts'
import { createEvidenceTable, type LogRows } from '#core/log/evidence-table.ts'
import { changedRights, judgeAlone, rightOf, type LogFacts, type Own } from '#core/log/facts.ts'
import { addNode, createGraph, dropUnproven, dropWaiter, isSettled, proveNode, type LogGraph } from '#core/log/graph.ts'
import { decodeLogRow, encodeHeaderRow, itemOf, type LogItem } from '#core/log/item.ts'
import { knownNode, type LogNode, type NodeState } from '#core/log/node.ts'
import { createPool } from '#core/log/pool.ts'
import { byRevision, stateOf, type EntryState } from '#core/log/revisions.ts'
import { cidOfCanonical } from '#core/record/cid.ts'
import { MAX_PARENTS, decodeEntry, verifyEntry } from '#core/record/entry.ts'

/** The most headers of proven authors that may wait for others at one time; beyond, whoever has most of them loses the oldest. */
const MAX_WAITING = 65_536

/** The most headers that are kept while their author never was proven; beyond, the oldest goes. */
const MAX_UNPROVEN = 4096

/** The most other evidence that is kept of one unproven header. */
const MAX_ALTERNATIVES = 3

/** A header as a peer hands it out, with what its author sent along. */
export interface LogInput {
  readonly headerBytes: Uint8Array
  readonly evidenceBytes: Uint8Array
}

/** What a log may be told. */
export interface LogInit {
  readonly rows?: LogRows
  /** 65,536 unless given. */
  readonly maxWaiting?: number
  /** 4,096 unless given. */
  readonly maxUnproven?: number
}

/** What a header came to. */
export interface LogVerdict {
  /** CID of the bytes, also where they are no header. */
  readonly name: string
  readonly state: NodeState
  /** Why it is refused or unproven (docs/errors.md). */
  readonly code: string | null
}

/** A header's verdict, and the names of all headers, earlier ones too, that became sound or refused with it. */
export interface LogAddition extends LogVerdict {
  readonly isNew: boolean
  readonly settled: readonly string[]
}

/** A log. */
export interface Log {
  /** Takes in a header; the same one again changes nothing. One that cannot count yet may be let go again for others. */
  add(input: LogInput): LogAddition
  /** Takes in a row that {@link LogRows} was given; nothing is verified again but what the chain says. */
  restore(row: Uint8Array): void
  /** Judges by newer facts; returns the names whose state changed. */
  renew(facts: LogFacts): readonly string[]
  node(name: string): LogNode | undefined
  entry(id: string): EntryState | undefined
  /** Entries by day, newest first; `after`: where the page before ended. */
  list(wish: Parameters<LogGraph['days']['page']>[0]): readonly PagePlace[]
  /** Names that are followed by headers here but are not here themselves. */
  missing(): readonly string[]
  /** What the first revision of a new entry should follow: `about`, and the newest heads. */
  parentsOfNew(about?: readonly string[]): readonly string[]
  /**
   * What the next revision of an entry follows, and its number: everything that stands, so that it ends a conflict.
   *
   * @param taken - proposals that it takes up or turns down
   * @throws SalusError `LOG_UNKNOWN`
   */
  parentsOfRevision(
    id: string,
    taken?: readonly string[]
  ): { readonly parents: readonly string[]; readonly revision: number }
  /** The graph as it is, to read. */
  readonly graph: LogGraph
}

/** A log of the record that the facts speak of. */
export function createLog(p: Primitives, initial: LogFacts, init: LogInit = {}): Log {
  const { rows, maxWaiting = MAX_WAITING, maxUnproven = MAX_UNPROVEN } = init
  let facts = initial
  let graph = createGraph(facts.erased)
  const byRight = new Map<string, Set<LogNode>>()
  let pool = createPool()
  const { target, patient } = facts.record
  const evidences = createEvidenceTable(p, target, rows)
  const place = { network: networkIdOf(target.chainId, target.contracts.AccessGrants.address), patient }

  const judge = (item: LogItem): Own => {
    const evidence = evidences.get(item.evidence)
    return evidence == null ? { code: 'LOG_NO_EVIDENCE' } : judgeAlone(item, evidence, facts)
  }
  const remember = (node: LogNode, own: Own): void => {
    if ('code' in own) return
    const same = byRight.get(rightOf(node.item))
    if (same == null) byRight.set(rightOf(node.item), new Set([node]))
    else same.add(node)
  }
  const insert = (unpooled: LogItem, isKept: boolean): LogNode[] => {
    const item = pool(unpooled)
    const own = judge(item)
    const settled = addNode(graph, item, own, isKept)
    remember(knownNode(graph.nodes, item.name), own)
    return settled
  }
  const forget = (node: LogNode): void => {
    byRight.get(rightOf(node.item))?.delete(node)
    rows?.delete(`header/${node.item.name}`)
    for (const name of [node.item.evidence, ...node.alternatives]) evidences.release(name)
  }
  const makeRoom = (): void => {
    while (graph.strangers.size > maxUnproven || graph.waiters > maxWaiting) {
      const dropped = graph.waiters > maxWaiting ? dropWaiter(graph) : dropUnproven(graph)
      if (dropped == null) return
      forget(dropped)
    }
  }

  /** Tries all evidence that an unproven header came with; the least code of all, so that no order of arrival shows. */
  const prove = (node: LogNode): LogNode[] => {
    const tried = [node.item.evidence, ...node.alternatives].map(evidence => {
      const item = { ...node.item, evidence }
      return { item, own: judge(item) }
    })
    const proven = tried.find(({ own }) => 'ok' in own)
    const codes = tried.flatMap(({ own }) => ('code' in own ? own.code : [])).sort()
    if (proven == null) return proveNode(graph, node, { code: codes[0] ?? '' })
    if (proven.item.evidence !== node.item.evidence) {
      node.item = proven.item
      rows?.put(`header/${node.item.name}`, encodeHeaderRow(node.item))
    }
    remember(node, proven.own)
    return proveNode(graph, node, proven.own)
  }
  const retry = (node: LogNode, { evidenceBytes }: LogInput): LogAddition => {
    const unchanged = (): LogAddition => ({ ...verdictOf(node), isNew: false, settled: [] })
    const evidence = evidences.nameOf(evidenceBytes)
    const isKnown = evidence === node.item.evidence || node.alternatives.includes(evidence)
    if (isKnown && evidences.get(evidence) != null) return unchanged()
    evidences.use(evidence, evidenceBytes)
    if (!isKnown) {
      // However much wrong evidence somebody sent first: the right one is tried.
      const isFull = node.alternatives.length >= MAX_ALTERNATIVES
      if (isFull && 'code' in judge({ ...node.item, evidence })) {
        evidences.release(evidence)
        return unchanged()
      }
      node.alternatives.push(evidence)
    }
    const settled = prove(node)
    makeRoom()
    return { ...verdictOf(node), isNew: false, settled: namesOf(settled) }
  }

  const addNew = (input: LogInput): LogAddition => {
    const decoded = decodeEntry(input.headerBytes, place)
    if (!verifyEntry(p, decoded)) throw new SalusError('ENTRY_SIGNATURE', 'The header’s signature does not match.')
    const evidence = evidences.nameOf(input.evidenceBytes)
    evidences.use(evidence, input.evidenceBytes)
    const item = itemOf(decoded.header, decoded.cid, evidence)
    const settled = insert(item, false)
    const node = knownNode(graph.nodes, item.name)
    rows?.put(`header/${item.name}`, encodeHeaderRow(item))
    makeRoom()
    return { ...verdictOf(node), isNew: true, settled: namesOf(settled) }
  }

  /** The same headers under other facts; no signature is checked again. */
  const rebuild = (): readonly string[] => {
    const before = graph
    graph = createGraph(facts.erased)
    byRight.clear()
    pool = createPool()
    for (const was of before.nodes.values()) {
      const { item, alternatives, state, isKept } = was
      if (graph.erased.has(item.name)) {
        forget(was)
        continue
      }
      insert(item, isKept || state !== 'unproven')
      const node = knownNode(graph.nodes, item.name)
      node.alternatives.push(...alternatives)
      if (node.state === 'unproven' && alternatives.length > 0) prove(node)
    }
    return namesOf([...graph.nodes.values()].filter(node => node.state !== before.nodes.get(node.item.name)?.state))
  }

  /** A header that settled may have to go; one that did not may settle now. */
  const renew = (next: LogFacts): readonly string[] => {
    const rights = changedRights(facts, next)
    const isRetired = [...(next.retired ?? [])].some(([tag, day]) => facts.retired?.get(tag) !== day)
    const isErased = [...(next.erased ?? [])].some(name => !graph.erased.has(name))
    facts = next
    const changed = [...rights].flatMap(right => [...(byRight.get(right) ?? [])])
    if (isRetired || isErased || changed.some(node => differs(node, judge(node.item)))) return rebuild()
    return [...graph.unproven].flatMap(node => {
      const settled = prove(node)
      return node.state === 'unproven' || isSettled(node) ? namesOf(settled) : [node.item.name, ...namesOf(settled)]
    })
  }

  return {
    add(input) {
      const name = cidOfCanonical(input.headerBytes).toString()
      try {
        if (graph.erased.has(name)) {
          throw new SalusError('ENTRY_ERASED', 'The patient had this entry erased; it is not taken again.')
        }
        const before = graph.nodes.get(name)
        if (before == null) return addNew(input)
        if (before.state === 'unproven') return retry(before, input)
        return { ...verdictOf(before), isNew: false, settled: [] }
      } catch (error) {
        if (!isSalusError(error)) throw error
        return { name, state: 'refused', code: error.code, isNew: false, settled: [] }
      }
    },
    restore(row) {
      const read = decodeLogRow(row)
      if (read.kind === 'evidence') evidences.restore(read.name, read.evidence)
      else if (!graph.nodes.has(read.item.name) && !graph.erased.has(read.item.name)) {
        evidences.keep(read.item.evidence)
        insert(read.item, true)
      }
    },
    renew,
    node: name => graph.nodes.get(name),
    entry(id) {
      const entry = graph.entries.get(id)
      return entry == null ? undefined : stateOf(id, entry)
    },
    list: wish => graph.days.page(wish),
    missing: () => [...graph.waiting.keys()].filter(name => !graph.nodes.has(name)).sort(),
    parentsOfNew(about = []) {
      const heads = graph.heads.page({ limit: MAX_PARENTS }).map(({ key }) => key)
      return [...new Set([...about, ...heads])].slice(0, MAX_PARENTS)
    },
    parentsOfRevision(id, taken = []) {
      const standing = [...(graph.entries.get(id)?.live ?? [])].filter(({ stands }) => stands)
      if (standing.length === 0) throw new SalusError('LOG_UNKNOWN', 'The log holds no such entry; sync first.')
      const proposals = taken.map(name => knownNode(graph.nodes, name))
      const named = [...new Set([...proposals, ...standing.sort(byRevision).reverse()])].slice(0, MAX_PARENTS)
      return { parents: namesOf(named), revision: 1 + Math.max(...named.map(({ item }) => item.revision)) }
    },
    get graph() {
      return graph
    }
  }
}

/** What a node came to. */
function verdictOf({ item, state, code }: LogNode): LogVerdict {
  return { name: item.name, state, code }
}

function namesOf(nodes: readonly LogNode[]): string[] {
  return nodes.map(({ item }) => item.name)
}

/** Tells whether a settled node would settle otherwise under its new judgement, or let others. */
function differs(node: LogNode, own: Own): boolean {
  if ('code' in own || node.author == null) return true
  const { author, floorS, endS } = own.ok
  if (author.kind !== node.author.kind || endS !== node.endS) return true
  const isSame =
    author.kind === 'patient' || node.author.kind === 'patient' || equalBytes(author.address, node.author.address)
  return !isSame || floorS > node.floorS
}

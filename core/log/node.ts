/** One header in the graph of the log, and what its place in the graph says of it (docs/specs/log.md). */
import { SalusError } from '#core/error.ts'
import type { Author } from '#core/agent/author.ts'
import type { LogItem } from '#core/log/item.ts'
import { DAY_S } from '#core/network/author-right.ts'

/**
 * `sound`: it counts. `refused`: it never will, whatever else arrives. `unproven`: its author is not proven by what is known of
 * the chain. `waiting`: a header it follows is not here, or is itself unproven or waiting.
 */
export type NodeState = 'sound' | 'refused' | 'unproven' | 'waiting'

/** A header in the graph; the log alone changes it. */
export interface LogNode {
  item: LogItem
  /** SHA-256 of other evidence that came with it, while none proves its author. */
  readonly alternatives: string[]
  state: NodeState
  /** Why it is refused or unproven. */
  code: string | null
  author: Author | null
  /** `authorId` of the author; empty where it is not proven. */
  authorId: string
  /** It was written at this time or later, seconds since 1970-01-01: the latest that it or anything it follows proves. */
  floorS: number
  endS: number
  /** Length of the longest way to a header that follows nothing. */
  height: number
  /** Who wrote the entry's first revision; null where several did, independently. */
  owner: string | null
  /** The word of the entry's owner or of the patient; anyone else's revision is a proposal. */
  stands: boolean
  /** A revision that stands follows it. */
  isCovered: boolean
  /** A proposal of the same author follows it. */
  isReplaced: boolean
  /** Something sound follows it. */
  isFollowed: boolean
  /** Parents that are not settled yet. */
  unsettled: number
  /** It was proven once, or was kept from before: while its author is not proven it is not let go. */
  isKept: boolean
}

/** How late beyond the end of a right its last honest entries may be named by others: clocks, zones and blocks differ. */
const TOLERANCE_S: number = DAY_S

/** A node that was not judged yet. */
export function nodeOf(item: LogItem): LogNode {
  return {
    item,
    alternatives: [],
    state: 'waiting',
    code: null,
    author: null,
    authorId: '',
    floorS: 0,
    endS: Number.POSITIVE_INFINITY,
    height: 0,
    owner: null,
    stands: false,
    isCovered: false,
    isReplaced: false,
    isFollowed: false,
    unsettled: 0,
    isKept: false
  }
}

/**
 * Settles a node whose author is proven and whose parents are all sound or refused: sets what follows from them, and its
 * state. What a node is depends on its ancestors alone, so on no order of arrival.
 */
export function settle(node: LogNode, parents: readonly LogNode[]): void {
  const { item } = node
  const sound = parents.filter(({ state }) => state === 'sound')
  const own = parents.filter(parent => parent.item.entry === item.entry)
  node.floorS = Math.max(node.floorS, ...sound.map(({ floorS }) => floorS))
  node.height = 1 + Math.max(-1, ...sound.map(({ height }) => height))
  node.code = codeOf(node, own)
  node.state = node.code == null ? 'sound' : 'refused'
  node.owner = own.length === 0 ? node.authorId : commonOwner(own)
  node.stands = node.authorId === 'patient' || node.authorId === node.owner
}

function codeOf({ item, floorS, endS }: LogNode, own: readonly LogNode[]): string | null {
  // A revision of what is refused is of no entry.
  if (own.some(({ state }) => state === 'refused')) return 'LOG_PARENT_REFUSED'
  // Revisions count from 1, each one more than the highest of those it revises.
  const revision = 1 + Math.max(0, ...own.map(parent => parent.item.revision))
  if (item.revision !== revision) return 'LOG_REVISION'
  // It names something that was not there when its author's right ended.
  return floorS > endS + TOLERANCE_S ? 'LOG_BACKDATED' : null
}

function commonOwner(own: readonly LogNode[]): string | null {
  const owners = new Set(own.map(({ owner }) => owner))
  const [owner = null] = owners
  return owners.size === 1 ? owner : null
}

/**
 * The node of a name that the log itself holds.
 *
 * @throws SalusError `LOG_UNKNOWN` if there is none
 */
export function knownNode(nodes: ReadonlyMap<string, LogNode>, name: string): LogNode {
  const node = nodes.get(name)
  if (node == null) throw new SalusError('LOG_UNKNOWN', 'The log holds no such entry; sync first.')
  return node
}

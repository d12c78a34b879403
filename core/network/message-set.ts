/**
 * The ids of the messages that a node has, as a tree by their hexadecimal digits in which every part has a mark: two nodes that have the same
 * messages under a prefix have the same mark there (docs/specs/sync.md, vectors in test/vectors/message-set.json).
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { fromHex } from '#core/encoding/bytes.ts'

/** Most ids of a part that is listed rather than divided. */
export const MAX_LISTED = 32

/** Bytes of a mark. */
export const MARK_BYTES = 16

/** Parts that a part is divided into, one a hexadecimal digit. */
export const FAN_OUT = 16

/** What a set has under a prefix. */
export type SetPart =
  /** All of it, in order; ids are 64 hexadecimal digits. */
  | { readonly ids: readonly string[] }
  /** The marks under each next digit, in hexadecimal; empty where there is nothing. */
  | { readonly marks: readonly string[] }

/** A set of ids; one writer. */
export interface MessageSet {
  /** How many there are. */
  size(): number
  /** Adds an id of 64 hexadecimal digits, if it is not there. */
  add(id: string): void
  has(id: string): boolean
  remove(id: string): void
  /** What lies under a prefix of hexadecimal digits. */
  look(prefix: string): SetPart
  /** The mark of what lies under a prefix; empty for nothing. */
  mark(prefix: string): string
}

interface Leaf {
  readonly ids: string[]
  mark?: string
}

interface Inner {
  readonly children: (Tree | undefined)[]
  count: number
  mark?: string
}

type Tree = Leaf | Inner

/** An empty set. */
export function createMessageSet(p: Pick<Primitives, 'sha256'>): MessageSet {
  let root: Tree = { ids: [] }

  function markOf(tree: Tree | undefined): string {
    if (tree == null || countOf(tree) === 0) return ''
    return (tree.mark ??= 'ids' in tree ? hash('00', tree.ids) : hash('01', tree.children.map(paddedMark)))
  }

  function paddedMark(tree: Tree | undefined): string {
    return markOf(tree).padEnd(2 * MARK_BYTES, '0')
  }

  function hash(kind: string, parts: readonly string[]): string {
    const digest = p.sha256(fromHex(`0x${kind}${parts.join('')}`))
    return Array.from(digest.subarray(0, MARK_BYTES), byte => byte.toString(16).padStart(2, '0')).join('')
  }

  /** The tree with an id in it; the part that changed has no mark any more. */
  function withId(tree: Tree, id: string, depth: number): Tree {
    if ('ids' in tree) {
      const at = placeOf(tree.ids, id)
      if (tree.ids[at] === id) return tree
      tree.ids.splice(at, 0, id)
      delete tree.mark
      return tree.ids.length > MAX_LISTED ? divided(tree.ids, depth) : tree
    }
    const digit = digitAt(id, depth)
    const child = tree.children[digit] ?? { ids: [] }
    const before = countOf(child)
    const changed = withId(child, id, depth + 1)
    tree.children[digit] = changed
    tree.count += countOf(changed) - before
    delete tree.mark
    return tree
  }

  function divided(ids: readonly string[], depth: number): Tree {
    let tree: Tree = { children: Array.from({ length: FAN_OUT }), count: 0 }
    for (const id of ids) tree = withId(tree, id, depth)
    return tree
  }

  /** The tree without an id; what can be listed again is not divided, so that the mark does not tell of the past. */
  function withoutId(tree: Tree, id: string, depth: number): Tree {
    if ('ids' in tree) {
      const at = placeOf(tree.ids, id)
      if (tree.ids[at] === id) tree.ids.splice(at, 1)
      delete tree.mark
      return tree
    }
    const digit = digitAt(id, depth)
    const child = tree.children[digit]
    if (child == null) return tree
    const before = countOf(child)
    const changed = withoutId(child, id, depth + 1)
    tree.children[digit] = countOf(changed) === 0 ? undefined : changed
    tree.count += countOf(changed) - before
    delete tree.mark
    return tree.count > MAX_LISTED ? tree : { ids: idsOf(tree) }
  }

  /** The tree under a prefix. */
  function under(prefix: string): Tree | undefined {
    let tree: Tree | undefined = root
    for (let depth = 0; tree != null; depth++) {
      if ('ids' in tree) {
        return depth === prefix.length ? tree : { ids: tree.ids.filter(id => id.startsWith(prefix)) }
      }
      if (depth === prefix.length) return tree
      tree = tree.children[digitAt(prefix, depth)]
    }
    return tree
  }

  return {
    size: () => countOf(root),
    add(id) {
      root = withId(root, id, 0)
    },
    has(id) {
      const tree = under(id)
      return tree != null && countOf(tree) > 0
    },
    remove(id) {
      if (this.has(id)) root = withoutId(root, id, 0)
    },
    look(prefix) {
      const tree = under(prefix)
      if (tree == null) return { ids: [] }
      return 'ids' in tree ? { ids: [...tree.ids] } : { marks: tree.children.map(markOf) }
    },
    mark: prefix => markOf(under(prefix))
  }
}

function countOf(tree: Tree): number {
  return 'ids' in tree ? tree.ids.length : tree.count
}

/** All ids of a tree, in order. */
function idsOf(tree: Tree | undefined): string[] {
  if (tree == null) return []
  return 'ids' in tree ? tree.ids : tree.children.flatMap(idsOf)
}

/** Where an id stands in order, or belongs. */
function placeOf(ids: readonly string[], id: string): number {
  let [from, to] = [0, ids.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((ids[middle] ?? '') < id) from = middle + 1
    else to = middle
  }
  return from
}

function digitAt(id: string, depth: number): number {
  return Number.parseInt(id.charAt(depth), 16)
}

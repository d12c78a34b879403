/**
 * The key tree over days (docs/specs/day-tree.md): a binary tree of depth 16 whose leaves are the days since 1970-01-01.
 * Whoever holds a node derives every leaf under it and nothing else.
 *
 * @see Goldreich, Goldwasser, Micali: How to construct random functions, J. ACM 33(4), 1986
 */
import { SalusError } from '#core/error.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { checkedDay } from '#core/record/day.ts'

/** Levels below the root: 2^16 days. */
export const TREE_DEPTH = 16

/** More nodes than any minimal cover needs. */
export const MAX_COVER_NODES: number = 2 * TREE_DEPTH

/** A node of the tree: `prefix` holds the first `depth` bits of the days under it. */
export interface CoverNode {
  /** 0 (the whole tree) to 16 (one day). */
  readonly depth: number
  readonly prefix: number
  /** 32 bytes. */
  readonly key: Uint8Array
}

const ROOT_LABEL = utf8('salus/day-tree/1/root')
const CHILD_LABEL = utf8('salus/day-tree/1/child')
const CHILD_INPUTS = [concat(CHILD_LABEL, Uint8Array.of(0)), concat(CHILD_LABEL, Uint8Array.of(1))] as const

/** The tree's root. Not the generation key itself, so that a cover of everything does not give the generation away. */
function rootOf(p: Primitives, generationKey: Uint8Array): CoverNode {
  return { depth: 0, prefix: 0, key: p.hmacSha256(generationKey, ROOT_LABEL) }
}

/** A node's place in the tree. */
type TreePlace = Pick<CoverNode, 'depth' | 'prefix'>

function placeUnder({ depth, prefix }: TreePlace, bit: 0 | 1): TreePlace {
  return { depth: depth + 1, prefix: 2 * prefix + bit }
}

function childOf(p: Primitives, node: CoverNode, bit: 0 | 1): CoverNode {
  return { ...placeUnder(node, bit), key: p.hmacSha256(node.key, CHILD_INPUTS[bit]) }
}

function firstDay(node: TreePlace): number {
  return node.prefix << (TREE_DEPTH - node.depth)
}

function lastDay(node: TreePlace): number {
  return ((node.prefix + 1) << (TREE_DEPTH - node.depth)) - 1
}

/** The fewest nodes under `node` that cover exactly the days of the span, in the order of days; no other key is derived. */
function coverWithin(p: Primitives, node: CoverNode, fromDay: number, toDay: number): CoverNode[] {
  if (!meets(node, fromDay, toDay)) return []
  if (firstDay(node) >= fromDay && lastDay(node) <= toDay) return [node]
  return ([0, 1] as const).flatMap(bit =>
    meets(placeUnder(node, bit), fromDay, toDay) ? coverWithin(p, childOf(p, node, bit), fromDay, toDay) : []
  )
}

function meets(place: TreePlace, fromDay: number, toDay: number): boolean {
  return lastDay(place) >= fromDay && firstDay(place) <= toDay
}

function leafUnder(p: Primitives, node: CoverNode, day: number): Uint8Array {
  let at = node
  while (at.depth < TREE_DEPTH) at = childOf(p, at, ((day >> (TREE_DEPTH - 1 - at.depth)) & 1) as 0 | 1)
  return at.key
}

/**
 * The fewest nodes that open exactly the days `fromDay` to `toDay`, both included: at most 2·log2 of their number.
 *
 * @throws SalusError `DAY_RANGE` if a day is out of range or the span is empty
 */
export function coverOf(p: Primitives, generationKey: Uint8Array, fromDay: number, toDay: number): CoverNode[] {
  if (checkedDay(fromDay) > checkedDay(toDay)) {
    throw new SalusError('DAY_RANGE', 'The first day of a span must not lie after its last day.')
  }
  return coverWithin(p, rootOf(p, generationKey), fromDay, toDay)
}

/**
 * The key of one day, from a generation's key.
 *
 * @throws SalusError `DAY_RANGE`
 */
export function leafOf(p: Primitives, generationKey: Uint8Array, day: number): Uint8Array {
  return leafUnder(p, rootOf(p, generationKey), checkedDay(day))
}

/**
 * The key of one day, from a cover.
 *
 * @throws SalusError `DAY_NOT_COVERED` if the cover does not open that day
 */
export function leafFromCover(p: Primitives, cover: readonly CoverNode[], day: number): Uint8Array {
  const node = cover.find(each => firstDay(each) <= day && day <= lastDay(each))
  if (node == null || !Number.isInteger(day)) {
    throw new SalusError('DAY_NOT_COVERED', 'These keys do not open that day; ask for a grant that includes it.')
  }
  return leafUnder(p, node, day)
}

/** The cover without the days before `day`: what a writer keeps when days have passed. The caller wipes the old one. */
export function advanceCover(p: Primitives, cover: readonly CoverNode[], day: number): CoverNode[] {
  return cover.flatMap(node => coverWithin(p, node, day, Number.MAX_SAFE_INTEGER))
}

/** Tells whether a cover opens no day outside a span, both ends included. */
export function isWithin(cover: readonly CoverNode[], fromDay: number, toDay: number): boolean {
  return cover.every(node => firstDay(node) >= fromDay && lastDay(node) <= toDay)
}

/** Tells whether nodes stand in the order of days, do not overlap and lie within the tree. */
export function isOrderedCover(cover: readonly CoverNode[]): boolean {
  return cover.every((node, i) => {
    const before = cover[i - 1]
    if (node.depth > TREE_DEPTH || node.prefix >= 2 ** node.depth) return false
    return before == null || lastDay(before) < firstDay(node)
  })
}

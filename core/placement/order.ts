/** The order in which peers are called up to hold a blob. */
import { arrivalOf, drawOf, type PeerTable, type Seed } from '#core/placement/rendezvous.ts'

/** A peer in the race, and when it arrives. */
interface Runner {
  readonly peer: number
  readonly arrival: number
}

/** Runners expected within the first look, above the number asked for: with them, too few come once in some hundred million blobs. */
const SPARE_RUNNERS = 16

/**
 * The first peers for a blob, best first: the earliest of each operator, then, where there are fewer operators than places, the others
 * in their order. A longer list begins with the shorter one.
 *
 * @param count - how many; fewer where there are fewer peers
 * @returns places in `table.peers`
 */
export function orderOf(table: PeerTable, blob: Seed, count: number): number[] {
  const wanted = Math.min(count, table.peers.length)
  if (wanted === 0) return []
  const expected = wanted + SPARE_RUNNERS + 4 * Math.sqrt(wanted)
  if (expected < table.peers.length / 2) {
    const near = spread(table, runnersBefore(table, blob, expected / table.totalWeight), wanted)
    if (near.length === wanted) return near
  }
  return spread(table, runnersBefore(table, blob, Number.POSITIVE_INFINITY), wanted, true)
}

/** Those that arrive before a time, in no order. The logarithm, most of the cost, is taken only of draws that may be early enough. */
function runnersBefore(table: PeerTable, [blobHigh, blobLow]: Seed, before: number): Runner[] {
  const { high, low, peers } = table
  const limits = limitsOf(table, before)
  const runners: Runner[] = []
  for (let peer = 0; peer < high.length; peer++) {
    const draw = drawOf(high[peer] ?? 0, low[peer] ?? 0, blobHigh, blobLow)
    if (draw < (limits[peer] ?? 0)) continue
    runners.push({ peer, arrival: arrivalOf(draw, peers[peer]?.weight ?? 1) })
  }
  return runners
}

/** Least draws with which peers arrive before a time, the same for every blob; they live as long as their table. */
const kept = new WeakMap<PeerTable, { readonly before: number; readonly limits: Float64Array }>()

function limitsOf(table: PeerTable, before: number): Float64Array {
  const known = kept.get(table)
  if (known?.before === before) return known.limits
  const limits = Float64Array.from(table.peers, ({ weight }) => Math.floor(Math.exp(-before * weight) * 2 ** 32) - 1)
  kept.set(table, { before, limits })
  return limits
}

/** The earliest of each operator, then the others if `fill`; equal times are told apart by the peers' ids. */
function spread(table: PeerTable, runners: Runner[], count: number, fill = false): number[] {
  runners.sort((a, b) => a.arrival - b.arrival || a.peer - b.peer)
  const chosen: number[] = []
  const others: number[] = []
  const used = new Set<number>()
  for (const { peer } of runners) {
    const operator = table.operator[peer] ?? 0
    if (used.has(operator)) others.push(peer)
    else {
      used.add(operator)
      chosen.push(peer)
      if (chosen.length === count) return chosen
    }
  }
  // Fewer operators than places: only where every runner has been seen is it known who is next.
  return fill || used.size === table.operators ? [...chosen, ...others].slice(0, count) : chosen
}

/**
 * Whether a peer is among the first `count` for a blob. Looks at some dozens of peers instead of all: for most blobs others are
 * soon found that come before it.
 */
export function isAmongFirst(table: PeerTable, blob: Seed, count: number, id: string): boolean {
  const me = table.at.get(id)
  if (me == null) return false
  if (table.peers.length <= count) return true
  const [blobHigh, blobLow] = blob
  const { high, low, peers, operator } = table
  const draw = (peer: number): number => drawOf(high[peer] ?? 0, low[peer] ?? 0, blobHigh, blobLow)
  const mine = arrivalOf(draw(me), peers[me]?.weight ?? 1)
  const before = new Set<number>()
  // Where operators are too few for the places, the places are filled in another order: that is looked up.
  if (table.operators < count) return orderOf(table, blob, count).includes(me)
  for (let peer = 0; peer < high.length; peer++) {
    if (peer === me) continue
    const other = arrivalOf(draw(peer), peers[peer]?.weight ?? 1)
    if (other > mine || (other === mine && peer > me)) continue
    if (operator[peer] === operator[me]) return false
    before.add(operator[peer] ?? 0)
    if (before.size >= count) return false
  }
  return true
}

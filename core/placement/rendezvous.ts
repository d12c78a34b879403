/**
 * Which peers hold a blob, by weighted rendezvous hashing (docs/specs/placement.md): everyone who knows the same peers comes to the
 * same answer without asking, and a peer that comes or goes moves only what it takes or leaves.
 *
 * @see Thaler, Ravishankar: Using Name-Based Mappings to Increase Hit Rates, IEEE/ACM Transactions on Networking 6 (1), 1998
 */

/** A peer that is willing to hold blobs. */
export interface PlacePeer {
  /** Text of its peer id. */
  readonly id: string
  /** What its draws are made of: see {@link seedOf}. */
  readonly seed: Seed
  /** Bytes that it pledges; above 0. */
  readonly weight: number
  /** Who runs it; replicas are spread over operators. Empty where unknown: the peer then counts as an operator of its own. */
  readonly operator: string
}

/** 64 bits of a digest, as two unsigned halves. */
export type Seed = readonly [high: number, low: number]

/** Peers made ready for many questions. */
export interface PeerTable {
  readonly peers: readonly PlacePeer[]
  readonly high: Uint32Array
  readonly low: Uint32Array
  /** Number of each peer's operator. */
  readonly operator: Uint32Array
  readonly operators: number
  /** Sum of the weights. */
  readonly totalWeight: number
  /** Place of each peer in {@link PeerTable.peers}. */
  readonly at: ReadonlyMap<string, number>
}

const DRAWS = 2 ** 32

/** The first 64 bits of a digest of at least eight bytes. */
export function seedOf(digest: Uint8Array): Seed {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
  return [view.getUint32(0), view.getUint32(4)]
}

/** Makes a table; the order of the peers does not matter, and one that comes twice counts once. */
export function createPeerTable(peers: Iterable<PlacePeer>): PeerTable {
  const unique = new Map(Array.from(peers, peer => [peer.id, peer]))
  const sorted = [...unique.values()].filter(({ weight }) => weight > 0).sort((a, b) => (a.id < b.id ? -1 : 1))
  const numbers = new Map<string, number>()
  const operatorOf = ({ id, operator }: PlacePeer): number => {
    const name = operator === '' ? `peer ${id}` : `operator ${operator}`
    const number = numbers.get(name) ?? numbers.size
    numbers.set(name, number)
    return number
  }
  return {
    peers: sorted,
    high: Uint32Array.from(sorted, ({ seed }) => seed[0]),
    low: Uint32Array.from(sorted, ({ seed }) => seed[1]),
    operator: Uint32Array.from(sorted, operatorOf),
    operators: numbers.size,
    totalWeight: sorted.reduce((sum, { weight }) => sum + weight, 0),
    at: new Map(sorted.map(({ id }, index) => [id, index]))
  }
}

/** A peer's draw for a blob, 32 bits; Murmur3's finaliser over both seeds, so that no part of a CID stands for another. */
export function drawOf(peerHigh: number, peerLow: number, blobHigh: number, blobLow: number): number {
  let draw = peerHigh ^ blobHigh
  draw = Math.imul(draw ^ (draw >>> 16), 0x85ebca6b)
  draw ^= (peerLow + Math.imul(blobLow, 0x9e3779b1)) | 0
  draw = Math.imul(draw ^ (draw >>> 13), 0xc2b2ae35)
  draw = Math.imul(draw ^ (draw >>> 16), 0x27d4eb2f)
  return (draw ^ (draw >>> 15)) >>> 0
}

/** When a peer arrives in the race for a blob: exponential with its weight as rate, so a peer wins in proportion to it. Earlier is better. */
export function arrivalOf(draw: number, weight: number): number {
  return -Math.log((draw + 0.5) / DRAWS) / weight
}

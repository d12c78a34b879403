/** Placement on a network of any size, with the code by which nodes decide; only disks, sockets and time are left out. */
import { isAmongFirst, orderOf } from '#core/placement/order.ts'
import { createPeerTable, drawOf, type PeerTable, type PlacePeer, type Seed } from '#core/placement/rendezvous.ts'

/** What is simulated. */
export interface PlacementScenario {
  readonly nodes: number
  readonly blobs: number
  readonly replicas: number
  /** Bytes of a blob, for traffic and time. */
  readonly blobBytes: number
  /** Operators that the nodes belong to; 0 for one each. */
  readonly operators: number
  readonly onProgress?: (blobs: number) => void
}

/** How even the load is: bytes held over bytes pledged, 1 where everyone holds its share. */
export interface LoadFigures {
  readonly maxOverMean: number
  readonly minOverMean: number
  readonly stddev: number
}

/** What some deaths at one moment cost. */
export interface ChurnFigures {
  readonly dead: number
  /** Replicas that are made again, of those that there were. */
  readonly repairedShare: number
  readonly repairBytes: number
  /** Bytes that the node with most to fetch fetches. */
  readonly mostBytesOfOneNode: number
  /** Blobs all of whose holders died at once: gone, unless a dead node comes back. */
  readonly lostBlobs: number
  /** Time until the last replica is there, at this rate to each node, seconds. */
  readonly secondsAt100Mbit: number
  readonly secondsAt1Gbit: number
}

/** What was found. */
export interface PlacementFigures {
  readonly nodes: number
  readonly blobs: number
  readonly replicas: number
  readonly load: LoadFigures
  readonly oneDies: ChurnFigures
  readonly onePercentDies: ChurnFigures
  readonly tenPercentDie: ChurnFigures
  /** Replicas that move when one node joins, times the number of nodes, over all replicas: 1 is the least there can be. */
  readonly joinMovement: number
  readonly costPerNode: CostFigures
}

/** What deciding costs one node. */
export interface CostFigures {
  /** Processor time to look through a million blobs for what belongs here, seconds. */
  readonly scanSecondsPerMillionBlobs: number
  /** Processor time to find the holders of one blob, microseconds. */
  readonly orderMicroseconds: number
  /** Memory of the table of all peers, bytes. */
  readonly tableBytes: number
}

/** Further places in the order, from which replacements come. */
const SPARE = 10
const WEIGHTS = [1, 1, 2, 4] as const
/** Blobs on which the cost of deciding is measured. */
const COST_SAMPLE = 20_000
const PROGRESS_EVERY = 100_000

/** Runs a scenario; the same one gives the same figures, but for the cost. */
export function simulatePlacement(scenario: PlacementScenario): PlacementFigures {
  const { nodes, blobs, replicas } = scenario
  const peers = Array.from({ length: nodes }, (_, i) => peerOf(i, scenario.operators))
  const table = createPeerTable(peers)
  const held = new Uint32Array(nodes)
  const deaths = [1, Math.ceil(nodes / 100), Math.ceil(nodes / 10)].map(count => createDeaths(table, count, scenario))
  const joined = createPeerTable([...peers, peerOf(nodes, scenario.operators)])
  const comer = joined.peers.findIndex(({ id }) => !table.at.has(id))
  const joinedWeight = joined.peers[comer]?.weight ?? 1
  let moved = 0
  for (let number = 0; number < blobs; number++) {
    const blob = blobOf(number)
    const order = orderOf(table, blob, replicas + SPARE)
    for (let rank = 0; rank < replicas; rank++) held[order[rank] ?? 0] = (held[order[rank] ?? 0] ?? 0) + 1
    for (const death of deaths) death.count(order)
    if (number < JOIN_SAMPLE && isAmongFirst(joined, blob, replicas, joined.peers[comer]?.id ?? '')) moved++
    if (number % PROGRESS_EVERY === 0) scenario.onProgress?.(number)
  }
  const [oneDies, onePercentDies, tenPercentDie] = deaths.map(death => death.figures())
  if (oneDies == null || onePercentDies == null || tenPercentDie == null) throw new Error('no figures')
  const sampled = Math.min(blobs, JOIN_SAMPLE)
  const share = joinedWeight / joined.totalWeight
  return {
    nodes,
    blobs,
    replicas,
    load: loadOf(table, held),
    oneDies,
    onePercentDies,
    tenPercentDie,
    joinMovement: moved / (sampled * replicas * share),
    costPerNode: costOf(table, replicas)
  }
}

/** Blobs at which a join is looked at. */
const JOIN_SAMPLE = 1_000_000

function peerOf(number: number, operators: number): PlacePeer {
  return {
    id: `n${String(number)}`,
    seed: numbers(number, 1),
    weight: (WEIGHTS[number % WEIGHTS.length] ?? 1) * 2 ** 40,
    operator: operators === 0 ? '' : `o${String(number % operators)}`
  }
}

function blobOf(number: number): Seed {
  return numbers(number, 2)
}

/** Numbers that stand for those of a digest. */
function numbers(number: number, kind: number): Seed {
  const high = drawOf(number, kind, 0x243f6a88, 0x85a308d3)
  return [high, drawOf(high, number, 0x13198a2e, kind)]
}

function loadOf({ peers, totalWeight }: PeerTable, held: Uint32Array): LoadFigures {
  const total = held.reduce((sum, count) => sum + count, 0)
  const ratios = peers.map(({ weight }, at) => ((held[at] ?? 0) / total) * (totalWeight / weight))
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
  const variance = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / ratios.length
  return { maxOverMean: most(ratios), minOverMean: -most(ratios.map(ratio => -ratio)), stddev: Math.sqrt(variance) }
}

/** Counts what is made again when some peers die at once. */
function createDeaths(table: PeerTable, count: number, { blobs, replicas, blobBytes }: PlacementScenario) {
  const isDead = new Uint8Array(table.peers.length)
  // Spread over the table, so over weights and operators: it is in the order of ids.
  for (let i = 0; i < count; i++) isDead[Math.floor((i * table.peers.length) / count)] = 1
  const fetched = new Uint32Array(table.peers.length)
  let repaired = 0
  let lost = 0
  return {
    count(order: readonly number[]): void {
      let alive = 0
      for (let rank = 0; rank < replicas; rank++) if (isDead[order[rank] ?? 0] === 0) alive++
      if (alive === replicas) return
      if (alive === 0) {
        lost++
        return
      }
      for (let rank = replicas; rank < order.length && alive < replicas; rank++) {
        const peer = order[rank] ?? 0
        if (isDead[peer] !== 0) continue
        fetched[peer] = (fetched[peer] ?? 0) + 1
        repaired++
        alive++
      }
    },
    figures(): ChurnFigures {
      const mostBytes = most(Array.from(fetched)) * blobBytes
      return {
        dead: count,
        repairedShare: repaired / (blobs * replicas),
        repairBytes: repaired * blobBytes,
        mostBytesOfOneNode: mostBytes,
        lostBlobs: lost,
        secondsAt100Mbit: (mostBytes * 8) / 1e8,
        secondsAt1Gbit: (mostBytes * 8) / 1e9
      }
    }
  }
}

function costOf(table: PeerTable, replicas: number): CostFigures {
  const me = table.peers[0]?.id ?? ''
  const scan = processorSeconds(() => {
    for (let number = 0; number < COST_SAMPLE; number++) isAmongFirst(table, blobOf(number), replicas, me)
  })
  const orders = Math.max(20, Math.floor(2_000_000 / table.peers.length))
  const order = processorSeconds(() => {
    for (let number = 0; number < orders; number++) orderOf(table, blobOf(number), replicas)
  })
  const texts = table.peers.reduce((sum, { id, operator }) => sum + id.length + operator.length, 0)
  // Two seeds and the operator's number of 4 bytes, the limit of 8, the object of the peer, and its place in the map.
  const tableBytes = table.peers.length * (3 * 4 + 8 + 96 + 48) + texts
  return {
    scanSecondsPerMillionBlobs: (scan / COST_SAMPLE) * 1e6,
    orderMicroseconds: (order / orders) * 1e6,
    tableBytes
  }
}

function processorSeconds(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
}

/**
 * Nodes of which some are hostile: they send garbage, repeat, contradict themselves, want without end, dawdle, crowd around one node,
 * spoil what others write, forge pledges and send blocks drip by drip.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { toHex } from '#core/encoding/bytes.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { StoredEntry } from '#node/http/client.ts'
import { attack, nothingDealt, TO_BE_CUT_OFF } from '#scripts/soak/attackers.ts'
import type { SoakInit, SoakReport } from '#scripts/soak/soak.ts'
import { handIn, startSwarm, type Swarm, type SwarmNode } from '#scripts/soak/swarm.ts'
import { osRandom } from '#scripts/story/people.ts'

/** Share of the peers that are honest processes; the others are hostile. */
const HONEST_SHARE = 0.7
/** Memory that an honest node may take, bytes. */
const MAX_PEAK_BYTES = 1 << 30
const WAIT_MS = 120_000
const MOST_TRIES = 10
const RETRY_MS = 1_000
const LOG_CHARS = 3_000

/** Runs the soak: `times` entries are written at honest nodes while hostile peers do their worst. */
export async function soakByzantine({ times, nodes: count, progress }: SoakInit): Promise<SoakReport> {
  const honest = Math.ceil(count * HONEST_SHARE)
  // They place blobs, so that they ask each other who is there.
  const swarm = await startSwarm({ nodes: honest, envOf: () => ({ SALUS_NODE_PLACEMENT_PLEDGED_MIB: '1000' }) })
  const { nodes } = swarm
  const stopping = new AbortController()
  const known = [swarm.entry()]
  try {
    await handIn((nodes[0] as SwarmNode).client, known[0] ?? new Uint8Array())
    const dealt = nothingDealt()
    const { blows } = dealt
    const written: Uint8Array[] = []
    const handOver = async (message: Uint8Array): Promise<void> => {
      await writeAt(nodes[written.length % nodes.length] as SwarmNode, message, swarm.dataDir)
      written.push(message)
    }
    const { signal } = stopping
    const hostile = attack(swarm, { count: Math.max(1, count - honest), known, handIn: handOver, signal }, dealt)
    const stalls = monitorEventLoopDelay({ resolution: 20 })
    stalls.enable()
    for (let i = 0; i < times || Object.values(blows).includes(0); i++) {
      await handOver(swarm.entry(i % 10 === 0 ? 20_000 : 100))
      await pause(20)
      if ((i + 1) % 50 === 0) progress(`${String(i + 1)} entries written among hostile peers`)
    }
    const early = await delivered(swarm, written)
    let late = early
    const endMs = performance.now() + WAIT_MS
    while (late < written.length * honest && performance.now() < endMs) {
      await pause(500)
      late = await delivered(swarm, written)
    }
    stopping.abort()
    await hostile
    const wanted = written.length * honest
    const peakBytes = Math.max(...nodes.map(node => node.peakBytes()))
    const cut = await cutOffs(swarm.dataDir, nodes)
    const kindsCut = new Set(cut.map(peer => dealt.kinds.get(peer)))
    const areCut = TO_BE_CUT_OFF.every(kind => kindsCut.has(kind))
    const figures = {
      nodes: count,
      hostile: Math.max(1, count - honest),
      written: written.length,
      deliveredAtOncePercent: percent(early, wanted),
      deliveredPercent: percent(late, wanted),
      cutOff: cut.length,
      honestCutOff: cut.filter(peer => nodes.some(({ peerId }) => peerId === peer)).length,
      // Attackers run in this process: what it is late, its own questions are late as well.
      ownStallMs: Math.round(stalls.max / 1e6),
      peakMiB: Math.round(peakBytes / 2 ** 20),
      ...blows
    }
    const isWhole = figures.deliveredPercent >= 99.9 && peakBytes < MAX_PEAK_BYTES
    return { ok: isWhole && areCut && figures.honestCutOff === 0, figures }
  } finally {
    stopping.abort()
    await swarm.stop()
  }
}

/** Hands a message in; a busy machine may be late, but a node that stays silent is dead. */
async function writeAt({ client, index }: SwarmNode, message: Uint8Array, dataDir: string): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if ((await handIn(client, message)) != null) return
    await pause(RETRY_MS)
  }
  const log = await readFile(join(dataDir, 'logs', `node-${String(index)}.log`), 'utf8')
  throw new Error(`honest node ${String(index)} does not answer; the end of its log:\n${log.slice(-LOG_CHARS)}`)
}

function percent(part: number, whole: number): number {
  return Math.round((100_000 * part) / whole) / 1000
}

/** How many of the written messages the nodes hand out to the patient, all nodes together. */
async function delivered({ nodes, patient, network }: Swarm, messages: readonly Uint8Array[]): Promise<number> {
  const wanted = new Set(messages.map(message => headerOf(message, network)))
  const counts = await Promise.all(
    nodes.map(async ({ client, peerId }) => {
      let found = 0
      for (let after: number | null = 0; after != null;) {
        const authorization = signReadRequest(
          p,
          {
            network,
            patient: patient.state.patient,
            grant: null,
            audience: peerIdFromString(peerId).toMultihash().bytes,
            issuedAtMs: Date.now(),
            nonce: osRandom(16),
            author: patient.keys.bundle.sign,
            evidence: patient.evidence
          },
          patient.keys.signSeed
        )
        const page: { entries: readonly StoredEntry[]; next: number | null } = await client.queryEntries({
          authorization,
          after,
          limit: 100
        })
        found += page.entries.filter(({ header }) => wanted.has(toHex(header))).length
        after = page.next
      }
      return found
    })
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

function headerOf(bytes: Uint8Array, network: Uint8Array): string {
  const message = decodeMessage(bytes, network)
  return message.kind === 'entry' ? toHex(message.header) : ''
}

/** Peers that honest nodes cut off, one for each time. */
async function cutOffs(dataDir: string, nodes: readonly SwarmNode[]): Promise<string[]> {
  const logs = await Promise.all(
    nodes.map(async ({ index }) => readFile(join(dataDir, 'logs', `node-${String(index)}.log`), 'utf8'))
  )
  return logs.flatMap(text => {
    const lines = text.split('\n').filter(line => line.includes('peer cut off'))
    return lines.map(line => /"peer":"(\w+)"/.exec(line)?.[1] ?? '')
  })
}

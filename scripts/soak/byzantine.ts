/** Nodes of which some are hostile: they send garbage, repeat, contradict themselves, want without end, dawdle and crowd around one node. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { toHex } from '#core/encoding/bytes.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { StoredEntry } from '#node/http/client.ts'
import { attack, noBlows } from '#scripts/soak/attackers.ts'
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
  const swarm = await startSwarm({ nodes: honest })
  const { nodes } = swarm
  const stopping = new AbortController()
  const known = [swarm.entry()]
  try {
    await handIn((nodes[0] as SwarmNode).client, known[0] ?? new Uint8Array())
    const blows = noBlows()
    const hostile = attack(swarm, { count: Math.max(1, count - honest), known, signal: stopping.signal }, blows)
    const written: Uint8Array[] = []
    for (let i = 0; i < times || Object.values(blows).includes(0); i++) {
      const message = swarm.entry(i % 10 === 0 ? 20_000 : 100)
      const node = nodes[i % nodes.length] as SwarmNode
      await writeAt(node, message, swarm.dataDir)
      written.push(message)
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
    const figures = {
      nodes: count,
      hostile: Math.max(1, count - honest),
      written: written.length,
      deliveredAtOncePercent: percent(early, wanted),
      deliveredPercent: percent(late, wanted),
      cutOff: await cutOffs(swarm.dataDir, nodes),
      peakMiB: Math.round(peakBytes / 2 ** 20),
      ...blows
    }
    return { ok: figures.deliveredPercent >= 99.9 && peakBytes < MAX_PEAK_BYTES, figures }
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

/** How often honest nodes cut a peer off. */
async function cutOffs(dataDir: string, nodes: readonly SwarmNode[]): Promise<number> {
  const logs = await Promise.all(
    nodes.map(async ({ index }) => readFile(join(dataDir, 'logs', `node-${String(index)}.log`), 'utf8'))
  )
  return logs.join('').split('peer cut off').length - 1
}

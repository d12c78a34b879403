/**
 * Kills nodes at random with SIGKILL while entries are written at all of them. What a node acknowledged it must have when it is back, and
 * every node in the end.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { handIn, settled, startSwarm, type SwarmNode } from '#scripts/soak/swarm.ts'
import type { SoakInit, SoakReport } from '#scripts/soak/soak.ts'

/** Entries that are handed in at a time. */
const WRITERS = 3
/** A node lives this long at most between two kills, ms. */
const MOST_LIFE_MS = 1_500
/** A writer rests this long after each entry, ms: what is acknowledged is checked one by one in the end. */
const WRITE_EVERY_MS = 250
const SETTLE_MS = 300_000

/** Runs the soak: `times` kills. */
export async function soakKill({ times, nodes: count, progress }: SoakInit): Promise<SoakReport> {
  const swarm = await startSwarm({ nodes: count })
  const { nodes } = swarm
  /** What each node acknowledged since it was last asked for it. */
  const fresh = new Map<SwarmNode, Uint8Array[]>(nodes.map(node => [node, []]))
  const acknowledged: Uint8Array[] = []
  let [isOver, unanswered, lost, killed] = [false, 0, 0, 0]

  async function write(): Promise<void> {
    while (!isOver) {
      const node = nodes[Math.floor(Math.random() * nodes.length)]
      if (node == null) return
      const message = swarm.entry()
      const answer = await handIn(node.client, message)
      if (answer == null) unanswered++
      else {
        acknowledged.push(message)
        fresh.get(node)?.push(message)
      }
      await pause(WRITE_EVERY_MS)
    }
  }

  /** Asks a node for what it acknowledged: it must know it already. */
  async function checkBack(node: SwarmNode, messages: readonly Uint8Array[]): Promise<void> {
    for (const message of messages) if ((await handIn(node.client, message)) !== 'known') lost++
  }

  try {
    const writers = Array.from({ length: WRITERS }, write)
    try {
      for (killed = 0; killed < times;) {
        await pause(Math.random() * MOST_LIFE_MS)
        const node = nodes[Math.floor(Math.random() * nodes.length)]
        if (node == null) break
        await node.end('kill')
        killed++
        // All answers of the dead node have come, or never will.
        await pause(50)
        const owed = fresh.get(node)?.splice(0) ?? []
        await node.start()
        await checkBack(node, owed)
        if (killed % 10 === 0) {
          progress(`${String(killed)} kills, ${String(acknowledged.length)} acknowledged, ${String(lost)} lost`)
        }
      }
    } finally {
      isOver = true
      await Promise.all(writers)
    }
    const messages = await settled(nodes, acknowledged.length, SETTLE_MS)
    // Every node has every one.
    await Promise.all(nodes.map(async node => checkBack(node, acknowledged)))
    const figures = {
      nodes: count,
      kills: killed,
      acknowledged: acknowledged.length,
      unanswered,
      messages,
      lost,
      peakMiB: Math.round(Math.max(...nodes.map(node => node.peakBytes())) / 2 ** 20)
    }
    return { ok: lost === 0, figures }
  } finally {
    await swarm.stop()
  }
}

/** Stops a node, writes at the others, and lets it come back: it catches up with everything. */
import type { SoakInit, SoakReport } from '#scripts/soak/soak.ts'
import { handIn, settled, startSwarm } from '#scripts/soak/swarm.ts'

const WAIT_MS = 600_000
/**
 * Clocks of the nodes, hours ahead of the machine's: a node judges by the chain's time. More than an hour apart, nodes refuse
 * each other's TLS certificates.
 */
const SKEWS_H = [0, 0.4, -0.4]

/** Runs the soak: `times` entries are missed. The clocks of some nodes are wrong by hours. */
export async function soakAway({ times, nodes: count, progress }: SoakInit): Promise<SoakReport> {
  const swarm = await startSwarm({ nodes: count, envOf: index => clockEnv(SKEWS_H[index % SKEWS_H.length] ?? 0) })
  const { nodes } = swarm
  const [first, away] = [nodes[0], nodes.at(-1)]
  try {
    if (first == null || away == null) throw new RangeError('at least one node')
    for (let i = 0; i < 10; i++) await handIn(away.client, swarm.entry())
    await settled(nodes, 10, WAIT_MS)
    await away.end('stop')
    for (let i = 0; i < times; i++) {
      if ((await handIn(first.client, swarm.entry())) !== 'stored') throw new Error('an entry was not taken')
      if ((i + 1) % 500 === 0) progress(`${String(i + 1)} entries written while it is away`)
    }
    const startMs = performance.now()
    await away.start()
    const startedMs = performance.now() - startMs
    const messages = await settled(nodes, times + 10, WAIT_MS)
    const figures = {
      nodes: count,
      missed: times,
      messages,
      startMs: Math.round(startedMs),
      caughtUpMs: Math.round(performance.now() - startMs)
    }
    return { ok: messages === times + 10, figures }
  } finally {
    await swarm.stop()
  }
}

/** Environment of a process whose clock is off. */
function clockEnv(hours: number): Record<string, string> {
  if (hours === 0) return {}
  const shift = `const now = Date.now; Date.now = () => now() + ${String(hours * 3_600_000)}`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` }
}

/** Cuts the network between two halves of the nodes, writes on both sides, and heals it: each side gets what the other wrote. */
import { startProxy, type Proxy } from '#scripts/soak/proxy.ts'
import type { SoakInit, SoakReport } from '#scripts/soak/soak.ts'
import { handIn, settled, startSwarm } from '#scripts/soak/swarm.ts'
import { until } from '#scripts/story/until.ts'

/** Entries that each side gets while they are apart. */
const APART_ENTRIES = 20
const WAIT_MS = 120_000

/** Runs the soak: `times` partitions. */
export async function soakPartition({ times, nodes: count, progress }: SoakInit): Promise<SoakReport> {
  const proxies: Proxy[] = []
  const sideOf = (index: number): number => (index < count / 2 ? 0 : 1)
  const swarm = await startSwarm({
    nodes: count,
    addressOf: async (from, { index, multiaddr }) => {
      if (sideOf(from) === sideOf(index)) return multiaddr
      const [, , , , port = ''] = multiaddr.split('/')
      const proxy = await startProxy(Number(port))
      proxies.push(proxy)
      return multiaddr.replace(`/tcp/${port}/`, `/tcp/${String(proxy.port)}/`)
    }
  })
  const { nodes } = swarm
  const sizeOf = (side: number): number => nodes.filter(({ index }) => sideOf(index) === side).length
  let written = 0
  let slowestMs = 0

  /** Waits until every node has so many peers. */
  async function see(what: string, peersOf: (side: number) => number): Promise<void> {
    await until(what, WAIT_MS, async () => {
      const states = await Promise.all(nodes.map(async ({ client }) => client.status()))
      return states.every(({ peers }, index) => peers === peersOf(sideOf(index)))
    })
  }

  try {
    for (let round = 1; round <= times; round++) {
      await see('all nodes see each other', () => count - 1)
      for (const proxy of proxies) proxy.cut()
      await see('the halves are apart', side => sizeOf(side) - 1)
      for (const node of [nodes[0], nodes.at(-1)]) {
        for (let i = 0; i < APART_ENTRIES && node != null; i++) {
          if ((await handIn(node.client, swarm.entry())) === 'stored') written++
        }
      }
      for (const proxy of proxies) proxy.heal()
      const startMs = performance.now()
      await settled(nodes, written, WAIT_MS)
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
      progress(`${String(round)} partitions healed, ${String(written)} entries everywhere`)
    }
    const messages = await settled(nodes, written, WAIT_MS)
    const figures = { nodes: count, partitions: times, written, messages, slowestHealMs: Math.round(slowestMs) }
    return { ok: messages === written, figures }
  } finally {
    await swarm.stop()
    for (const proxy of proxies) await proxy.stop()
  }
}

/** Memory that one more connected peer costs a host: resident memory with many, less that with none. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '#scripts/bench/report.ts'
import { openSpeaker } from '#scripts/bench/gossip/speakers.ts'

const SETTLE_MS = 3_000

/** Measures it. */
export async function measureMemory(bench: Bench, directory: string): Promise<void> {
  const count = bench.quick ? 20 : 100
  const hub = await openSpeaker(join(directory, 'hub'), () => undefined)
  try {
    await pause(SETTLE_MS)
    const before = process.memoryUsage().rss
    const [address] = hub.host.libp2p.getMultiaddrs()
    const script = new URL('./child-peers.ts', import.meta.url)
    const child = fork(script, [join(directory, 'crowd'), address?.toString() ?? '', String(count)])
    await once(child, 'message')
    await pause(SETTLE_MS)
    const perPeerKib = (process.memoryUsage().rss - before) / count / 1024
    child.disconnect()
    await once(child, 'exit')
    bench.figure({ metric: `memory.per-peer.${String(count)}`, samples: [perPeerKib], unit: 'KiB' })
  } finally {
    await hub.stop()
  }
}

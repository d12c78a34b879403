/**
 * Gossip between peers in one process, each connected to the six before and after it: latency from publishing to the moment a receiver has it to
 * judge, and the rate of a burst. The yardstick is one way over a bare stream: half an echoed round trip. Then what catching up costs.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { echo, lpStream } from '@libp2p/utils'
import type { Host } from '#node/network/host.ts'
import { percentile, type Bench } from '#scripts/bench/report.ts'
import { measureCatchUp } from '#scripts/bench/gossip/catch-up.ts'
import { measureMemory } from '#scripts/bench/gossip/memory.ts'
import { connectAll, openSpeaker, PATIENT, type Speaker } from '#scripts/bench/gossip/speakers.ts'
import { measureSyncBytes } from '#scripts/bench/gossip/sync-bytes.ts'

const INTERVAL_MS = 50
const BURST_BYTES = 1_024
const ECHO_PROTOCOL = '/salus/bench/echo/1'
const SIZES = [
  { name: '400B', sizeBytes: 400 },
  { name: '4KB', sizeBytes: 4000 },
  { name: '40KB', sizeBytes: 40_000 }
]

/** Runs the benchmark. */
export async function run(bench: Bench): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'salus-bench-'))
  try {
    // First, while little else has been done in this process.
    await measureMemory(bench, directory)
    measureSyncBytes(bench)
    await measureCatchUp(bench, directory)
    for (const peers of bench.quick ? [8, 16] : [8, 16, 32]) {
      await measureGossip(bench, join(directory, String(peers)), peers)
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function measureGossip(bench: Bench, directory: string, peers: number): Promise<void> {
  const speakers: Speaker[] = []
  /** When each message was published, by its first bytes, and what its deliveries took. */
  const sentMs = new Map<number, number>()
  let tookMs: number[] = []
  const receive = (bytes: Uint8Array): void => {
    const sent = sentMs.get(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
    if (sent != null) tookMs.push(performance.now() - sent)
  }
  let number = 0
  const publish = async (sizeBytes: number): Promise<Uint8Array> => {
    const bytes = crypto.getRandomValues(new Uint8Array(sizeBytes))
    new DataView(bytes.buffer).setUint32(0, ++number)
    sentMs.set(number, performance.now())
    await speakers[number % peers]?.gossip.publish(bytes, PATIENT)
    return bytes
  }
  try {
    for (let i = 0; i < peers; i++) speakers.push(await openSpeaker(join(directory, String(i)), receive))
    await connectAll(speakers)
    const [first, second] = speakers as [Speaker, Speaker]
    await second.host.libp2p.handle(ECHO_PROTOCOL, async stream => await echo(stream))
    const rounds = bench.quick ? 2 : 10
    const messages = bench.quick ? 20 : 100
    for (const { name, sizeBytes } of peers === 8 ? SIZES : SIZES.slice(0, 1)) {
      const p50: number[] = []
      const p99: number[] = []
      const bare: number[] = []
      const bareP99: number[] = []
      // One round more than is counted: the first warms up.
      for (let round = 0; round <= rounds; round++) {
        tookMs = []
        const echoedMs: number[] = []
        for (let i = 0; i < messages; i++) {
          const bytes = await publish(sizeBytes)
          await pause(INTERVAL_MS / 2)
          echoedMs.push(await oneWay(first.host, second.host, bytes))
          await pause(INTERVAL_MS / 2)
        }
        bench.progress(
          `${String(peers)} peers, ${name}, round ${String(round)}: ${String(tookMs.length)} of ${String(messages * (peers - 1))} deliveries`
        )
        if (round === 0) continue
        p50.push(percentile(tookMs, 50))
        p99.push(percentile(tookMs, 99))
        bare.push(percentile(echoedMs, 50))
        bareP99.push(percentile(echoedMs, 99))
      }
      const versus = { name: 'one way over a bare stream', samples: bare }
      const metric = (figure: string): string => `latency.${figure}.${name}.${String(peers)}-peers`
      bench.figure({ metric: metric('p50'), samples: p50, unit: 'ms', versus })
      bench.figure({
        metric: metric('p99'),
        samples: p99,
        unit: 'ms',
        versus: { ...versus, samples: bareP99 }
      })
    }
    await measureBurst(bench, peers, async () => {
      tookMs = []
      const burst = bench.quick ? 200 : 1_000
      const startMs = performance.now()
      for (let i = 0; i < burst; i++) await publish(BURST_BYTES)
      const wanted = burst * (peers - 1)
      // What is not there a while after nothing came any more is lost.
      let [seen, sinceMs] = [-1, performance.now()]
      while (tookMs.length < wanted && performance.now() - sinceMs < 10_000) {
        if (tookMs.length > seen) [seen, sinceMs] = [tookMs.length, performance.now()]
        await pause(5)
      }
      return { perSecond: (burst * 1000) / (performance.now() - startMs), share: tookMs.length / wanted }
    })
  } finally {
    for (const speaker of speakers) await speaker.stop()
  }
}

/** The rate at which all peers have all of a burst, and which share of it arrived. */
async function measureBurst(
  bench: Bench,
  peers: number,
  burst: () => Promise<{ perSecond: number; share: number }>
): Promise<void> {
  const rates: number[] = []
  const shares: number[] = []
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    const { perSecond, share } = await burst()
    rates.push(perSecond)
    shares.push(share * 100)
  }
  bench.figure({ metric: `burst.1KiB.${String(peers)}-peers`, samples: rates, unit: 'messages/s' })
  bench.figure({ metric: `burst.delivered.${String(peers)}-peers`, samples: shares, unit: '%' })
}

/** Half of the round trip of a message over a bare stream, in milliseconds. */
async function oneWay(from: Host, to: Host, bytes: Uint8Array): Promise<number> {
  const frames = lpStream(await from.libp2p.dialProtocol(to.peerId, ECHO_PROTOCOL))
  // The stream's own set-up is not part of it.
  await frames.write(new Uint8Array(1))
  await frames.read()
  const startMs = performance.now()
  await frames.write(bytes)
  await frames.read()
  const tookMs = performance.now() - startMs
  await frames.unwrap().close()
  return tookMs / 2
}

/**
 * Latency of a message over eight peers in one process, each connected to every other, from publishing to the moment the
 * receiver has it to judge; twenty messages a second. The yardstick is one way over a bare stream: half an echoed round trip.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { echo, lpStream } from '@libp2p/utils'
import { allTopics, topicOf } from '#core/network/topic.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { createLog } from '#node/log.ts'
import { createGossip, type Gossip } from '#node/network/gossip.ts'
import type { Host } from '#node/network/host.ts'
import { percentile, type Bench } from '#scripts/bench/report.ts'
import { openBenchPeer, type BenchPeer } from '#scripts/bench/exchange/peer.ts'

const PEERS = 8
const INTERVAL_MS = 50
const ECHO_PROTOCOL = '/salus/bench/echo/1'
const SIZES = [
  { name: '400B', sizeBytes: 400 },
  { name: '4KB', sizeBytes: 4000 },
  { name: '40KB', sizeBytes: 40_000 }
]
const networkId = new Uint8Array(32).fill(1)
const patient = new Uint8Array(32).fill(2)
const topics = allTopics(networkId)

interface Speaker extends BenchPeer {
  readonly gossip: Gossip
}

/** Runs the benchmark. */
export async function run(bench: Bench): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'salus-bench-'))
  const speakers: Speaker[] = []
  /** When each message was published, by its first bytes, and what its deliveries took. */
  const sentMs = new Map<number, number>()
  let tookMs: number[] = []
  const receive = (bytes: Uint8Array): void => {
    const sent = sentMs.get(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
    if (sent != null) tookMs.push(performance.now() - sent)
  }
  try {
    for (let i = 0; i < PEERS; i++) speakers.push(await openSpeaker(join(directory, String(i)), receive))
    await connectAll(speakers)
    const [first, second] = speakers as [Speaker, Speaker]
    await second.host.libp2p.handle(ECHO_PROTOCOL, async stream => await echo(stream))
    const rounds = bench.quick ? 2 : 10
    const messages = bench.quick ? 25 : 100
    let number = 0

    for (const { name, sizeBytes } of SIZES) {
      const p50: number[] = []
      const p99: number[] = []
      const bare: number[] = []
      const bareP99: number[] = []
      // One round more than is counted: the first warms up.
      for (let round = 0; round <= rounds; round++) {
        tookMs = []
        const echoedMs: number[] = []
        for (let i = 0; i < messages; i++) {
          const bytes = crypto.getRandomValues(new Uint8Array(sizeBytes))
          new DataView(bytes.buffer).setUint32(0, ++number)
          sentMs.set(number, performance.now())
          await speakers[number % PEERS]?.gossip.publish(bytes, patient)
          await pause(INTERVAL_MS / 2)
          echoedMs.push(await oneWay(first.host, second.host, bytes))
          await pause(INTERVAL_MS / 2)
        }
        bench.progress(
          `${name} round ${String(round)}: ${String(tookMs.length)} of ${String(messages * (PEERS - 1))} deliveries`
        )
        if (round === 0) continue
        p50.push(percentile(tookMs, 50))
        p99.push(percentile(tookMs, 99))
        bare.push(percentile(echoedMs, 50))
        bareP99.push(percentile(echoedMs, 99))
      }
      const versus = { name: 'one way over a bare stream', samples: bare }
      bench.figure({ metric: `latency.p50.${name}`, samples: p50, unit: 'ms', versus })
      bench.figure({ metric: `latency.p99.${name}`, samples: p99, unit: 'ms', versus: { ...versus, samples: bareP99 } })
    }
  } finally {
    for (const speaker of speakers) await speaker.stop()
    await rm(directory, { recursive: true })
  }
}

async function openSpeaker(directory: string, receive: (bytes: Uint8Array) => void): Promise<Speaker> {
  const peer = await openBenchPeer(directory, topics)
  const accept = (bytes: Uint8Array): Promise<{ verdict: 'accept' }> => {
    receive(bytes)
    return Promise.resolve({ verdict: 'accept' })
  }
  const log = createLog({ name: 'bench', level: 'silent' })
  const { libp2p } = peer.host
  // Nothing here is useless.
  const useless = { take: () => true }
  const components = { libp2p, primitives: nativePrimitives, bans: peer.bans, log, accept, useless }
  const gossip = createGossip(components, { networkId })
  gossip.start()
  return { ...peer, gossip }
}

/** Connects each peer to every other, and waits until all know each other's subscriptions. */
async function connectAll(speakers: readonly Speaker[]): Promise<void> {
  for (const [i, { host }] of speakers.entries()) {
    for (const other of speakers.slice(i + 1)) await host.libp2p.dial(other.host.libp2p.getMultiaddrs())
  }
  const topic = topicOf(nativePrimitives, networkId, patient)
  const known = (): boolean =>
    speakers.every(({ host }) => host.libp2p.services.pubsub.getSubscribers(topic).length === PEERS - 1)
  while (!known()) await pause(20)
  // Two heartbeats, in which the meshes settle.
  await pause(2000)
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

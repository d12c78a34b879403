/** Throughput of a file between two processes on this machine, from disk to disk, against bare streams, stock Helia and HTTP. */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import type { Bench } from '#scripts/bench/report.ts'
import { benchHolders } from '#scripts/bench/exchange/holders.ts'
import { openBenchPeer, type BenchPeer } from '#scripts/bench/exchange/peer.ts'
import { noiseHost, WAYS, waysOf, type Bytes, type Files, type Server, type Way } from '#scripts/bench/exchange/ways.ts'

const MIB = 1 << 20
/** A way that has not ended by then never will. */
const STALL_MS = 20_000
const SIZES = [
  { name: '0.64MiB', sizeBytes: Math.floor(0.64 * MIB) },
  { name: '6.4MiB', sizeBytes: Math.floor(6.4 * MIB) },
  { name: '64MiB', sizeBytes: 64 * MIB }
]

type Samples = Record<Way, number[]>

/** Runs the benchmark. */
export async function run(bench: Bench): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'salus-bench-'))
  const child = fork(new URL('./exchange/child.ts', import.meta.url), [join(directory, 'server')])
  // Listened for at once: a message that comes before anybody listens is lost.
  const ready = answerOf(child) as Promise<{ address: string; port: number; httpUrl: string }>
  const client = await openBenchPeer(join(directory, 'client'))
  const overNoise = await openBenchPeer(join(directory, 'noise'), [], await noiseHost())
  try {
    const { address, port, httpUrl } = await ready
    const server: Server = { address: multiaddr(address), tcpPort: port, httpUrl }
    for (const { host } of [client, overNoise]) await host.libp2p.dial(server.address)
    for (const { name, sizeBytes } of SIZES) {
      const rounds = bench.quick ? 1 : 7
      const samples = Object.fromEntries(WAYS.map(way => [way, []])) as unknown as Samples
      // One round more than is counted: the first warms up the code and the connection.
      for (let i = 0; i <= rounds; i++) {
        const round = await measure(client, overNoise, child, server, sizeBytes, i % 2 === 0)
        if (i > 0) for (const way of WAYS) samples[way].push(round[way])
        bench.progress(`${name} round ${String(i)}: ${JSON.stringify(round)}`)
      }
      report(bench, name, samples)
    }
  } finally {
    child.kill()
    await client.stop()
    await overNoise.stop()
  }
  try {
    await benchHolders(bench, directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

function report(bench: Bench, name: string, samples: Samples): void {
  const unit = 'MiB/s'
  const figure = (metric: string, way: Way, yardstick: string, versus: Way, more: object = {}): void => {
    bench.figure({
      metric: `${metric}.${name}`,
      samples: samples[way],
      unit,
      versus: { name: yardstick, samples: samples[versus] },
      ...more
    })
  }
  const goal = {
    goal: '>= 0.8 of a raw libp2p stream',
    meets: (_: number, ratio: number | null) => ratio != null && ratio >= 0.8
  }
  const ofLarge = name === '64MiB' ? goal : {}
  figure('fetch', 'fetch', 'raw libp2p stream', 'stream', ofLarge)
  figure('fetch.noise', 'fetchNoise', 'raw libp2p stream, noise', 'streamNoise', ofLarge)
  figure('fetch', 'fetch', 'helia session', 'session')
  figure('fetch', 'fetch', 'helia cat', 'cat')
  figure('fetch', 'fetch', 'HTTP, to memory', 'http')
  figure('fetch', 'fetch', 'raw TCP', 'tcp')
  figure('stream', 'stream', 'raw TCP', 'tcp')
}

/** One sample of each way, in turns that change from round to round. */
async function measure(
  client: BenchPeer,
  overNoise: BenchPeer,
  child: ChildProcess,
  server: Server,
  sizeBytes: number,
  forward: boolean
): Promise<Record<Way, number>> {
  child.send(sizeBytes)
  const { cids } = (await answerOf(child)) as { cids: string[] }
  const [ours, noisy, cat, session] = cids.map(cid => CID.parse(cid)) as [CID, CID, CID, CID]
  const files: Files = { ours, overNoise: noisy, cat, session }
  const open = waysOf(client, overNoise, server, files, sizeBytes)
  const round = Object.fromEntries(WAYS.map(way => [way, 0])) as Record<Way, number>
  for (const way of forward ? WAYS : WAYS.toReversed()) {
    const startMs = performance.now()
    const sized = sizeOf(open[way]()).catch(() => undefined)
    const received = await Promise.race([sized, stalledAfter(STALL_MS)])
    // A way that stalls or fails counts with no throughput at all: the least sample then says so. A CAR has a few bytes more.
    if (received != null && received >= sizeBytes) {
      round[way] = sizeBytes / MIB / ((performance.now() - startMs) / 1000)
    }
  }
  return round
}

async function sizeOf(source: Bytes): Promise<number> {
  let sizeBytes = 0
  for await (const bytes of source) sizeBytes += bytes.byteLength
  return sizeBytes
}

async function stalledAfter(timeMs: number): Promise<undefined> {
  await pause(timeMs, undefined, { ref: false })
  return undefined
}

/** The next message of the child, or its end as an error. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('the serving process ended'))
    child.once('exit', onExit)
    child.once('message', message => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

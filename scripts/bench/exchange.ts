/** Throughput of a file between two processes on this machine, from disk to disk, against bare streams and Helia's `cat`. */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import type { Bench } from '#scripts/bench/report.ts'
import { BLOB_PROTOCOL, openBenchPeer, type BenchPeer } from '#scripts/bench/exchange/peer.ts'

const MIB = 1 << 20
/** A way that has not ended by then never will. */
const STALL_MS = 20_000
const SIZES = [
  { name: '0.64MiB', sizeBytes: Math.floor(0.64 * MIB) },
  { name: '6.4MiB', sizeBytes: Math.floor(6.4 * MIB) },
  { name: '64MiB', sizeBytes: 64 * MIB }
]

/** Throughput samples of each way, in MiB/s. */
interface Samples {
  readonly fetch: number[]
  readonly cat: number[]
  readonly stream: number[]
  readonly tcp: number[]
}

/** Runs the benchmark. */
export async function run(bench: Bench): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'salus-bench-'))
  const child = fork(new URL('./exchange/child.ts', import.meta.url), [join(directory, 'server')])
  // Listened for at once: a message that comes before anybody listens is lost.
  const ready = answerOf(child) as Promise<{ address: string; port: number }>
  const client = await openBenchPeer(join(directory, 'client'))
  try {
    const { address, port } = await ready
    const server = multiaddr(address)
    await client.host.libp2p.dial(server)
    for (const { name, sizeBytes } of SIZES) {
      const rounds = bench.quick ? 2 : 7
      const samples: Samples = { fetch: [], cat: [], stream: [], tcp: [] }
      // One round more than is counted: the first warms up the code and the connection.
      for (let i = 0; i <= rounds; i++) {
        const round = await measure(client, child, server, port, sizeBytes, i % 2 === 0)
        if (i > 0) for (const way of ['fetch', 'cat', 'stream', 'tcp'] as const) samples[way].push(round[way])
        bench.progress(`${name} round ${String(i)}: ${JSON.stringify(round)}`)
      }
      report(bench, name, samples)
    }
  } finally {
    child.kill()
    await client.stop()
    await rm(directory, { recursive: true })
  }
}

function report(bench: Bench, name: string, { fetch, cat, stream, tcp }: Samples): void {
  const unit = 'MiB/s'
  bench.figure({
    metric: `fetch.${name}`,
    samples: fetch,
    unit,
    versus: { name: 'raw libp2p stream', samples: stream }
  })
  bench.figure({ metric: `fetch.${name}`, samples: fetch, unit, versus: { name: 'raw TCP', samples: tcp } })
  bench.figure({ metric: `fetch.${name}`, samples: fetch, unit, versus: { name: 'helia cat', samples: cat } })
  bench.figure({ metric: `stream.${name}`, samples: stream, unit, versus: { name: 'raw TCP', samples: tcp } })
}

/** One sample of each way, in turns that change from round to round. */
async function measure(
  { host, exchange }: BenchPeer,
  child: ChildProcess,
  server: Multiaddr,
  port: number,
  sizeBytes: number,
  fetchFirst: boolean
): Promise<Record<keyof Samples, number>> {
  child.send(sizeBytes)
  const { cids } = (await answerOf(child)) as { cids: [string, string] }
  const [ours, plain] = cids.map(cid => CID.parse(cid)) as [CID, CID]
  const ways: [keyof Samples, () => AsyncIterable<{ byteLength: number }>][] = [
    ['fetch', () => exchange.fetch(ours, { maxBytes: 2 * sizeBytes })],
    ['stream', () => streamed(host, server)],
    ['tcp', () => connect(port, '127.0.0.1') as AsyncIterable<Uint8Array>],
    ['cat', () => host.unixfs.cat(plain)]
  ]
  if (!fetchFirst) ways.reverse()
  const round = { fetch: 0, cat: 0, stream: 0, tcp: 0 }
  for (const [way, open] of ways) {
    const startMs = performance.now()
    const received = await Promise.race([sizeOf(open()), stalledAfter(STALL_MS)])
    // A way that stalls counts with no throughput at all: the least sample then says so.
    round[way] = received === sizeBytes ? sizeBytes / MIB / ((performance.now() - startMs) / 1000) : 0
  }
  return round
}

async function sizeOf(source: AsyncIterable<{ byteLength: number }>): Promise<number> {
  let sizeBytes = 0
  for await (const bytes of source) sizeBytes += bytes.byteLength
  return sizeBytes
}

async function stalledAfter(timeMs: number): Promise<undefined> {
  await pause(timeMs, undefined, { ref: false })
  return undefined
}

/** What the server sends over a bare stream. */
async function* streamed(host: BenchPeer['host'], server: Multiaddr): AsyncGenerator<{ byteLength: number }> {
  const stream = await host.libp2p.dialProtocol(server, BLOB_PROTOCOL)
  const parts = stream[Symbol.asyncIterator]()
  // Reading begins before the server is asked: what comes, or ends, without a reader is lost.
  const first = parts.next()
  stream.send(new Uint8Array(1))
  for (let part = await first; part.done !== true; part = await parts.next()) yield part.value
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

/** A thousand HTTP clients at once against a node process: every one is answered, and memory does not grow from round to round. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { percentile } from '#scripts/bench/report.ts'
import { runClients } from '#scripts/soak/clients.ts'
import { deployContracts, startChain, startNode } from '#scripts/story/network.ts'

/** What it is told: `times` rounds. */
export interface HttpSoakInit {
  readonly times: number
  readonly progress: (text: string) => void
  readonly clients?: number
}

/** What came of it. */
export interface HttpSoakReport {
  readonly ok: boolean
  readonly figures: Readonly<Record<string, number>>
}

const REQUESTS = 10
/** Rounds until memory is what it will be. */
const WARM_UP = 3
/** Growth of one round that noise cannot explain, MiB. */
const MAX_SLOPE_MIB = 1

/** Asks for what needs the store, the chain and nothing, in turn. */
export function mixedAsk(n: number): { readonly path: string } {
  const paths = ['/v1/status', '/healthz', `/v1/grants/0x${n.toString(16).padStart(64, '0')}`, '/readyz', '/nowhere']
  return { path: paths[n % paths.length] ?? '/' }
}

/** Plays the rounds. */
export async function soakHttp({ times, progress, clients = 1_000 }: HttpSoakInit): Promise<HttpSoakReport> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-soak-http-'))
  const chain = await startChain(folder)
  try {
    const { file } = await deployContracts(chain.rpcUrl, folder)
    const limits = ['--set', 'http.requestsPerSecond=100000', '--set', 'http.requestsAtOnce=1000000']
    const args = ['--rpc', chain.rpcUrl, '--deployment', file, ...limits]
    const node = await startNode('node', { dataDir: join(folder, 'node'), args }, join(folder, 'node.log'))
    try {
      const memory: number[] = []
      const tookMs: number[] = []
      let [unanswered, seconds] = [0, 0]
      for (let round = 0; round < WARM_UP + times; round++) {
        const report = await runClients({ url: node.httpUrl, clients, requests: REQUESTS, ask: mixedAsk })
        const failed = Object.entries(report.statuses).filter(([status]) => !['200', '404'].includes(status))
        unanswered += failed.reduce((sum, [, count]) => sum + count, 0)
        const mib = await residentMib(node.service.pid)
        progress(
          `round ${String(round + 1)}: ${report.seconds.toFixed(1)} s, ${mib.toFixed(0)} MiB, ${JSON.stringify(report.statuses)}`
        )
        if (round < WARM_UP) continue
        memory.push(mib)
        tookMs.push(...report.tookMs)
        seconds += report.seconds
      }
      const slope = slopeOf(memory)
      const figures = {
        clients,
        requests: tookMs.length,
        perSecond: Math.round(tookMs.length / seconds),
        p50Ms: Math.round(percentile(tookMs, 50)),
        p99Ms: Math.round(percentile(tookMs, 99)),
        unanswered,
        memoryMib: Math.round(memory.at(-1) ?? 0),
        slopeMibPerRound: Number(slope.toFixed(3))
      }
      return { ok: unanswered === 0 && slope <= MAX_SLOPE_MIB, figures }
    } finally {
      await node.service.stop()
    }
  } finally {
    await chain.service.stop()
    await rm(folder, { recursive: true })
  }
}

/** Growth from one value to the next by least squares. */
export function slopeOf(values: readonly number[]): number {
  const mean = (items: readonly number[]): number => items.reduce((sum, item) => sum + item, 0) / items.length
  const [meanX, meanY] = [(values.length - 1) / 2, mean(values)]
  const spread = values.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0)
  return spread === 0 ? 0 : values.reduce((sum, y, x) => sum + (x - meanX) * (y - meanY), 0) / spread
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024
}

/** A follower as a process of its own: follows an endpoint to its head, tells time and memory, ends. */
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createEndpoints } from '#node/chain/endpoints.ts'
import { createFollower } from '#node/chain/follower.ts'
import { createHttpTransport } from '#node/chain/http-rpc.ts'
import { createLog } from '#node/log.ts'
import { openDatabase } from '#node/store/database.ts'
import { paperChainDeployment, paperId } from '#scripts/bench/node/paper-chain.ts'

/** What one run took. */
export interface FollowRun {
  readonly events: number
  readonly wallMs: number
  /** Processor time of this process. */
  readonly cpuMs: number
  readonly rssMiB: number
  readonly peakRssMiB: number
  /** One read of a grant by the view, microseconds. */
  readonly readUs: number
}

const [, , url = '', directory = '', grants = '1'] = process.argv
const log = createLog({ name: 'follow', level: 'warn' })
const endpoints = createEndpoints({ transports: [createHttpTransport(url)], clock: Date.now, log })
const deployment = paperChainDeployment()
const provider = createProvider(endpoints, deployment.chainId)
const db = await openDatabase(directory)
const follower = createFollower({ provider, endpoints, deployment, db, log })
const begunMs = performance.now()
const cpu = process.cpuUsage()
await follower.start()
const wallMs = performance.now() - begunMs
const { user, system } = process.cpuUsage(cpu)
const { events } = follower.status().counters
const READS = 2_000
const readMs = performance.now()
for (let i = 0; i < READS; i++) follower.view().grant(paperId('grant', 1 + ((i * 7_919) % Number(grants))))
const readUs = ((performance.now() - readMs) * 1_000) / READS
await follower.stop()
const { maxRSS } = process.resourceUsage()
const run: FollowRun = {
  ...{ events, wallMs, cpuMs: (user + system) / 1_000, readUs },
  ...{ rssMiB: process.memoryUsage.rss() / 2 ** 20, peakRssMiB: maxRSS / 1_024 }
}
await db.close()
provider.destroy()
process.send?.(run, () => process.disconnect())

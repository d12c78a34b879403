/**
 * Start-up time of a node process until it answers, on an empty folder and on its data, against a bare Node process; and catching up with
 * a chain.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '#scripts/process/service.ts'
import { deployContracts, startChain } from '#scripts/story/network.ts'
import { benchFollow } from '#scripts/bench/node/follow.ts'
import type { Bench } from '#scripts/bench/report.ts'

const LIBRARIES = "await import('helia'); await import('libp2p'); await import('ethers')"

async function timed(run: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await run()
  return performance.now() - begun
}

async function bareProcess(script: string): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
  await new Promise((resolve, reject) => {
    child.once('exit', resolve)
    child.once('error', reject)
  })
}

/** Runs the benchmark `node`. */
export async function run(bench: Bench): Promise<void> {
  await benchFollow(bench)
  const rounds = bench.quick ? 3 : 9
  const folder = await mkdtemp(join(tmpdir(), 'salus-bench-node-'))
  const chain = await startChain(folder)
  try {
    const { file } = await deployContracts(chain.rpcUrl, folder)
    const cold: number[] = []
    const warm: number[] = []
    const bare: number[] = []
    const libraries: number[] = []
    for (let round = 0; round < rounds; round++) {
      bench.progress(`round ${round + 1} of ${rounds}`)
      const dataDir = join(folder, `node-${round}`)
      const args = ['node', 'run', '--data', dataDir, '--rpc', chain.rpcUrl, '--deployment', file]
      const start = async (): Promise<void> => {
        const service = await startService({ name: 'node', args, logFile: join(folder, 'node.log') })
        stop = () => service.stop()
      }
      let stop = async (): Promise<void> => Promise.resolve()
      cold.push(await timed(start))
      await stop()
      warm.push(await timed(start))
      await stop()
      bare.push(await timed(async () => bareProcess('')))
      libraries.push(await timed(async () => bareProcess(LIBRARIES)))
    }
    const versus = { name: 'a bare Node process', samples: bare }
    bench.figure({ metric: 'start.cold', samples: cold, unit: 'ms', versus })
    bench.figure({ metric: 'start.warm', samples: warm, unit: 'ms', versus })
    bench.figure({ metric: 'start.libraries', samples: libraries, unit: 'ms', versus })
  } finally {
    await chain.service.stop()
    await rm(folder, { recursive: true })
  }
}

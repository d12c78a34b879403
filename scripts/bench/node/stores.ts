/** What a node's start, memory, backup, restore and scrub cost by how much it keeps. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deployment } from '#core/chain/deployment.ts'
import { backUp } from '#node/store/backup/back-up.ts'
import { restore } from '#node/store/backup/restore.ts'
import { createBlockstore } from '#node/store/blocks.ts'
import { openStore } from '#node/store/schema.ts'
import { scrub } from '#node/store/scrub.ts'
import type { Bench } from '#scripts/bench/report.ts'
import { fillStore } from '#scripts/bench/node/fill-store.ts'
import { peakMib } from '#scripts/process/peak.ts'
import { startService } from '#scripts/process/service.ts'

/** Where the chain is. */
export interface StoreBenchInit {
  readonly folder: string
  readonly rpcUrl: string
  readonly deploymentFile: string
  readonly deployment: Deployment
}

const MIB = 2 ** 20

/** Measures stores of growing sizes; memory is the whole process's peak. */
export async function benchStores(bench: Bench, init: StoreBenchInit): Promise<void> {
  const sizes = bench.quick ? [1_000, 3_000] : [1_000, 10_000, 100_000]
  const rounds = bench.quick ? 1 : 3
  for (const entries of sizes) {
    bench.progress(`a store of ${String(entries)} entries`)
    const dataDir = join(init.folder, `store-${String(entries)}`)
    await fillStore(dataDir, init.deployment, entries)
    const starts: number[] = []
    const memory: number[] = []
    const figures = { backup: [] as number[], again: [] as number[], restore: [] as number[], scrub: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      const { startMs, peak } = await startOnce(dataDir, init)
      starts.push(startMs)
      if (peak != null) memory.push(peak)
      const rates = await keepOnce(dataDir, join(init.folder, 'backups'))
      figures.backup.push(rates.backup)
      figures.again.push(rates.again)
      figures.restore.push(rates.restore)
      figures.scrub.push(rates.scrub)
    }
    const name = `${String(entries)}-entries`
    bench.figure({ metric: `store.start.${name}`, samples: starts, unit: 'ms' })
    bench.figure({ metric: `store.memory.${name}`, samples: memory, unit: 'MiB' })
    bench.figure({ metric: `store.backup.${name}`, samples: figures.backup, unit: 'MiB/s' })
    bench.figure({ metric: `store.backup-again.${name}`, samples: figures.again, unit: 'MiB/s' })
    bench.figure({ metric: `store.restore.${name}`, samples: figures.restore, unit: 'MiB/s' })
    bench.figure({ metric: `store.scrub.${name}`, samples: figures.scrub, unit: 'MiB/s' })
    await rm(dataDir, { recursive: true })
  }
}

async function startOnce(
  dataDir: string,
  { rpcUrl, deploymentFile, folder }: StoreBenchInit
): Promise<{ startMs: number; peak: number | undefined }> {
  const args = ['node', 'run', '--data', dataDir, '--rpc', rpcUrl, '--deployment', deploymentFile]
  const begun = performance.now()
  const service = await startService({ name: 'node', args, logFile: join(folder, 'node.log') })
  const startMs = performance.now() - begun
  const peak = await peakMib(service.pid)
  await service.stop()
  return { startMs, peak }
}

/** MiB of rows and blocks a second. */
async function keepOnce(dataDir: string, to: string) {
  const target = `${to}-restored`
  const db = await openStore(dataDir)
  const blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
  try {
    const rate = (bytes: number, tookMs: number): number => bytes / MIB / (tookMs / 1_000)
    const clock = (): number => Math.floor(performance.timeOrigin + performance.now())
    const first = await backUp({ db, dataDir, clock }, { to })
    const again = await backUp({ db, dataDir, clock }, { to })
    const restored = await restore({ from: to, to: target })
    const scrubbed = await scrub({ db, blockstore }, { bytesPerSecond: Number.MAX_SAFE_INTEGER })
    return {
      backup: rate(first.bytes, first.tookMs),
      again: rate(again.bytes, again.tookMs),
      restore: rate(restored.bytes, restored.tookMs),
      scrub: rate(scrubbed.bytes, scrubbed.tookMs)
    }
  } finally {
    await db.close()
    await rm(to, { recursive: true, force: true })
    await rm(target, { recursive: true, force: true })
  }
}

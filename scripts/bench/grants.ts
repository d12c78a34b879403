/** Grants: capsules, attributes, log and search in this process; then sharing, flat cost and revocation between processes. */
import { benchAttributes } from '#scripts/bench/grants/attributes.ts'
import { benchCapsules } from '#scripts/bench/grants/capsule.ts'
import { benchFlat } from '#scripts/bench/grants/flat.ts'
import { benchLog } from '#scripts/bench/grants/log.ts'
import { benchRevocation } from '#scripts/bench/grants/revocation.ts'
import { benchSearch } from '#scripts/bench/grants/search.ts'
import { benchSharing } from '#scripts/bench/grants/sharing.ts'
import { startBenchWorld } from '#scripts/bench/grants/world.ts'
import type { Bench } from '#scripts/bench/report.ts'

/** Runs the benchmark. A full run takes half an hour: a node takes 100,000 entries at 180 a second. */
export async function run(bench: Bench): Promise<void> {
  const { quick } = bench
  await benchCapsules(bench, quick ? 3 : 21)
  await benchAttributes(bench)
  await benchLog(bench, quick ? [100, 300, 1000] : [1000, 10_000, 30_000, 100_000])
  await benchSearch(bench, quick ? [100, 1000, 10_000] : [1000, 10_000, 100_000])
  bench.progress('a chain and three nodes')
  const world = await startBenchWorld()
  try {
    await benchSharing(bench, world, quick ? 2 : 15)
    await benchRevocation(bench, world, quick ? 2 : 30)
    await benchFlat(
      bench,
      world,
      quick ? { sizes: [1, 10, 100], rounds: 1 } : { sizes: [10, 1000, 100_000], rounds: 15 }
    )
  } finally {
    await world.stop()
  }
}

/** How fast an agent imports FHIR, and in how much memory: whole records, and one large attachment. */
import { createHash } from 'node:crypto'
import { FLUSHED_TOGETHER, floorSeconds } from '#scripts/bench/import/floor.ts'
import { joined, largeDocument, patientBundles } from '#scripts/bench/import/sources.ts'
import { digested, startWorld, type BenchWorld } from '#scripts/bench/import/world.ts'
import type { Bench } from '#scripts/bench/report.ts'

const MIB = 1_048_576
const PATIENTS = [1, 10, 100]
const FEW_PATIENTS = [1, 4]
const ATTACHMENTS_MIB = [10, 102, 1024]
const SMALL_ATTACHMENTS_MIB = [8, 32]
/** Many parts may be garbage before the collector runs; the whole content never fits. */
const MOST_MEMORY = 1.5
const FLOOR = `deflate, AES-256-GCM, Ed25519 and one flush for every ${String(FLUSHED_TOGETHER)}`

async function records(bench: Bench, world: BenchWorld): Promise<void> {
  const sizes = bench.quick ? FEW_PATIENTS : PATIENTS
  const { origin, texts } = await patientBundles(Math.max(...sizes))
  bench.progress(`records: ${origin}`)
  for (const patients of sizes) {
    const chosen = texts.slice(0, patients)
    const agent = await world.agent()
    try {
      const hash = createHash('sha256')
      const { entries, seconds } = await agent.take(digested(joined(chosen), hash))
      const floor = await floorSeconds(chosen.flatMap(bodiesOf))
      bench.progress(`${String(entries)} entries in ${seconds.toFixed(1)} s`)
      const of = `${String(patients)}-${patients === 1 ? 'patient' : 'patients'}`
      const versus = { name: FLOOR, samples: [entries / floor] }
      bench.figure({ metric: `import.${of}`, samples: [entries / seconds], unit: 'entries/s', versus })
      await checked(agent.give(), hash.digest('hex'))
      const peak = await agent.peakMib()
      if (peak != null) bench.figure({ metric: `import.${of}.peak`, samples: [peak], unit: 'MiB' })
    } finally {
      await agent.stop()
    }
  }
}

async function attachments(bench: Bench, world: BenchWorld): Promise<void> {
  let least: number | undefined
  for (const mib of bench.quick ? SMALL_ATTACHMENTS_MIB : ATTACHMENTS_MIB) {
    bench.progress(`an attachment of ${String(mib)} MiB`)
    const agent = await world.agent()
    try {
      const hash = createHash('sha256')
      const taken = await agent.take(digested(largeDocument(mib * MIB), hash))
      const metric = `attachment.${String(mib)}MiB`
      bench.figure({ metric: `${metric}.import`, samples: [mib / taken.seconds], unit: 'MiB/s' })
      const given = await checked(agent.give(), hash.digest('hex'))
      bench.figure({ metric: `${metric}.export`, samples: [mib / given.seconds], unit: 'MiB/s' })
      const peak = await agent.peakMib()
      if (peak == null) continue
      const versus = { name: 'the smallest of these', samples: [(least ??= peak)] }
      const meets = (_median: number, ratio: number | null): boolean => ratio != null && ratio <= MOST_MEMORY
      const goal = `<= ${String(MOST_MEMORY)} of the smallest`
      bench.figure({ metric: `${metric}.peak`, samples: [peak], unit: 'MiB', versus, goal, meets })
    } finally {
      await agent.stop()
    }
  }
}

async function checked<T extends { readonly digest: string }>(given: Promise<T>, digest: string): Promise<T> {
  const answer = await given
  if (answer.digest !== digest) throw new Error('what came out is not what went in')
  return answer
}

function bodiesOf(bundle: Uint8Array): Buffer[] {
  const { entry } = JSON.parse(Buffer.from(bundle).toString()) as { entry: { resource: unknown }[] }
  return entry.map(({ resource }) => Buffer.from(JSON.stringify(resource)))
}

/** Runs the benchmark `import`. */
export async function run(bench: Bench): Promise<void> {
  const world = await startWorld()
  try {
    await records(bench, world)
    await attachments(bench, world)
  } finally {
    await world.stop()
  }
}

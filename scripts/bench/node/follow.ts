/** Catching up with a chain: events a second, and memory by how many grants there are. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from '#scripts/bench/report.ts'
import type { FollowRun } from '#scripts/bench/node/child-follower.ts'
import type { PaperChainInit } from '#scripts/bench/node/paper-chain.ts'

const GOAL = 20_000

function child(name: string, args: readonly string[]): ChildProcess {
  return fork(join(import.meta.dirname, `child-${name}.ts`), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

async function message<T>(from: ChildProcess): Promise<T> {
  const ended = once(from, 'exit').then(([code]) => {
    throw new Error(`a child ended (${String(code)})`)
  })
  const [value] = (await Promise.race([once(from, 'message'), ended])) as [T]
  return value
}

/** Follows a chain of some size, so many times over; each time from nothing. */
async function follow(init: PaperChainInit, rounds: number): Promise<FollowRun[]> {
  const endpoint = child('endpoint', [JSON.stringify(init)])
  const folder = await mkdtemp(join(tmpdir(), 'salus-bench-follow-'))
  try {
    const url = `http://127.0.0.1:${String(await message<number>(endpoint))}`
    const runs: FollowRun[] = []
    for (let round = 0; round < rounds; round++) {
      const events = String(init.blocks * init.eventsPerBlock)
      const follower = child('follower', [url, join(folder, String(round)), events])
      runs.push(await message<FollowRun>(follower))
      if (follower.exitCode == null) await once(follower, 'exit')
    }
    return runs
  } finally {
    endpoint.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The figures of catching up. */
export async function benchFollow(bench: Bench): Promise<void> {
  const rate = ({ events, wallMs }: FollowRun): number => (events * 1_000) / wallMs
  const cpuRate = ({ events, cpuMs }: FollowRun): number => (events * 1_000) / cpuMs
  const full = [
    { blocks: 3_000, eventsPerBlock: 100, timed: true },
    { blocks: 10_000, eventsPerBlock: 10, timed: true },
    { blocks: 30_000, eventsPerBlock: 1, timed: true },
    { blocks: 30_000, eventsPerBlock: 1, timed: false }
  ]
  for (const size of bench.quick ? [{ blocks: 600, eventsPerBlock: 40, timed: true }] : full) {
    const { blocks, eventsPerBlock, timed } = size
    bench.progress(`following ${String(blocks)} blocks of ${String(eventsPerBlock)} events`)
    const runs = await follow({ ...size, mix: 'mixed' }, bench.quick ? 1 : 3)
    const goal = { goal: `>= ${String(GOAL)} events/s`, meets: (value: number) => value >= GOAL }
    const name = `follow.${String(eventsPerBlock)}-a-block${timed ? '' : '.untimed'}`
    bench.figure({ metric: name, samples: runs.map(rate), unit: 'events/s', ...goal })
    bench.figure({ metric: `${name}.cpu`, samples: runs.map(cpuRate), unit: 'events/s of one core' })
  }
  for (const grants of bench.quick ? [] : [10_000, 100_000, 1_000_000]) {
    bench.progress(`following ${String(grants)} grants`)
    const [run] = await follow({ blocks: grants / 100, eventsPerBlock: 100, mix: 'grants' }, 1)
    if (run == null) continue
    const name = `follow.memory.${String(grants)}-grants`
    bench.figure({ metric: name, samples: [run.rssMiB], unit: 'MiB' })
    bench.figure({ metric: `${name}.peak`, samples: [run.peakRssMiB], unit: 'MiB' })
    bench.figure({ metric: `${name}.read`, samples: [run.readUs], unit: 'µs/grant' })
  }
}

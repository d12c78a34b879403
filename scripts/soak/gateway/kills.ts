/** Kills the real program with SIGKILL while it takes recordings in, and reads its batches afterwards. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decodeBatch } from '#core/batch/batch.ts'
import { requireNext } from '#core/batch/chain.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { loadOrCreateGateway } from '#gateway/identity.ts'
import { syntheticRecording } from '#scripts/synthetic/recording.ts'

const MAIN = fileURLToPath(new URL('../../../node/cli/main.ts', import.meta.url))
const SECONDS = 20_000
/** A process lives this long at most, ms; less than a third of it is its start. */
const LONGEST_LIFE_MS = 3_000
const TO_THE_END_MS = 120_000

/** What came of it. */
export interface Kills {
  readonly kills: number
  /** Rows of the recording that are in no batch. */
  readonly killLost: number
  /** Batches whose bytes changed after they were signed. */
  readonly killEquivocations: number
}

/** Kills the gateway `times` times over one recording and lets it end; every row must be there, once. */
export async function killProcesses({
  times,
  progress
}: {
  readonly times: number
  readonly progress: (text: string) => void
}): Promise<Kills> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-kills-'))
  const data = join(folder, 'gateway')
  const recording = join(folder, 'recording.csv')
  const digests = new Map<string, string>()
  let killEquivocations = 0
  try {
    await writeFile(recording, syntheticRecording({ seconds: SECONDS, seed: 9 }))
    for (let kill = 0; kill < times; kill++) {
      await run({ data, recording, killAfterMs: LONGEST_LIFE_MS / 3 + Math.random() * ((2 * LONGEST_LIFE_MS) / 3) })
      killEquivocations += await changed(join(data, 'batches'), digests)
      if (kill % 10 === 9) progress(`${String(kill + 1)} processes killed, ${String(digests.size)} batches`)
    }
    await run({ data, recording, killAfterMs: null })
    killEquivocations += await changed(join(data, 'batches'), digests)
    return { kills: times, killLost: await missing(data), killEquivocations }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function run(init: {
  readonly data: string
  readonly recording: string
  readonly killAfterMs: number | null
}): Promise<void> {
  const { data, recording, killAfterMs } = init
  const args = ['gateway', 'run', '--offline', '--data', data, '--replay', recording, '--speed', 'max']
  const rest = ['--batch-seconds', '120', '--exit-at-end']
  const child = spawn(process.execPath, [MAIN, ...args, ...rest], { stdio: ['ignore', 'ignore', 'ignore'] })
  const closed = new Promise<number | null>(resolve => child.once('close', resolve))
  await Promise.race([closed, pause(killAfterMs ?? TO_THE_END_MS)])
  child.kill('SIGKILL')
  await closed
}

/** Compares every batch with what it was; returns how many changed. */
async function changed(folder: string, digests: Map<string, string>): Promise<number> {
  let count = 0
  const names = (await readdir(folder).catch(() => [])).filter(name => /^\d+$/.test(name))
  for (const name of names) {
    const digest = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')
    const known = digests.get(name)
    if (known != null && known !== digest) count++
    digests.set(name, digest)
  }
  return count
}

/** Rows of the recording that are not in the batches exactly once. */
async function missing(data: string): Promise<number> {
  const { keys } = await loadOrCreateGateway(p, data)
  const names = (await readdir(join(data, 'batches'))).filter(name => /^\d+$/.test(name))
  const rows = new Map<number, number>()
  let previous: Uint8Array | null = null
  for (const name of names.sort((a, b) => Number(a) - Number(b))) {
    const { readings, signed } = decodeBatch(p, await readFile(join(data, 'batches', name)), keys.bundle.sign)
    requireNext(p, previous, signed.bytes)
    previous = signed.bytes
    const [first] = readings
    for (const { stream, sequence } of readings) {
      if (stream.mdc === first?.stream.mdc) rows.set(sequence, (rows.get(sequence) ?? 0) + 1)
    }
  }
  return Array.from({ length: SECONDS }, (_, row) => rows.get(row)).filter(times => times !== 1).length
}

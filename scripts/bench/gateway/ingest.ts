/**
 * From authenticated frames to durable, judged, signed batches on the machine's own disk. Yardstick in the same run: the same readings
 * journaled in one record per frame, and nothing else.
 */
import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import { encodeReading, type Reading } from '#core/batch/reading.ts'
import { concat } from '#core/encoding/bytes.ts'
import { shippedPack } from '#core/clinical/packs/shipped.ts'
import { createReceiver, createSender, openFrame, sealFrame } from '#core/link/chain.ts'
import { decodeMessage, encodeMessage, readingsOf } from '#core/link/message.ts'
import { decodePacket } from '#core/link/packet.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { createMonitorPort } from '#gateway/clinical/monitor-port.ts'
import { deriveGateway } from '#gateway/identity.ts'
import { createIntake, type Intake } from '#gateway/intake.ts'
import { openJournal } from '#gateway/journal.ts'
import { openLedger, type Ledger } from '#gateway/ledger.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { syntheticRecording } from '#scripts/synthetic/recording.ts'
import type { Bench } from '#scripts/bench/report.ts'

const p = { ...nativePrimitives, ...nativeLinkPrimitives }
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const METRICS = [HEART_RATE, PULSE_RATE, RESPIRATORY_RATE, OXYGEN_SATURATION]
/** A fresh copy each time: whoever takes it overwrites it. */
const key = (): Uint8Array => new Uint8Array(32).fill(1)
/** Frames under way at once, as the links bound them. */
const UNDER_WAY = 1024
const MAIN = fileURLToPath(new URL('../../../node/cli/main.ts', import.meta.url))

/** Runs the benchmark. */
export async function measureIngest(bench: Bench): Promise<void> {
  const rounds = bench.quick ? 2 : 5
  for (const readings of [1, 8]) await measureFrames(bench, { rounds, readings, count: bench.quick ? 10_000 : 50_000 })
  await measureRun(bench)
}

interface Open {
  readonly intake: Intake
  readonly ledger: Ledger
  readonly folder: string
}

async function open(): Promise<Open> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-bench-ingest-'))
  const identity = await deriveGateway(p, new Uint8Array(32).fill(7))
  const ledger = await openLedger(folder)
  const files = await openBatchFiles(folder)
  await ledger.record({ type: 'patient', patient: { id: new Uint8Array(32), keyBundle: new Uint8Array(32) } })
  const monitor = createMonitorPort(
    { p, random, clock: Date.now },
    {
      ...{ gateway: identity.id, patient: new Uint8Array(32), signSeed: identity.keys.signSeed },
      ...{ pack: shippedPack(p), order: null, chain: [1], watch: null },
      onEvent: () => undefined
    }
  )
  const components = { p, random, clock: Date.now, identity, ledger, files, network: new Uint8Array(32), monitor }
  const intake = createIntake(components, { batchSeconds: 60, onBatch: () => undefined, onNoticed: () => undefined })
  return { intake, ledger, folder }
}

async function measureFrames(
  bench: Bench,
  { rounds, readings, count }: { readonly rounds: number; readonly readings: number; readonly count: number }
): Promise<void> {
  bench.progress(`frames of ${String(readings)} readings to signed batches`)
  const whole: number[] = []
  const ofProcessor: number[] = []
  const bare: number[] = []
  for (let round = 0; round < rounds; round++) {
    const sender = createSender(p, 1, key(), 0)
    const frames = Array.from({ length: count }, (_, i) => sealFrame(p, sender, messageOf(i, readings), 0))
    const { intake, ledger, folder } = await open()
    const receiver = createReceiver(p, key())
    let waiting: Promise<void>[] = []
    const usedBefore = process.cpuUsage()
    const startMs = performance.now()
    for (const frame of frames) {
      const packet = decodePacket(frame)
      const opened = packet?.type === 'frame' ? openFrame(p, receiver, packet, frame) : undefined
      if (opened == null || 'refused' in opened) throw new Error('a frame was refused')
      const message = decodeMessage(opened.plaintext)
      if (message.kind !== 'readings') throw new Error('not readings')
      const deviceTimeMs = Date.now()
      const taken = readingsOf(message.readings, 'sensor', deviceTimeMs)
      waiting.push(intake.accept({ source: 'sensor', next: 0, deviceTimeMs, readings: taken }))
      if (waiting.length >= UNDER_WAY) {
        await Promise.all(waiting)
        waiting = []
      }
    }
    await Promise.all(waiting)
    await intake.closePending()
    whole.push((1000 * count) / (performance.now() - startMs))
    const { user, system } = process.cpuUsage(usedBefore)
    ofProcessor.push((1e6 * count) / (user + system))
    await ledger.close()
    bare.push(await journalOnly(join(folder, 'bare'), count, readings))
    await rm(folder, { recursive: true, force: true })
  }
  const goal = readings === 1 ? { goal: '>= 20000', meets: (rate: number): boolean => rate >= 20_000 } : {}
  bench.figure({
    metric: `ingest.${String(readings)}`,
    samples: whole,
    unit: `frames of ${String(readings)} readings/s, opened, judged, durable, signed`,
    versus: { name: 'journal alone', samples: bare },
    ...goal
  })
  bench.figure({
    metric: `ingest.cpu.${String(readings)}`,
    samples: ofProcessor,
    unit: `frames of ${String(readings)} readings/CPU-s`
  })
}

async function journalOnly(path: string, count: number, readings: number): Promise<number> {
  const record = concat(...readingsAt(1, readings).map(encodeReading))
  const journal = await openJournal(path)
  const startMs = performance.now()
  for (let i = 0; i < count; i += UNDER_WAY) {
    await Promise.all(Array.from({ length: Math.min(UNDER_WAY, count - i) }, async () => journal.append(record)))
  }
  const rate = (1000 * count) / (performance.now() - startMs)
  await journal.close()
  return rate
}

/** A whole run of the program without a network: memory at its peak, and how much faster than time it takes a recording in. */
async function measureRun(bench: Bench): Promise<void> {
  const seconds = bench.quick ? 3_600 : 36_000
  bench.progress(`a run over ${String(seconds)} s of a recording`)
  const folder = await mkdtemp(join(tmpdir(), 'salus-bench-run-'))
  try {
    const recording = join(folder, 'recording.csv')
    await writeFile(recording, syntheticRecording({ seconds, seed: 3 }))
    const args = ['gateway', 'run', '--offline', '--replay', recording, '--speed', 'max', '--report', 'json']
    const startMs = performance.now()
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { maxBuffer: 2 ** 26 })
    const { peakMiB } = JSON.parse(stdout) as { peakMiB: number }
    const speed = (1000 * seconds) / (performance.now() - startMs)
    bench.figure({ metric: 'run.peak', samples: [peakMiB], unit: 'MiB', goal: '<= 150', meets: peak => peak <= 150 })
    bench.figure({
      metric: 'run.speed',
      samples: [speed],
      unit: 'x real time at 4 readings/s',
      goal: '>= 20',
      meets: x => x >= 20
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function messageOf(number: number, readings: number): Uint8Array {
  const plain = readingsAt(number, readings).map(({ stream, sequence, deviceTimeMs, mantissa, flags }) => {
    const { mdc, loinc, ucum, exponent } = stream
    return { stream: { mdc, loinc, ucum, exponent }, sequence, deviceTimeMs, mantissa, flags }
  })
  return encodeMessage({ kind: 'readings', number, previous: null, readings: plain })
}

function readingsAt(number: number, count: number): Reading[] {
  return Array.from({ length: count }, (_, i): Reading => ({
    stream: { device: 'sensor', ...(METRICS[i % METRICS.length] ?? HEART_RATE), exponent: 0 },
    sequence: 2 * number + Math.floor(i / METRICS.length),
    deviceTimeMs: 1000 * number,
    receivedAtMs: Date.now(),
    mantissa: i % METRICS.length === 3 ? 97 : 60 + (number % 30),
    flags: 0
  }))
}

/**
 * Gateway: readings per second from replay to signed batch, bytes per reading, size and checking time of proofs. Yardsticks in
 * the same run: JSON with gzip for the bytes, one SHA-256 per reading and nothing else for the time.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { syntheticRecording } from '#scripts/synthetic/recording.ts'
import { buildBatch, decodeBatch } from '#core/batch/batch.ts'
import { leafHash, verifyConsistency, verifyInclusion } from '#core/batch/merkle.ts'
import { encodeReading, READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import { parseRecording } from '#core/batch/recording.ts'
import {
  appendLeaf,
  consistencyProof,
  createTree,
  inclusionProof,
  rangeOf,
  rangeRoot,
  type Tree
} from '#core/batch/tree.ts'
import { verifyBundle } from '#core/batch/verify.ts'
import { compress } from '#core/record/compression.ts'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { runClinical } from '#scripts/bench/gateway/clinical.ts'
import { measureLink } from '#scripts/bench/gateway/link.ts'
import type { Bench } from '#scripts/bench/report.ts'

const AUTHOR = {
  network: new Uint8Array(32).fill(1),
  gateway: new Uint8Array(32).fill(2),
  signerSalt: new Uint8Array(32).fill(6),
  patient: new Uint8Array(32).fill(3),
  certificate: new Uint8Array(32).fill(4),
  signSeed: new Uint8Array(32).fill(5)
}
const START_MS = 1_700_000_000_000
const SIGNS = 4

/** Runs the benchmark. */
export async function run(bench: Bench): Promise<void> {
  for (const count of [1_000, 10_000, 100_000]) measureBatch(bench, count)
  for (const size of bench.quick ? [1_000, 10_000, 100_000] : [1_000, 10_000, 100_000, 1_000_000]) {
    measureProofs(bench, size)
  }
  await measureBundle(bench)
  await runClinical(bench)
  await measureLink(bench)
}

/** Text of a recording to readings to a signed, encoded batch. */
function measureBatch(bench: Bench, count: number): void {
  bench.progress(`batch of ${String(count)} readings`)
  const text = utf8(syntheticRecording({ seconds: count / SIGNS, seed: count }))
  const secret = new Uint8Array(randomBytes(32))
  const rounds = Math.max(bench.quick ? 2 : 5, Math.min(20, (bench.quick ? 20_000 : 200_000) / count))
  const signed: number[] = []
  const hashed: number[] = []
  let batch = new Uint8Array()
  let readings: Reading[] = []
  for (let round = 0; round < rounds; round++) {
    signed.push(
      perSecond(count, () => {
        readings = readingsOf(text)
        const span = { fromMs: START_MS, toMs: START_MS + 250 * count, gaps: [] }
        const input = { sequence: 1, previous: null, readings, secret, ...span }
        batch = new Uint8Array(buildBatch(p, AUTHOR, createTree(), input).bytes)
      })
    )
    const encoded = readings.map(encodeReading)
    hashed.push(perSecond(count, () => encoded.forEach(bytes => p.sha256(bytes))))
  }
  const read = Array.from({ length: Math.min(rounds, 5) }, () =>
    perSecond(count, () => decodeBatch(p, batch, p.ed25519PublicKey(AUTHOR.signSeed)))
  )
  const versus = { name: 'one native SHA-256 per reading', samples: hashed }
  bench.figure({ metric: `replay-to-signed.${String(count)}`, samples: signed, unit: 'readings/CPU-s', versus })
  bench.figure({ metric: `read-and-check.${String(count)}`, samples: read, unit: 'readings/CPU-s' })

  const json = gzipSync(JSON.stringify(readings)).length / count
  const gzip = { name: 'JSON + gzip', samples: [json] }
  const goal = '<= 1.3 B per reading'
  const meets = (bytes: number): boolean => bytes <= 1.3
  const packed = compress(batch).length / count
  bench.figure({ metric: `batch.${String(count)}`, samples: [batch.length / count], unit: 'B/reading', versus: gzip })
  bench.figure({
    metric: `batch-deflated.${String(count)}`,
    samples: [packed],
    unit: 'B/reading',
    versus: gzip,
    goal,
    meets
  })
}

function readingsOf(text: Uint8Array): Reading[] {
  const { columns, rows } = parseRecording(text)
  const streams = columns.map(({ metric, exponent }) => ({ device: 'monitor', ...metric, exponent }))
  return rows.flatMap(({ timeMs, values }, sequence) =>
    streams.map((stream, i): Reading => {
      const mantissa = values[i] ?? null
      const flags = mantissa === null ? READING_FLAGS.absent : 0
      return { stream, sequence, deviceTimeMs: timeMs, receivedAtMs: START_MS + timeMs, mantissa, flags }
    })
  )
}

/** Inclusion and consistency proofs at growing sizes of the tree. */
function measureProofs(bench: Bench, size: number): void {
  bench.progress(`tree of ${String(size)} leaves`)
  const tree = createTree()
  for (let i = 0; i < size; i++) appendLeaf(p, tree, leafOf(i))
  const root = rangeRoot(p, rangeOf(tree))
  const indexes = Array.from({ length: 200 }, (_, i) => Math.floor((i * size) / 200))
  const paths = indexes.map(index => inclusionProof(p, tree, index))
  bench.figure({ metric: `inclusion.${String(size)}`, samples: paths.map(path => 32 * path.length), unit: 'B' })
  const inclusion = indexes.map((index, i) =>
    microseconds(() => verifyInclusion(p, { leaf: leafOf(index), index, size, path: paths[i] ?? [], root }))
  )
  bench.figure({ metric: `inclusion.verify.${String(size)}`, samples: inclusion, unit: 'µs' })
  const consistency = indexes.slice(1).map(firstSize => consistencyTime(tree, firstSize, root))
  bench.figure({ metric: `consistency.verify.${String(size)}`, samples: consistency, unit: 'µs' })
}

function consistencyTime(tree: Tree, firstSize: number, root: Uint8Array): number {
  const firstRoot = rangeRoot(p, rangeOf(tree, firstSize))
  const path = consistencyProof(p, tree, firstSize)
  return microseconds(() => verifyConsistency(p, { firstSize, firstRoot, size: tree.size, root, path }))
}

/** The whole bundle of the test vector, from file to verdict. */
async function measureBundle(bench: Bench): Promise<void> {
  const vector = await readFile(new URL('../../test/vectors/bundle.json', import.meta.url), 'utf8')
  const bundle = fromHex((JSON.parse(vector) as { bundle: string }).bundle)
  const samples: number[] = []
  for (let i = 0; i < 50; i++) {
    const start = performance.now()
    await verifyBundle(p, bundle)
    samples.push(performance.now() - start)
  }
  bench.figure({ metric: 'bundle', samples: [bundle.length], unit: 'B' })
  bench.figure({ metric: 'bundle.verify', samples, unit: 'ms' })
}

function leafOf(index: number): Uint8Array {
  return leafHash(p, utf8(String(index)))
}

/** Items per second of processor time: other work on the machine does not count. */
function perSecond(count: number, work: () => unknown): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (1e6 * count) / (user + system)
}

function microseconds(work: () => unknown): number {
  const start = performance.now()
  work()
  return 1000 * (performance.now() - start)
}

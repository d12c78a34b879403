/** Readings and batches for tests: small, deterministic, of no person. */
import { portablePrimitives as p } from '#core/crypto/portable.ts'
import { buildBatch, type Batch, type BatchAuthor } from '#core/batch/batch.ts'
import { HEART_RATE, OXYGEN_SATURATION } from '#core/batch/metrics.ts'
import { READING_FLAGS, type Reading, type Stream } from '#core/batch/reading.ts'
import { createTree, type Tree } from '#core/batch/tree.ts'

/** 32 equal bytes. */
export const bytes32 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

/** Someone who makes batches. */
export const AUTHOR: BatchAuthor = {
  network: bytes32(1),
  gateway: bytes32(2),
  signerSalt: bytes32(6),
  patient: bytes32(3),
  certificate: bytes32(4),
  signSeed: bytes32(5)
}

/** The author's public key. */
export const SIGN_KEY: Uint8Array = p.ed25519PublicKey(AUTHOR.signSeed)

export const START_MS = 1_700_000_000_000

const PULSE: Stream = { device: 'monitor', ...HEART_RATE, exponent: 0 }
const SATURATION: Stream = { device: 'monitor', ...OXYGEN_SATURATION, exponent: -1 }

/** Two streams at 1 Hz, with a gap in the second. */
export function someReadings(seconds: number, from: number = 0): Reading[] {
  return Array.from({ length: seconds }, (_, i) => from + i).flatMap(second => [
    reading(PULSE, second, 60 + (second % 5)),
    reading(SATURATION, second, second % 7 === 3 ? null : 975 - (second % 3))
  ])
}

function reading(stream: Stream, second: number, mantissa: number | null): Reading {
  return {
    stream,
    sequence: second,
    deviceTimeMs: second * 1000,
    receivedAtMs: START_MS + second * 1000 + (second % 4),
    mantissa,
    flags: mantissa === null ? READING_FLAGS.absent : 0
  }
}

/** A chain of batches of the given numbers of seconds, and the tree at its end. */
export function someBatches(
  seconds: readonly number[],
  author: BatchAuthor = AUTHOR
): { built: { batch: Batch; bytes: Uint8Array }[]; tree: Tree } {
  const tree = createTree()
  const built: { batch: Batch; bytes: Uint8Array }[] = []
  let from = 0
  for (const [i, count] of seconds.entries()) {
    built.push(
      buildBatch(p, author, tree, {
        sequence: i + 1,
        previous: built.at(-1)?.batch.signed.bytes ?? null,
        readings: someReadings(count, from),
        secret: bytes32(100 + i),
        fromMs: START_MS + from * 1000,
        toMs: START_MS + (from + count) * 1000,
        gaps: []
      })
    )
    from += count
  }
  return { built, tree }
}

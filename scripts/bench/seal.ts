/** Throughput of sealing and opening against one call of the platform's AES-256-GCM. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { portablePrimitives } from '#core/crypto/portable.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { openChunked, sealChunked } from '#core/record/chunked.ts'
import { openEntry, sealEntry } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { interleave } from '#scripts/bench/interleave.ts'
import type { Bench, Figure } from '#scripts/bench/report.ts'
import { benchDayTree } from '#scripts/bench/seal/day-tree.ts'
import { benchHpke } from '#scripts/bench/seal/hpke.ts'
import { benchPadding } from '#scripts/bench/seal/padding.ts'
import { recordSets } from '#scripts/bench/seal/records.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** Calls per sample at 16 MiB: one alone measures whose memory the allocator happens to reuse, not the work. */
const SUSTAINED = 8
const SIZES = [
  { name: '1KiB', bytes: KIB, repeat: 200 },
  { name: '64KiB', bytes: 64 * KIB, repeat: 50, goal: 0.7 },
  { name: '16MiB', bytes: 16 * MIB, repeat: SUSTAINED, goal: 1 }
]
const CHUNK_SIZES = [16, 64, 256, 1024, 4096]
const KEY = randomBytes(32)
const NONCE = randomBytes(12)
const SALT = randomBytes(24)
const CONTEXT = randomBytes(160)

function nativeSeal(plaintext: Uint8Array): { ciphertext: Uint8Array; tag: Uint8Array } {
  const cipher = createCipheriv('aes-256-gcm', KEY, NONCE)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return { ciphertext, tag: cipher.getAuthTag() }
}

function nativeOpen({ ciphertext, tag }: ReturnType<typeof nativeSeal>): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', KEY, NONCE, { authTagLength: 16 })
  decipher.setAuthTag(tag)
  const plaintext = decipher.update(ciphertext)
  decipher.final()
  return plaintext
}

function seal(primitives: Primitives, plaintext: Uint8Array, chunkBytes?: number): Uint8Array {
  const size = chunkBytes == null ? {} : { chunkBytes }
  return sealChunked(primitives, { key: KEY, salt: SALT, context: CONTEXT, plaintext, ...size })
}

/** Text that deflates to about a third, as FHIR JSON does. */
function clinicalText(bytes: number): Uint8Array {
  const out = Buffer.alloc(bytes)
  let at = 0
  while (at < bytes) {
    const [value = 0, minute = 0, id = 0] = randomBytes(3)
    const line = `{"resourceType":"Observation","id":"${String(id)}","effective":"2026-11-20T13:${String(minute % 60)}:00Z","value":${String(value)}}\n`
    at += out.write(line, at)
  }
  return out
}

function throughput(bytes: number, milliseconds: readonly number[]): number[] {
  return milliseconds.map(ms => bytes / MIB / (ms / 1000))
}

/** Reports one kind of work against the native call measured beside it. */
function compared(metric: string, samples: number[], name: string, yardstick: number[], atLeast?: number): Figure {
  const figure = { metric, samples, unit: 'MiB/s', versus: { name, samples: yardstick } }
  if (atLeast == null) return figure
  const meets = (_median: number, ratio: number | null): boolean => ratio != null && ratio >= atLeast
  return { ...figure, goal: `>= ${String(atLeast)} of one native call`, meets }
}

async function formatFigures(bench: Bench, { name, bytes, repeat, goal }: (typeof SIZES)[number]): Promise<void> {
  const plaintext = randomBytes(bytes)
  const sealed = seal(p, plaintext)
  const native = nativeSeal(plaintext)
  const samples = await interleave(
    {
      nativeSeal: () => nativeSeal(plaintext),
      seal: () => seal(p, plaintext),
      nativeOpen: () => nativeOpen(native),
      open: () => openChunked(p, { key: KEY, context: CONTEXT, sealed })
    },
    { rounds: bench.quick ? 15 : 41, repeat }
  )
  const rate = (work: keyof typeof samples): number[] => throughput(bytes, samples[work])
  bench.figure(compared(`seal.format.${name}`, rate('seal'), 'one native AES-256-GCM call', rate('nativeSeal'), goal))
  bench.figure(compared(`open.format.${name}`, rate('open'), 'one native AES-256-GCM call', rate('nativeOpen'), goal))
}

async function pipelineFigures(bench: Bench, { name, bytes, repeat }: (typeof SIZES)[number]): Promise<void> {
  const author = await deriveAgentKeys(p, randomBytes(32), [2])
  const leafKey = randomBytes(32)
  const tag = randomBytes(16)
  const place = { network: randomBytes(32), patient: randomBytes(32), tag, generation: 1, day: 20_777, grant: null }
  for (const [kind, body] of [
    ['text', clinicalText(bytes)],
    ['incompressible', randomBytes(bytes)]
  ] as const) {
    const input = { ...place, leafKey, author, content: { type: 'application/octet-stream', recordedAtMs: 0, body } }
    const entry = sealEntry(p, randomBytes, input)
    const samples = await interleave(
      {
        nativeSeal: () => nativeSeal(body),
        seal: () => sealEntry(p, randomBytes, input),
        open: () => openEntry(p, { ...entry, leafKey, tag })
      },
      { rounds: bench.quick ? 3 : 9, repeat: Math.ceil(repeat / 20) }
    )
    const rate = (work: keyof typeof samples): number[] => throughput(bytes, samples[work])
    for (const work of ['seal', 'open'] as const) {
      bench.figure(
        compared(`${work}.entry.${kind}.${name}`, rate(work), 'one native AES-256-GCM call', rate('nativeSeal'))
      )
    }
  }
}

async function chunkFigures(bench: Bench): Promise<void> {
  const plaintext = randomBytes(16 * MIB)
  const bySize = Object.fromEntries(CHUNK_SIZES.map(kib => [String(kib), () => seal(p, plaintext, kib * KIB)]))
  const works: Record<string, () => unknown> = { native: () => nativeSeal(plaintext), ...bySize }
  const samples = await interleave(works, { rounds: bench.quick ? 5 : 21, repeat: SUSTAINED })
  const rate = (work: string): number[] => throughput(plaintext.length, samples[work] ?? [])
  for (const kib of CHUNK_SIZES) {
    const metric = `seal.chunks-of-${String(kib)}KiB.16MiB`
    bench.figure(compared(metric, rate(String(kib)), 'one native AES-256-GCM call', rate('native')))
  }
}

/** Where the time of 16 MiB goes: the same chunks with no output, with a new output, and with one whose pages are there. */
async function outputFigures(bench: Bench): Promise<void> {
  const bytes = 16 * MIB
  const plaintext = randomBytes(bytes)
  const kept = new Uint8Array(bytes).fill(1)
  const chunks = (output?: Uint8Array): void => {
    for (let at = 0; at < bytes; at += MIB) {
      const { ciphertext } = nativeSeal(plaintext.subarray(at, at + MIB))
      output?.set(ciphertext, at)
    }
  }
  const samples = await interleave(
    {
      native: () => nativeSeal(plaintext),
      none: () => chunks(),
      fresh: () => chunks(new Uint8Array(bytes)),
      kept: () => chunks(kept)
    },
    { rounds: bench.quick ? 5 : 21 }
  )
  const native = throughput(bytes, samples.native)
  for (const output of ['none', 'fresh', 'kept'] as const) {
    const metric = `seal.output-${output}.16MiB`
    bench.figure(compared(metric, throughput(bytes, samples[output]), 'one native AES-256-GCM call', native))
  }
}

async function portableFigure(bench: Bench): Promise<void> {
  const plaintext = randomBytes(MIB)
  const samples = await interleave(
    { native: () => nativeSeal(plaintext), portable: () => seal(portablePrimitives, plaintext) },
    { rounds: bench.quick ? 3 : 9 }
  )
  const [portable, native] = [throughput(MIB, samples.portable), throughput(MIB, samples.native)]
  bench.figure(compared('seal.portable.1MiB', portable, 'one native AES-256-GCM call', native))
}

/** Runs the benchmark. */
export async function run(bench: Bench): Promise<void> {
  for (const size of SIZES) {
    bench.progress(`format, ${size.name}`)
    await formatFigures(bench, size)
  }
  bench.progress('chunk sizes')
  await chunkFigures(bench)
  await outputFigures(bench)
  for (const size of SIZES) {
    bench.progress(`whole entry with signatures, deflate, padding and CID, ${size.name}`)
    await pipelineFigures(bench, size)
  }
  await portableFigure(bench)
  await benchDayTree(bench, { rounds: bench.quick ? 7 : 41, repeat: 100 })
  await benchHpke(bench, { rounds: bench.quick ? 7 : 41, repeat: 5 })
  await benchPadding(bench, await recordSets(bench.quick ? 5 : Number.POSITIVE_INFINITY))
}

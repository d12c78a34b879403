/**
 * The lives of one gateway over a simulated disk: each is cut short at a random step. What it acknowledged must be in its batches, once;
 * no number may be signed twice to different bytes; and rot may be noticed or cured, never passed over.
 */
import { createHash } from 'node:crypto'
import { isSalusError } from '#core/error.ts'
import { decodeBatch, type Batch } from '#core/batch/batch.ts'
import { requireNext } from '#core/batch/chain.ts'
import { HEART_RATE } from '#core/batch/metrics.ts'
import type { Reading } from '#core/batch/reading.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { signIntent } from '#gateway/batcher.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import { createIntake } from '#gateway/intake.ts'
import { openLedger } from '#gateway/ledger.ts'
import { NO_MONITOR } from '#gateway/ports.ts'
import { adoptBatches } from '#gateway/recovery.ts'
import { createSimulatedDisk, type Draw } from '#scripts/soak/gateway/simulated-disk.ts'

/** What came of the lives of one gateway. */
export interface Lives {
  readonly lives: number
  readonly acknowledged: number
  /** Acknowledged and neither in a batch nor named as lost. */
  readonly lost: number
  /** In more than one place of the batches. */
  readonly repeated: number
  /** Numbers that were published with different bytes. */
  readonly equivocations: number
  /** Rot that ended the gateway with a code, or that a batch names as a gap. */
  readonly noticed: number
}

const FOLDER = '/gateway'
const SOURCE = 'monitor'
const STREAM = { device: SOURCE, ...HEART_RATE, exponent: 0 }
const ROWS_PER_SPAN = 6
const LONGEST_LIFE_STEPS = 90
const START_MS = 1_700_000_000_000
const PATIENT = { id: new Uint8Array(32).fill(2), keyBundle: new Uint8Array(32) }

interface Told {
  readonly acknowledged: Set<number>
  /** Digest and content of each batch that left the gateway. */
  readonly published: Map<number, { digest: string; bytes: Uint8Array }>
  equivocations: number
}

/**
 * Plays the lives of one gateway, and one more that nothing cuts short.
 *
 * @param rot - how many of a hundred lives begin with a flipped bit
 */
export async function playLives(
  identity: GatewayIdentity,
  draw: Draw,
  { lives, rot }: { readonly lives: number; readonly rot: number }
): Promise<Lives> {
  const disk = createSimulatedDisk(draw)
  const told: Told = { acknowledged: new Set(), published: new Map(), equivocations: 0 }
  let played = 0
  let refused = 0
  for (; played <= lives; played++) {
    const isLast = played === lives
    disk.restore()
    const isRotten = draw(100) < rot && disk.rot(/^(journal-\d+|state|\d+)$/)
    if (!isLast) disk.cutAfter(1 + draw(LONGEST_LIFE_STEPS))
    try {
      await live(identity, draw, { disk, told, rows: isLast ? 3 * ROWS_PER_SPAN : 1000 })
    } catch (error) {
      if (disk.isCut()) continue
      // Rot that cannot be cured ends the gateway, by a code; without rot that would be a fault.
      if (!isSalusError(error) || rot === 0) throw error
      refused++
      break
    } finally {
      if (isRotten) disk.restore()
    }
  }
  return { lives: played, ...judge(identity, told, { isEnded: refused > 0, mayRot: rot > 0 }), noticed: refused }
}

async function live(
  identity: GatewayIdentity,
  draw: Draw,
  { disk, told, rows }: { disk: ReturnType<typeof createSimulatedDisk>; told: Told; rows: number }
): Promise<void> {
  const ledger = await openLedger(FOLDER, disk, async () => Promise.resolve({ close: async () => Promise.resolve() }))
  const files = await openBatchFiles(FOLDER, disk)
  const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => draw(256))
  const components = { p, random, clock: () => START_MS, identity, ledger, files, network: new Uint8Array(32) }
  if (ledger.state.patient == null) await ledger.record({ type: 'patient', patient: PATIENT })
  const intake = createIntake(
    { ...components, monitor: NO_MONITOR },
    { batchSeconds: ROWS_PER_SPAN, onBatch: () => undefined, onNoticed: () => undefined }
  )
  if (ledger.state.intent != null) await signIntent(components)
  await adoptBatches(components, timeMs => intake.spanOf(timeMs))
  // A sensor that forgets what was acknowledged to it, and sends everything else again.
  const from = Math.max(-1, ...told.acknowledged) + 1
  const waiting: Promise<void>[] = []
  for (let row = from; row < from + rows; row++) {
    const arrival = { source: SOURCE, next: 0, deviceTimeMs: row * 1000, readings: [readingOf(row)] }
    const taken = intake.accept(arrival).then(() => void told.acknowledged.add(row))
    taken.catch(() => undefined)
    waiting.push(taken)
    if (draw(3) === 0) await Promise.all(waiting.splice(0))
    if (draw(4) === 0) await publish()
    if (draw(40) === 0) {
      await Promise.all(waiting.splice(0))
      await ledger.compact()
    }
    if (disk.isCut()) break
  }
  await Promise.all(waiting)
  await intake.closePending()
  while (ledger.state.acknowledged < ledger.state.sequence) await publish()
  await ledger.close()

  async function publish(): Promise<void> {
    const next = ledger.state.acknowledged + 1
    if (next > ledger.state.sequence) return
    const bytes = await files.readBatch(next)
    decodeBatch(p, bytes, identity.keys.bundle.sign)
    const digest = createHash('sha256').update(bytes).digest('hex')
    const known = told.published.get(next)
    if (known != null && known.digest !== digest) told.equivocations++
    told.published.set(next, { digest, bytes })
    await ledger.record({ type: 'acknowledged', sequence: next })
  }
}

function readingOf(row: number): Reading {
  const receivedAtMs = START_MS + row * 1000
  return { stream: STREAM, sequence: row, deviceTimeMs: row * 1000, receivedAtMs, mantissa: 60 + (row % 40), flags: 0 }
}

/** Holds what left the gateway against what it acknowledged. */
function judge(
  identity: GatewayIdentity,
  told: Told,
  { isEnded, mayRot }: { readonly isEnded: boolean; readonly mayRot: boolean }
): Omit<Lives, 'lives' | 'noticed'> {
  const batches = [...told.published].sort(([a], [b]) => a - b).map(([, { bytes }]) => bytes)
  const seen = new Map<number, number>()
  let namesLoss = false
  let previous: Batch | undefined
  for (const bytes of batches) {
    const batch = decodeBatch(p, bytes, identity.keys.bundle.sign)
    requireNext(p, previous?.signed.bytes ?? null, batch.signed.bytes)
    previous = batch
    namesLoss ||= batch.header.gaps.some(({ reason }) => reason === 'journal')
    for (const { sequence } of batch.readings) seen.set(sequence, (seen.get(sequence) ?? 0) + 1)
  }
  const missing = [...told.acknowledged].filter(row => !seen.has(row)).length
  return {
    acknowledged: told.acknowledged.size,
    // After rot, a gateway that ended with a code, or whose batches name a loss, has said so. A cut of the power excuses nothing.
    lost: mayRot && (isEnded || namesLoss) ? 0 : missing,
    repeated: [...seen.values()].filter(times => times > 1).length,
    equivocations: told.equivocations
  }
}

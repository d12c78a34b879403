/** Turns pending readings into the next signed batch, so that a crash at any line never signs two under one number. */
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { buildBatchInSteps } from '#core/batch/batch.ts'
import { BATCH_SECRET_BYTES } from '#core/batch/leaf.ts'
import { createTree, rangeOf } from '#core/batch/tree.ts'
import type { Gap } from '#core/batch/header.ts'
import type { BatchFiles } from '#gateway/batch-files.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import type { Ledger } from '#gateway/ledger.ts'
import { withPauses } from '#gateway/with-pauses.ts'
import type { GatewayState } from '#gateway/state.ts'

/** What making batches needs. */
export interface BatcherComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly identity: GatewayIdentity
  readonly ledger: Ledger
  readonly files: BatchFiles
  readonly network: Uint8Array
}

/** What was made. */
export interface SignedBatch {
  readonly sequence: number
  readonly readings: number
  /** Alarms, waveforms and acts beside them. */
  readonly records: number
  /** Of its encoding, before it is sealed. */
  readonly bytes: number
  readonly treeSize: number
}

/**
 * Closes a span of time: everything pending becomes the next batch, also if it is nothing. The decision, with the
 * secret that the salts come from, is on the disk before anything is signed; with it every byte follows.
 */
export async function closeSpan(components: BatcherComponents, span: number): Promise<SignedBatch> {
  const { random, clock, ledger } = components
  const { state } = ledger
  const [first] = state.pending
  const now = clock()
  const fromMs = state.sequence > 0 ? state.toMs : (first?.receivedAtMs ?? now)
  const intent = {
    sequence: state.sequence + 1,
    secret: random(BATCH_SECRET_BYTES),
    fromMs,
    // The clock may have stepped back; spans of batches never overlap.
    toMs: Math.max(now, fromMs),
    span,
    gaps: gapsOf(state)
  }
  await ledger.record({ type: 'intent', intent })
  return signIntent(components)
}

/**
 * Signs the batch that was decided on; after a crash in between, the same one again, byte for byte.
 *
 * @throws SalusError `GATEWAY_PATIENT_UNKNOWN` if the grant's keys have not been seen yet
 */
export async function signIntent({ p, identity, ledger, files, network }: BatcherComponents): Promise<SignedBatch> {
  const { intent, patient, pending, records, header, range } = ledger.state
  if (intent == null || patient == null) {
    throw new SalusError('GATEWAY_PATIENT_UNKNOWN', 'The gateway does not know yet whose readings these are.')
  }
  const author = {
    network,
    gateway: identity.id,
    signerSalt: identity.signerSalt,
    patient: patient.id,
    certificate: identity.certificate,
    signSeed: identity.keys.signSeed
  }
  const tree = createTree(range)
  // What comes meanwhile belongs to the next batch; its taker waits until this one is signed.
  const input = { ...intent, previous: header, readings: pending, records }
  const { batch, bytes } = await withPauses(buildBatchInSteps(p, author, tree, input))
  await files.writeBatch(intent.sequence, bytes)
  await ledger.record({ type: 'signed', header: batch.signed.bytes, range: rangeOf(tree) })
  return {
    sequence: intent.sequence,
    readings: batch.readings.length,
    records: batch.records.length,
    bytes: bytes.length,
    treeSize: batch.header.treeTo
  }
}

/** Numbers that a device skipped, since the last batch too, and a journal that lost its tail: from that row on the source was asked again. */
function gapsOf({ pending, lastSequences, lostBytes, cursors }: GatewayState): Gap[] {
  const gaps: Gap[] = []
  const last = new Map(lastSequences.map(({ device, sequence }) => [device, sequence]))
  for (const { stream, sequence } of pending) {
    const before = last.get(stream.device)
    if (before != null && sequence > before + 1 && gaps.length < 32) {
      gaps.push({ device: stream.device, fromSequence: before + 1, toSequence: sequence - 1, reason: 'device' })
    }
    last.set(stream.device, sequence)
  }
  const place = cursors.reduce((most, { next }) => Math.max(most, next), 0)
  if (lostBytes > 0) gaps.push({ device: '*', fromSequence: place, toSequence: place, reason: 'journal' })
  return gaps
}

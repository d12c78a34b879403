/** What a gateway does when its journal was damaged: it never signs anew what it has signed, nor anchors beside the chain. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { batchTree, decodeBatch, type Batch } from '#core/batch/batch.ts'
import { requireNext } from '#core/batch/chain.ts'
import { rangeOf } from '#core/batch/tree.ts'
import type { Reading } from '#core/batch/reading.ts'
import type { BatchFiles } from '#gateway/batch-files.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import type { Ledger } from '#gateway/ledger.ts'
import { lastSequencesAfter } from '#gateway/last-sequences.ts'
import type { NodePort } from '#gateway/node-port.ts'
import { MAX_CURSORS, type Cursor } from '#gateway/state.ts'

/** What recovery needs. */
export interface RecoveryComponents {
  readonly p: Primitives
  readonly ledger: Ledger
  readonly files: BatchFiles
  readonly identity: GatewayIdentity
}

/**
 * Takes over signed batches that lie on the disk beyond what the journal tells. A batch that was decided on is signed before.
 *
 * @param spanOf - the span of time that a moment of the device's clock belongs to
 * @throws SalusError `GATEWAY_STATE_LOST` if numbers are missing before one of them: what was signed under these is not known;
 * `BATCH_*` if one of them does not follow: the directory is damaged beyond repair, and nothing is signed
 */
export async function adoptBatches(
  { p, ledger, files, identity }: RecoveryComponents,
  spanOf: (deviceTimeMs: number) => number
): Promise<number> {
  let adopted = 0
  for (const sequence of await files.kept()) {
    const { state } = ledger
    if (sequence <= state.sequence) continue
    if (sequence !== state.sequence + 1) {
      throw new SalusError(
        'GATEWAY_STATE_LOST',
        'The directory holds batches later than its state, and not those between; restore it or make a new gateway.'
      )
    }
    const batch = decodeBatch(p, await files.readBatch(sequence), identity.keys.bundle.sign)
    requireNext(p, state.header, batch.signed.bytes)
    const { readings, header, signed } = batch
    await ledger.record({
      type: 'adopted',
      sequence,
      header: signed.bytes,
      range: rangeOf(batchTree(p, batch)),
      toMs: header.toMs,
      span: readings.reduce((span, { deviceTimeMs }) => Math.max(span, spanOf(deviceTimeMs)), (state.span ?? -1) + 1),
      cursors: cursorsAfter(readings),
      lastSequences: lastSequencesAfter(state.lastSequences, readings)
    })
    adopted++
  }
  return adopted
}

/** A replayed recording counts its rows as its device's readings; sources that keep no place do not ask. */
function cursorsAfter(readings: readonly Reading[]): Cursor[] {
  const next = new Map<string, number>()
  for (const { stream, sequence } of readings) {
    next.set(stream.device, Math.max(next.get(stream.device) ?? 0, sequence + 1))
  }
  return [...next].slice(0, MAX_CURSORS).map(([source, place]) => ({ source, next: place }))
}

/**
 * Compares the gateway's last anchor with the chain's, and takes the chain's where it is ahead.
 *
 * @returns whether the chain was ahead
 * @throws SalusError `GATEWAY_ROLLED_BACK` if the chain has an anchor that none of the gateway's batches ends at
 */
export async function syncAnchor(
  { p, ledger, files, identity }: RecoveryComponents,
  node: Pick<NodePort, 'gateway'>
): Promise<boolean> {
  const { sequence, treeSize, root } = await node.gateway(toHex(identity.id))
  if (sequence <= (ledger.state.anchored?.sequence ?? 0)) return false
  const batch = await batchEndingAt({ p, files, identity }, treeSize)
  if (batch == null || (root != null && root !== toHex(batch.header.root))) {
    throw new SalusError(
      'GATEWAY_ROLLED_BACK',
      'The chain has an anchor of this gateway that its directory knows nothing of; restore the directory or make a new gateway.'
    )
  }
  const anchor = { sequence, batch: batch.header.sequence, treeSize, root: batch.header.root }
  await ledger.record({ type: 'synced', anchor })
  return true
}

async function batchEndingAt(
  { p, files, identity }: Omit<RecoveryComponents, 'ledger'>,
  treeSize: number
): Promise<Batch | undefined> {
  for (const sequence of (await files.kept()).reverse()) {
    const batch = decodeBatch(p, await files.readBatch(sequence), identity.keys.bundle.sign)
    if (batch.header.treeTo === treeSize) return batch
    if (batch.header.treeTo < treeSize) return undefined
  }
  return undefined
}

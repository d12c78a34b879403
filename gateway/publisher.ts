/** Seals batches as entries of the patient and hands them to a node until it has acknowledged each. */
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { isSalusError } from '#core/error.ts'
import { BATCH_TYPE, decodeBatch } from '#core/batch/batch.ts'
import { encodeMessage, MAX_INLINE_BLOB_BYTES } from '#core/network/envelope.ts'
import { sealEntry } from '#core/record/seal-entry.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { Log } from '#node/log.ts'
import type { BatchFiles, Outgoing } from '#gateway/batch-files.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import type { Ledger } from '#gateway/ledger.ts'
import type { NodePort } from '#gateway/node-port.ts'
import type { SealingKeys } from '#gateway/sealing-keys.ts'

/** What publishing needs. */
export interface PublisherComponents {
  readonly p: Primitives
  readonly random: Random
  readonly log: Log
  readonly identity: GatewayIdentity
  readonly ledger: Ledger
  readonly files: BatchFiles
  readonly node: Pick<NodePort, 'publish' | 'putBlob'>
  readonly keys: SealingKeys
  readonly network: Uint8Array
  /** Grant id, 32 bytes. */
  readonly grant: Uint8Array
  /** Encoded evidence that goes with each entry. */
  readonly evidence: Uint8Array
}

/**
 * Publishes a batch. The sealed form is on the disk before it is sent, so that after a crash the same entry is sent
 * again and no second one appears. If the node refuses it and there are newer keys, it is sealed anew under those.
 *
 * @throws SalusError whatever the node refused it with; the caller tries again
 */
export async function publishBatch(components: PublisherComponents, sequence: number): Promise<void> {
  const { files, node, keys, ledger, log } = components
  const outgoing = (await files.readOutgoing(sequence)) ?? (await sealBatch(components, sequence))
  try {
    // The entry first: a node stores no blob that no accepted entry names.
    await node.publish(outgoing.message)
    if (outgoing.blob != null) await node.putBlob(outgoing.blob.cid, outgoing.blob.bytes)
  } catch (error) {
    if (!isSalusError(error) || TRANSPORT.test(error.code) || !(await keys.refresh())) throw error
    log.info({ sequence, code: error.code }, 'sealing a batch again under newer keys')
    await files.removeOutgoing(sequence)
    throw error
  }
  await ledger.record({ type: 'acknowledged', sequence })
  await files.removeOutgoing(sequence)
}

/** Codes that say nothing about the entry: the node was not reached. */
const TRANSPORT = /^(NODE|PEER|SUBMIT)_/

async function sealBatch(components: PublisherComponents, sequence: number): Promise<Outgoing> {
  const { p, random, identity, files, keys, network, grant, evidence } = components
  const body = await files.readBatch(sequence)
  const { header } = decodeBatch(p, body, identity.keys.bundle.sign)
  const { headerBytes, slotBytes, blob } = sealEntry(p, random, {
    network,
    patient: header.patient,
    ...(await keys.today()),
    author: identity.keys,
    grant,
    content: { type: BATCH_TYPE, recordedAtMs: header.toMs, body }
  })
  const inline = blob.length <= MAX_INLINE_BLOB_BYTES
  const parts = { kind: 'entry', network, header: headerBytes, slot: slotBytes, evidence } as const
  const message = encodeMessage({ ...parts, blob: inline ? blob : null })
  const cid = decodeEntry(headerBytes).header.blob.toString()
  const outgoing = { message, blob: inline ? null : { cid, bytes: blob } }
  await files.writeOutgoing(sequence, outgoing)
  return outgoing
}

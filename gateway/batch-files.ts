/**
 * Batches on the gateway's disk: `batches/N` as it was signed, kept for a while so that the gateway itself can prove
 * readings; `outbox/N` sealed, until a node has acknowledged it.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { decodeBatch, type Batch } from '#core/batch/batch.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

const AREA = 'OUTBOX'
const MAX_OUTBOX_BYTES = 64 * 1024 * 1024

/** A batch ready to be sent. */
export interface Outgoing {
  /** Encoded network message (core/network/envelope.ts). */
  readonly message: Uint8Array
  /** The blob where it does not fit into the message, to be stored under its CID. */
  readonly blob: { readonly cid: string; readonly bytes: Uint8Array } | null
}

/** The files of batches in one data directory. */
export interface BatchFiles {
  writeBatch(sequence: number, bytes: Uint8Array): Promise<void>
  /** @throws SalusError `GATEWAY_BATCH_GONE` if it is not kept any more */
  readBatch(sequence: number): Promise<Uint8Array>
  /** Numbers of the batches that are kept, rising. */
  kept(): Promise<number[]>
  /** Deletes batches below a number. */
  forget(below: number): Promise<void>
  writeOutgoing(sequence: number, outgoing: Outgoing): Promise<void>
  readOutgoing(sequence: number): Promise<Outgoing | undefined>
  removeOutgoing(sequence: number): Promise<void>
}

/** Opens the files, making their directories. */
export async function openBatchFiles(directory: string): Promise<BatchFiles> {
  const batches = join(directory, 'batches')
  const outbox = join(directory, 'outbox')
  for (const path of [batches, outbox]) await mkdir(path, { recursive: true, mode: 0o700 })
  const kept = async (): Promise<number[]> =>
    (await readdir(batches))
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b)
  return {
    async writeBatch(sequence, bytes) {
      await writeDurably(join(batches, String(sequence)), bytes)
    },
    async readBatch(sequence) {
      const bytes = await readIfThere(join(batches, String(sequence)))
      if (bytes == null) {
        throw new SalusError(
          'GATEWAY_BATCH_GONE',
          'The gateway no longer keeps this batch; prove from the sealed entry.'
        )
      }
      return bytes
    },
    kept,
    async forget(below) {
      for (const sequence of await kept()) if (sequence < below) await removeDurably(join(batches, String(sequence)))
    },
    async writeOutgoing(sequence, { message, blob }) {
      await writeDurably(join(outbox, String(sequence)), encodeCanonical({ message, blob }))
    },
    async readOutgoing(sequence) {
      const bytes = await readIfThere(join(outbox, String(sequence)))
      return bytes == null ? undefined : decodeOutgoing(bytes)
    },
    async removeOutgoing(sequence) {
      await removeDurably(join(outbox, String(sequence)))
    }
  }
}

/** The batch that holds the leaf at `index` of the gateway's tree, with the number it is kept under. */
export async function findBatch(p: Primitives, files: BatchFiles, signKey: Uint8Array, index: number): Promise<Batch> {
  const sequences = await files.kept()
  for (let low = 0, high = sequences.length; low < high;) {
    const middle = (low + high) >> 1
    const batch = decodeBatch(p, await files.readBatch(sequences[middle] ?? 0), signKey)
    if (index < batch.header.treeFrom) high = middle
    else if (index >= batch.header.treeTo) low = middle + 1
    else return batch
  }
  throw new SalusError('GATEWAY_BATCH_GONE', 'The gateway keeps no batch with this leaf; prove from the sealed entry.')
}

function decodeOutgoing(bytes: Uint8Array): Outgoing {
  const any = { min: 1, max: MAX_OUTBOX_BYTES }
  const map = readMap(decodeCanonical(bytes, { area: AREA, maxBytes: MAX_OUTBOX_BYTES }), AREA, ['message', 'blob'])
  const message = readBytes(map['message'], AREA, 'message', any)
  if (map['blob'] === null) return { message, blob: null }
  const blob = readMap(map['blob'], AREA, ['cid', 'bytes'])
  return {
    message,
    blob: { cid: readText(blob['cid'], AREA, 'cid', 128), bytes: readBytes(blob['bytes'], AREA, 'bytes', any) }
  }
}

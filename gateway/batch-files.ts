/**
 * Batches on the gateway's disk: `batches/N` as it was signed, kept for a while so that the gateway itself can prove
 * readings; `outbox/N` sealed, until a node has acknowledged it.
 */
import { join } from 'node:path'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { textOf } from '#core/encoding/text.ts'
import { SalusError } from '#core/error.ts'
import { decodeBatch, type Batch } from '#core/batch/batch.ts'
import type { RootedHead } from '#gateway/aggregator-port.ts'
import { decodeRooted, encodeRooted } from '#gateway/rooted-codec.ts'
import { realDisk, type GatewayDisk } from '#gateway/disk.ts'

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
  /** Keeps a cosigned checkpoint of the tree at a size; older ones of which no batch is kept are deleted. */
  writeCheckpoint(treeSize: number, note: string): Promise<void>
  /** The first kept checkpoint of a tree with at least so many leaves. */
  checkpointFrom(treeSize: number): Promise<{ readonly size: number; readonly note: string } | undefined>
  /** Keeps where a head of the tree lies under a super-root. */
  writeRooted(treeSize: number, rooted: RootedHead): Promise<void>
  /** The first kept place of a tree with at least so many leaves. */
  rootedFrom(treeSize: number): Promise<{ readonly treeSize: number; readonly rooted: RootedHead } | undefined>
}

/** Checkpoints and places that are kept at most, the newest. */
const MAX_KEPT_PROOFS = 4096

/** Opens the files, making their directories. */
export async function openBatchFiles(directory: string, disk: GatewayDisk = realDisk): Promise<BatchFiles> {
  const batches = join(directory, 'batches')
  const outbox = join(directory, 'outbox')
  const checkpoints = join(directory, 'checkpoints')
  const roots = join(directory, 'rooted')
  for (const path of [batches, outbox, checkpoints, roots]) await disk.makeFolder(path)
  /** Batches below are gone: a month's batches are not listed again for each that goes. */
  let forgotten: number | undefined
  const numbersIn = async (folder: string): Promise<number[]> =>
    (await disk.names(folder))
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b)
  const kept = async (): Promise<number[]> => numbersIn(batches)
  const writeBounded = async (folder: string, number: number, bytes: Uint8Array): Promise<void> => {
    await disk.writeDurably(join(folder, String(number)), bytes)
    for (const old of (await numbersIn(folder)).slice(0, -MAX_KEPT_PROOFS))
      await disk.removeDurably(join(folder, String(old)))
  }
  const firstFrom = async (folder: string, from: number): Promise<{ size: number; bytes: Uint8Array } | undefined> => {
    const size = (await numbersIn(folder)).find(each => each >= from)
    const bytes = size == null ? undefined : await disk.readIfThere(join(folder, String(size)))
    return size == null || bytes == null ? undefined : { size, bytes }
  }
  return {
    async writeBatch(sequence, bytes) {
      await disk.writeDurably(join(batches, String(sequence)), bytes)
    },
    async readBatch(sequence) {
      const bytes = await disk.readIfThere(join(batches, String(sequence)))
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
      forgotten ??= (await kept())[0] ?? Math.max(below, 1)
      for (; forgotten < below; forgotten++) await disk.removeDurably(join(batches, String(forgotten)))
    },
    async writeOutgoing(sequence, { message, blob }) {
      await disk.writeDurably(join(outbox, String(sequence)), encodeCanonical({ message, blob }))
    },
    async readOutgoing(sequence) {
      const bytes = await disk.readIfThere(join(outbox, String(sequence)))
      return bytes == null ? undefined : decodeOutgoing(bytes)
    },
    async removeOutgoing(sequence) {
      await disk.removeDurably(join(outbox, String(sequence)))
    },
    async writeCheckpoint(treeSize, note) {
      await writeBounded(checkpoints, treeSize, utf8(note))
    },
    async checkpointFrom(treeSize) {
      const found = await firstFrom(checkpoints, treeSize)
      return found == null ? undefined : { size: found.size, note: textOf(found.bytes) ?? '' }
    },
    async writeRooted(treeSize, rooted) {
      await writeBounded(roots, treeSize, encodeRooted(rooted))
    },
    async rootedFrom(treeSize) {
      const found = await firstFrom(roots, treeSize)
      return found == null ? undefined : { treeSize: found.size, rooted: decodeRooted(found.bytes) }
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

/** Rows in chunks that are named by what they hold, so that a later backup writes only what has changed (docs/specs/node-backup.md). */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SalusError } from '#core/error.ts'
import { flushFolderOf, readIfThere, writeDurably } from '#node/store/durable-file.ts'

/** A key and its value. */
export type Row = readonly [key: string, value: Uint8Array]

/** A chunk, and how many rows it holds. */
export interface Chunk {
  readonly bytes: Uint8Array
  readonly rows: number
}

/** Chunks end at keys of which one in 256 is chosen by its hash: a row more or less changes one chunk or two, not all behind it. */
const ENDS_AT_ONE_IN = 256
const MIN_BYTES = 64 * 1024
const MAX_BYTES = 4 << 20
/** A row's two lengths, four bytes each. */
const PREFIX_BYTES = 8

/** Cuts rows, in the order of their keys, into chunks. */
export async function* chunksOf(rows: AsyncIterable<Row>): AsyncGenerator<Chunk> {
  let parts: Uint8Array[] = []
  let size = 0
  let count = 0
  for await (const [key, value] of rows) {
    const name = Buffer.from(key, 'utf8')
    const prefix = Buffer.alloc(PREFIX_BYTES)
    prefix.writeUInt32BE(name.length, 0)
    prefix.writeUInt32BE(value.length, 4)
    parts.push(prefix, name, value)
    size += PREFIX_BYTES + name.length + value.length
    count++
    if (size >= MAX_BYTES || (size >= MIN_BYTES && hashOf(name) % ENDS_AT_ONE_IN === 0)) {
      yield { bytes: Buffer.concat(parts), rows: count }
      parts = []
      size = 0
      count = 0
    }
  }
  if (count > 0) yield { bytes: Buffer.concat(parts), rows: count }
}

/**
 * The rows of a chunk.
 *
 * @throws SalusError `SNAPSHOT_DAMAGED` if it is no whole number of rows
 */
export function* rowsOf(chunk: Uint8Array): Generator<Row> {
  const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
  for (let at = 0; at < view.length;) {
    if (at + PREFIX_BYTES > view.length) throw damaged()
    const valueAt = at + PREFIX_BYTES + view.readUInt32BE(at)
    const end = valueAt + view.readUInt32BE(at + 4)
    if (end > view.length) throw damaged()
    yield [view.toString('utf8', at + PREFIX_BYTES, valueAt), chunk.subarray(valueAt, end)]
    at = end
  }
}

/** Writes a chunk unless it is there, whole. Returns its digest, and whether it was new. */
export async function writeChunk(folder: string, bytes: Uint8Array): Promise<{ digest: Uint8Array; isNew: boolean }> {
  const digest = new Uint8Array(createHash('sha256').update(bytes).digest())
  const file = fileOf(folder, digest)
  const there = await readIfThere(file)
  // Compared whole: a chunk that went bad since the last backup is written again.
  if (there != null && Buffer.from(there.buffer, there.byteOffset, there.length).equals(bytes)) {
    return { digest, isNew: false }
  }
  const folderOfFile = dirname(file)
  // Its own name is to be on the disk too, before a manifest names what is in it.
  if ((await mkdir(folderOfFile, { recursive: true })) != null) {
    await flushFolderOf(folderOfFile)
    await flushFolderOf(dirname(folderOfFile))
  }
  await writeDurably(file, bytes)
  return { digest, isNew: true }
}

/**
 * Reads a chunk and checks it.
 *
 * @throws SalusError `SNAPSHOT_DAMAGED` if it is not there, or not what its name says
 */
export async function readChunk(folder: string, digest: Uint8Array): Promise<Uint8Array> {
  const bytes = await readIfThere(fileOf(folder, digest))
  if (bytes == null || !createHash('sha256').update(bytes).digest().equals(digest)) throw damaged()
  return bytes
}

function fileOf(folder: string, digest: Uint8Array): string {
  const name = Buffer.from(digest).toString('hex')
  return join(folder, 'rows', name.slice(0, 2), name)
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

function damaged(): SalusError {
  return new SalusError('SNAPSHOT_DAMAGED', 'A part of this backup is missing or damaged; restore another one.')
}

/**
 * The gateway's append-only journal (docs/specs/gateway-journal.md): a record counts once `append` has resolved, and then
 * survives kill -9 and power cuts. Each record carries a chained digest, so a torn or rotten tail is cut off on opening.
 */
import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { SalusError } from '#core/error.ts'
import { flushFolderOf } from '#node/store/durable-file.ts'

const LENGTH_BYTES = 4
const DIGEST_BYTES = 16
const FRAME_BYTES = LENGTH_BYTES + DIGEST_BYTES

/** Most bytes of one record. */
export const MAX_RECORD_BYTES: number = 1024 * 1024

/** Most bytes that wait for the disk before appending is refused. */
const MAX_WAITING_BYTES: number = 16 * 1024 * 1024

/** An open journal. */
export interface Journal {
  /** Records found on opening, oldest first. */
  readonly records: readonly Uint8Array[]
  /** Bytes behind the last whole record that were cut off on opening. */
  readonly lostBytes: number
  /**
   * Appends a record; resolves when it is on the disk. Records that wait at the same time share one flush.
   *
   * @throws SalusError `JOURNAL_OVERSIZE`, `JOURNAL_BUSY` if the disk does not keep up, `JOURNAL_FAILED` after a failed write
   */
  append(record: Uint8Array): Promise<void>
  /** Waits for what was appended and closes the file. */
  close(): Promise<void>
}

interface Waiting {
  readonly frame: Buffer
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Opens a journal, made if it is not there; cuts off a damaged tail. */
export async function openJournal(path: string): Promise<Journal> {
  const file = await open(path, 'a+', 0o600)
  await flushFolderOf(path)
  const content = await readAll(file)
  const { records, digest, end } = scan(content)
  if (end < content.length) {
    await file.truncate(end)
    await file.sync()
  }
  return createWriter(file, digest, records, content.length - end)
}

function createWriter(file: FileHandle, start: Buffer, records: readonly Uint8Array[], lostBytes: number): Journal {
  let digest = start
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let failure: SalusError | undefined
  let flushing: Promise<void> | undefined

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      waitingBytes = 0
      try {
        if (failure != null) throw failure
        const frames = group.map(({ frame }) => frame)
        const { bytesWritten } = await file.writev(frames)
        // A disk that fills up takes a part of it and reports no error.
        if (bytesWritten !== sizeOf(frames)) throw new Error(`only ${String(bytesWritten)} bytes were written`)
        await file.datasync()
        for (const { resolve } of group) resolve()
      } catch (cause) {
        // What is on the disk now is unknown: nothing more is written, opening again will tell.
        failure ??= new SalusError('JOURNAL_FAILED', 'The journal cannot be written; check the disk and start again.', {
          cause
        })
        for (const { reject } of group) reject(failure)
      }
    }
    flushing = undefined
  }

  return {
    records,
    lostBytes,
    async append(record) {
      if (record.length > MAX_RECORD_BYTES) throw new SalusError('JOURNAL_OVERSIZE', 'The record is too large.')
      if (failure != null) throw failure
      if (waitingBytes > MAX_WAITING_BYTES) {
        throw new SalusError('JOURNAL_BUSY', 'The disk does not keep up with the readings; use a faster one.')
      }
      digest = digestOf(digest, record)
      const frame = Buffer.concat([lengthOf(record), digest, record])
      waitingBytes += frame.length
      const done = new Promise<void>((resolve, reject) => waiting.push({ frame, resolve, reject }))
      flushing ??= flush()
      await done
    },
    async close() {
      await flushing
      await file.close()
    }
  }
}

async function readAll(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat()
  const content = Buffer.alloc(size)
  let offset = 0
  while (offset < size) {
    const { bytesRead } = await file.read(content, offset, size - offset, offset)
    if (bytesRead === 0) break
    offset += bytesRead
  }
  return content.subarray(0, offset)
}

function scan(content: Buffer): { records: Uint8Array[]; digest: Buffer; end: number } {
  const records: Uint8Array[] = []
  let digest: Buffer = Buffer.alloc(DIGEST_BYTES)
  let end = 0
  while (end + FRAME_BYTES <= content.length) {
    const length = content.readUInt32BE(end)
    const next = end + FRAME_BYTES + length
    if (length > MAX_RECORD_BYTES || next > content.length) break
    const record = content.subarray(end + FRAME_BYTES, next)
    const expected = digestOf(digest, record)
    if (!content.subarray(end + LENGTH_BYTES, end + FRAME_BYTES).equals(expected)) break
    records.push(new Uint8Array(record))
    digest = expected
    end = next
  }
  return { records, digest, end }
}

function digestOf(previous: Uint8Array, record: Uint8Array): Buffer {
  return createHash('sha256')
    .update(previous)
    .update(lengthOf(record))
    .update(record)
    .digest()
    .subarray(0, DIGEST_BYTES)
}

function sizeOf(frames: readonly Buffer[]): number {
  return frames.reduce((size, { length }) => size + length, 0)
}

function lengthOf(record: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(record.length)
  return length
}

/**
 * The gateway's append-only journal (docs/specs/gateway-journal.md): a record counts once `append` has resolved, and then
 * survives kill -9 and power cuts. Each record carries a chained digest, so a torn or rotten tail is cut off on opening.
 */
import { createHash } from 'node:crypto'
import { SalusError } from '#core/error.ts'
import { realDisk, type AppendFile, type GatewayDisk } from '#gateway/disk.ts'

const LENGTH_BYTES = 4
const DIGEST_BYTES = 16
const FRAME_BYTES = LENGTH_BYTES + DIGEST_BYTES

/** Most bytes of one record. */
export const MAX_RECORD_BYTES: number = 1024 * 1024

/** Most bytes that wait for the disk before appending is refused. */
const MAX_WAITING_BYTES: number = 16 * 1024 * 1024

/** Records that share one flush at most: a flush begins as soon as the one before has ended, so none waits for others to come. */
const MAX_GROUP = 256

/** An open journal. */
export interface Journal {
  /** Records found on opening, oldest first. */
  readonly records: readonly Uint8Array[]
  /** Bytes behind the last whole record that were cut off on opening. */
  readonly lostBytes: number
  /** Bytes of all whole records. */
  readonly sizeBytes: number
  /**
   * Appends a record; resolves when it is on the disk. Records that wait at the same time share one flush. What is refused is refused at
   * once, before the promise: then nothing of it will ever be on the disk.
   *
   * @throws SalusError `JOURNAL_OVERSIZE`, `JOURNAL_BUSY` if the disk does not keep up, `JOURNAL_FAILED` after a failed write; the last
   * also by the promise
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
export async function openJournal(path: string, disk: GatewayDisk = realDisk): Promise<Journal> {
  const file = await disk.openAppend(path)
  const bytes = await file.read()
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const { records, digest, end } = scan(content)
  if (end < content.length) await file.truncate(end)
  return createWriter(file, digest, records, { lostBytes: content.length - end, end })
}

/** The whole records of a journal's bytes, oldest first. */
export function recordsOf(bytes: Uint8Array): readonly Uint8Array[] {
  return scan(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).records
}

function createWriter(
  file: AppendFile,
  start: Buffer,
  records: readonly Uint8Array[],
  { lostBytes, end }: { readonly lostBytes: number; readonly end: number }
): Journal {
  let digest = start
  let sizeBytes = end
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let failure: SalusError | undefined
  let flushing: Promise<void> | undefined

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, MAX_GROUP)
      waiting = waiting.slice(MAX_GROUP)
      waitingBytes -= group.reduce((sum, { frame }) => sum + frame.length, 0)
      try {
        if (failure != null) throw failure
        const frames = group.map(({ frame }) => frame)
        const written = await file.append(frames)
        // A disk that fills up takes a part of it and reports no error.
        if (written !== sizeOf(frames)) throw new Error(`only ${String(written)} bytes were written`)
        await file.sync()
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
    get sizeBytes() {
      return sizeBytes
    },
    append(record) {
      if (record.length > MAX_RECORD_BYTES) throw new SalusError('JOURNAL_OVERSIZE', 'The record is too large.')
      if (failure != null) throw failure
      if (waitingBytes > MAX_WAITING_BYTES) {
        throw new SalusError('JOURNAL_BUSY', 'The disk does not keep up with the readings; use a faster one.')
      }
      digest = digestOf(digest, record)
      const frame = Buffer.concat([lengthOf(record), digest, record])
      waitingBytes += frame.length
      sizeBytes += frame.length
      const done = new Promise<void>((resolve, reject) => waiting.push({ frame, resolve, reject }))
      flushing ??= flush()
      return done
    },
    async close() {
      await flushing
      await file.close()
    }
  }
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

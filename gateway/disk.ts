/** What a gateway does with its disk; all of it in one place, so that a disk can be played that is cut off at any moment. */
import { mkdir, open, readdir, type FileHandle } from 'node:fs/promises'
import { flushFolderOf, readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

/** A file that only grows. */
export interface AppendFile {
  /** All that is in it. */
  read(): Promise<Uint8Array>
  /** Cuts it off; on the disk when the promise resolves. */
  truncate(length: number): Promise<void>
  /** Writes at its end; returns how many bytes were written, for a disk that fills up takes a part. */
  append(parts: readonly Uint8Array[]): Promise<number>
  /** Puts what was appended on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** The disk under a gateway's data directory. */
export interface GatewayDisk {
  makeFolder(path: string): Promise<void>
  names(folder: string): Promise<string[]>
  readIfThere(path: string): Promise<Uint8Array | undefined>
  /** Replaces a file in one step; on the disk when the promise resolves. */
  writeDurably(path: string, bytes: Uint8Array): Promise<void>
  removeDurably(path: string): Promise<void>
  /** Opens a file for appending, made if it is not there. */
  openAppend(path: string): Promise<AppendFile>
}

/** The machine's own disk. */
export const realDisk: GatewayDisk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  names: async folder => readdir(folder),
  readIfThere,
  writeDurably,
  removeDurably,
  async openAppend(path) {
    const file = await open(path, 'a+', 0o600)
    await flushFolderOf(path)
    return {
      read: async () => readAll(file),
      async truncate(length) {
        await file.truncate(length)
        await file.sync()
      },
      append: async parts => (await file.writev(parts)).bytesWritten,
      sync: async () => file.datasync(),
      close: async () => file.close()
    }
  }
}

async function readAll(file: FileHandle): Promise<Uint8Array> {
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

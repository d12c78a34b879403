/** Files that are there whole or not at all, also after a power cut. */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file in one step; on the disk when the promise resolves. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await flushFolderOf(path)
}

/** Removes a file if it is there; on the disk when the promise resolves. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true })
  await flushFolderOf(path)
}

/** The bytes of a file, or `undefined` if there is none. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    const { buffer, byteOffset, length } = await readFile(path)
    // The same memory: blocks of a MiB are read through this.
    return new Uint8Array(buffer, byteOffset, length)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Puts the names in a file's folder on the disk. Windows cannot open folders, and its file system journals names. */
export async function flushFolderOf(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

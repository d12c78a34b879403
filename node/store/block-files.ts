import { createHash } from 'node:crypto'
import { access, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { base32upper } from 'multiformats/bases/base32'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { failedWrite, type Disk } from '#node/store/disk.ts'
import { flushFolderOf, readIfThere } from '#node/store/durable-file.ts'

/** Blocks as files, named by the base32 of their multihash, in folders by the name's last two characters. */
export interface BlockFiles {
  /** Makes the folder, deletes what a crash left half-written, and gives back its name to what an older version set aside. */
  start(): Promise<void>
  /**
   * Writes a block; when the promise resolves it survives the loss of power.
   *
   * @throws SalusError `STORE_FULL`, `STORE_WRITE_FAILED`
   */
  put(name: string, bytes: Uint8Array): Promise<void>
  /**
   * The bytes of a block, or undefined where there is none.
   *
   * @throws SalusError `BLOCK_DAMAGED` where the file is not what its name says; `BLOCK_UNREADABLE` where the disk refuses
   */
  get(name: string): Promise<Uint8Array | undefined>
  has(name: string): Promise<boolean>
  delete(name: string): Promise<void>
  names(): AsyncGenerator<string>
}

const EXTENSION = '.data'
const TEMPORARY = '.tmp'
const SET_ASIDE = '.damaged'

/** The large blocks of a node in a folder. */
export function createBlockFiles(
  directory: string,
  { disk }: { readonly disk?: Pick<Disk, 'refuseIfFull'> | undefined } = {}
): BlockFiles {
  /** Folders that are known to be there. */
  const made = new Set<string>()
  let counter = 0

  const fileOf = (name: string): string => join(directory, name.slice(-2), `${name}${EXTENSION}`)

  async function folders(): Promise<string[]> {
    if (!(await isThere(directory))) return []
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(entry => join(directory, entry.name))
  }

  /** So that a scrub finds it, where no other copy was written since. */
  async function takeBack(aside: string): Promise<void> {
    const file = aside.slice(0, -SET_ASIDE.length)
    if (await isThere(file)) await rm(aside, { force: true })
    else await rename(aside, file)
  }

  return {
    async start() {
      await mkdir(directory, { recursive: true })
      for (const folder of await folders()) {
        for (const file of await readdir(folder)) {
          if (file.endsWith(TEMPORARY)) await rm(join(folder, file), { force: true })
          if (file.endsWith(SET_ASIDE)) await takeBack(join(folder, file))
        }
      }
    },
    async put(name, bytes) {
      disk?.refuseIfFull()
      const file = fileOf(name)
      const folder = dirname(file)
      const temporary = `${file}.${String(process.pid)}.${String(++counter)}${TEMPORARY}`
      try {
        if (!made.has(folder)) {
          await mkdir(folder, { recursive: true })
          await flushFolderOf(folder)
          made.add(folder)
        }
        const handle = await open(temporary, 'wx')
        try {
          await handle.writeFile(bytes)
          await handle.datasync()
        } finally {
          await handle.close()
        }
        await rename(temporary, file)
        await flushFolderOf(file)
      } catch (cause) {
        await rm(temporary, { force: true })
        throw failedWrite(cause)
      }
    },
    async get(name) {
      const file = fileOf(name)
      let bytes: Uint8Array | undefined
      try {
        bytes = await readIfThere(file)
      } catch (cause) {
        throw new SalusError('BLOCK_UNREADABLE', 'The disk refused to read a block; check its health and open files.', {
          cause
        })
      }
      if (bytes == null) return undefined
      if (judgeBlock(name, bytes) !== 'whole') {
        throw new SalusError(
          'BLOCK_DAMAGED',
          'A stored block was damaged on the disk; it is fetched again from a peer.'
        )
      }
      return bytes
    },
    async has(name) {
      try {
        return await isThere(fileOf(name))
      } catch (cause) {
        throw new SalusError('BLOCK_UNREADABLE', 'The disk refused to look for a block; check its health.', { cause })
      }
    },
    async delete(name) {
      await rm(fileOf(name), { force: true })
    },
    async *names() {
      for (const folder of await folders()) {
        for (const file of await readdir(folder)) {
          if (file.endsWith(EXTENSION)) yield file.slice(0, -EXTENSION.length)
        }
      }
    }
  }
}

/** Whether bytes are the block of a name; `unknown` of names by other hashes than SHA-256, which nothing here can check. */
export function judgeBlock(name: string, bytes: Uint8Array): 'whole' | 'damaged' | 'unknown' {
  const { code, digest } = Digest.decode(base32upper.decoder.decode(name))
  if (code !== sha256.code) return 'unknown'
  return equalBytes(createHash('sha256').update(bytes).digest(), digest) ? 'whole' : 'damaged'
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

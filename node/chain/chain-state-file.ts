/**
 * The file in which anvil keeps the embedded chain. Anvil rewrites it in place, so a crash can cut it short: a second copy
 * of the newest whole one is kept beside it.
 */
import { copyFile, open, readFile, rename, stat } from 'node:fs/promises'
import { SalusError } from '#core/error.ts'

/** The state file and its safe copy. */
export interface ChainStateFile {
  /** Which anvil reads and writes. */
  readonly path: string
  /** Makes `path` a whole file or none; says which it was, and its size in bytes. */
  restore(): Promise<{ from: 'none' | 'state' | 'copy'; sizeBytes: number }>
  /** Copies the state if it is whole and newer than the copy. */
  protect(): Promise<void>
}

/** Over the file at `path`; the copy lies beside it as `<path>.copy`. */
export function createChainStateFile(path: string): ChainStateFile {
  const copy = `${path}.copy`
  let protectedAtMs = 0
  return {
    path,
    async restore() {
      if (await isWhole(path)) return { from: 'state', sizeBytes: (await stat(path)).size }
      if (await isWhole(copy)) {
        await copyFile(copy, path)
        return { from: 'copy', sizeBytes: (await stat(path)).size }
      }
      if ((await exists(path)) || (await exists(copy))) {
        throw new SalusError(
          'CHAIN_STATE_DAMAGED',
          `The saved chain ${path} is damaged and so is its copy. Move both away to begin a new chain.`
        )
      }
      return { from: 'none', sizeBytes: 0 }
    },
    async protect() {
      if (!(await exists(path))) return
      const { mtimeMs } = await stat(path)
      if (mtimeMs === protectedAtMs || !(await looksWhole(path))) return
      const temporary = `${copy}.tmp`
      await copyFile(path, temporary)
      // Whatever anvil wrote meanwhile: only a copy that looks whole replaces the last one.
      if (!(await looksWhole(temporary))) return
      await rename(temporary, copy)
      protectedAtMs = mtimeMs
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}

/** Reads the whole file: only at start. */
async function isWhole(path: string): Promise<boolean> {
  try {
    JSON.parse(await readFile(path, 'utf8'))
    return true
  } catch {
    return false
  }
}

/** First and last byte only: enough against a file cut short while the chain runs. */
async function looksWhole(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size < 2) return false
    const ends = new Uint8Array(2)
    await file.read(ends, 0, 1, 0)
    await file.read(ends, 1, 1, size - 1)
    return ends[0] === 0x7b && ends[1] === 0x7d
  } finally {
    await file.close()
  }
}

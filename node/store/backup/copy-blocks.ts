/** Copies the files of blocks into the folder of the backups (docs/specs/node-backup.md). */
import { link, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSalusError } from '#core/error.ts'
import { createBlockFiles, type BlockFiles } from '#node/store/block-files.ts'
import { flushFolderOf } from '#node/store/durable-file.ts'

/** What became of a block. `gone`: dropped since it was listed. */
export type CopyState = 'copied' | 'kept' | 'damaged' | 'gone'

/** What it is told. */
export interface CopyInit {
  /** Folder of the node, and that of its backups. */
  readonly dataDir: string
  readonly to: string
  /** Links files where both folders are on one file system. */
  readonly linkBlocks: boolean
}

/** Copies blocks. */
export interface BlockCopier {
  /** Deletes what was left half-written. */
  start(): Promise<void>
  names(): AsyncGenerator<string>
  /** Has a whole copy of the block in the backup, and checks one that is there. */
  copy(name: string): Promise<{ readonly state: CopyState; readonly sizeBytes: number }>
}

/** Makes it. */
export function createBlockCopier({ dataDir, to, linkBlocks }: CopyInit): BlockCopier {
  const blocks = createBlockFiles(join(dataDir, 'blocks'))
  const copies = createBlockFiles(join(to, 'blocks'))

  return {
    start: async () => copies.start(),
    names: () => blocks.names(),
    async copy(name) {
      // Read whole: a copy that has gone bad is found while there is a good one. What is well need not be read twice.
      const copy = await wholeOf(copies, name)
      if (copy instanceof Uint8Array) return { state: 'kept', sizeBytes: copy.length }
      const bytes = await wholeOf(blocks, name)
      if (!(bytes instanceof Uint8Array)) return { state: bytes, sizeBytes: 0 }
      const isLinked = linkBlocks && copy === 'gone' && (await linked(dataDir, to, name))
      if (!isLinked) await copies.put(name, bytes)
      return { state: 'copied', sizeBytes: bytes.length }
    }
  }
}

async function wholeOf(files: BlockFiles, name: string): Promise<Uint8Array | 'damaged' | 'gone'> {
  try {
    return (await files.get(name)) ?? 'gone'
  } catch (error) {
    if (isSalusError(error, 'BLOCK_DAMAGED')) return 'damaged'
    throw error
  }
}

/** Links a block's file, which is never written to again; false where the file systems are not one. */
async function linked(dataDir: string, to: string, name: string): Promise<boolean> {
  const part = join(name.slice(-2), `${name}.data`)
  const [from, target] = [join(dataDir, 'blocks', part), join(to, 'blocks', part)]
  try {
    await mkdir(dirname(target), { recursive: true })
    await flushFolderOf(dirname(target))
    await link(from, target)
    await flushFolderOf(target)
    return (await stat(target)).isFile()
  } catch {
    // Another file system, or one without links: copied instead.
    return false
  }
}

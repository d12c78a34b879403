/** Backing up a node's folder while the node writes to it (docs/specs/node-backup.md). */
import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import type { Clock } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { backupError } from '#node/store/backup/backup-error.ts'
import { chunksOf, writeChunk, type Row } from '#node/store/backup/chunks.ts'
import { createBlockCopier } from '#node/store/backup/copy-blocks.ts'
import { noteBackup } from '#node/store/backup/last-backup.ts'
import { writeManifest, type CopiedFile } from '#node/store/backup/manifest.ts'
import { isOfThisNodeAlone } from '#node/store/backup/rows.ts'
import type { Database } from '#node/store/database.ts'
import { readIfThere } from '#node/store/durable-file.ts'
import { SCHEMA } from '#node/store/schema.ts'

/** What is backed up. */
export interface BackupComponents {
  /** The node's database, open. */
  readonly db: Database
  /** The node's folder. */
  readonly dataDir: string
  readonly clock: Clock
  /** Hears the name of each block that has gone bad. */
  readonly onDamaged?: (name: string) => Promise<void>
}

/** How it is backed up. */
export interface BackupInit {
  /** Folder of the backups; made if it is not there. Whoever can read it has the node's identity. */
  readonly to: string
  /** Links the files of blocks instead of copying them, where both folders are on one file system: fast, but one disk. Off unless told. */
  readonly linkBlocks?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackupProgress) => void
}

/** How far a backup is. */
export interface BackupProgress {
  readonly phase: 'rows' | 'blocks'
  /** Rows or blocks that are done. */
  readonly count: number
  readonly bytes: number
}

/** What a backup holds. */
export interface BackupReport {
  /** Name of the backup in the folder. */
  readonly snapshot: string
  readonly rows: number
  readonly chunks: number
  readonly newChunks: number
  readonly blocks: number
  readonly newBlocks: number
  /** Blocks that have gone bad on the disk, and are not in the backup: a node that runs asks its peers for them. */
  readonly damagedBlocks: number
  /** Bytes that the backup holds, and of these the bytes that no earlier one did. */
  readonly bytes: number
  readonly newBytes: number
  readonly tookMs: number
}

/** Files of a node's folder besides database and blocks. */
const FILES = ['identity.key'] as const
const NAMES_PER_CHUNK = 4_096

/**
 * Makes a backup of a node that goes on working: the rows are those of one moment, and every block that was acknowledged before it is
 * there. A second backup into the folder writes only what is new. One that is broken off leaves nothing that counts.
 *
 * @throws SalusError `SNAPSHOT_FOLDER` if the target lies in the node's folder or cannot be made or written; `SNAPSHOT_FULL` if its disk
 * is full; the signal's reason
 */
export async function backUp(components: BackupComponents, init: BackupInit): Promise<BackupReport> {
  try {
    const report = await makeBackup(components, init)
    await noteBackup(components.db, components.clock())
    return report
  } catch (error) {
    init.signal?.throwIfAborted()
    throw backupError(error, init.to)
  }
}

async function makeBackup(components: BackupComponents, init: BackupInit): Promise<BackupReport> {
  const { db, dataDir, clock, onDamaged } = components
  const { to, linkBlocks = false, signal, onProgress } = init
  const begunMs = clock()
  await prepare(dataDir, to)
  const copier = createBlockCopier({ dataDir, to, linkBlocks })
  await copier.start()
  const sum = { rows: 0, chunks: 0, newChunks: 0, blocks: 0, newBlocks: 0, damagedBlocks: 0, bytes: 0, newBytes: 0 }

  async function writeRows(rows: AsyncIterable<Row>, onChunk: (rows: number) => void): Promise<Uint8Array[]> {
    const digests: Uint8Array[] = []
    for await (const { bytes, rows: count } of chunksOf(rows)) {
      signal?.throwIfAborted()
      const { digest, isNew } = await writeChunk(to, bytes)
      digests.push(digest)
      sum.chunks++
      sum.bytes += bytes.length
      if (isNew) {
        sum.newChunks++
        sum.newBytes += bytes.length
      }
      onChunk(count)
    }
    return digests
  }

  /** Whether the block is in the backup; one that was dropped is wanted again after a restore, or was no longer needed. */
  async function copyBlock(name: string): Promise<boolean> {
    const { state, sizeBytes } = await copier.copy(name)
    if (state === 'damaged') {
      sum.damagedBlocks++
      await onDamaged?.(name)
    }
    if (state === 'damaged' || state === 'gone') return false
    sum.blocks++
    sum.bytes += sizeBytes
    if (state === 'copied') {
      sum.newBlocks++
      sum.newBytes += sizeBytes
    }
    return true
  }

  async function* copiedNames(): AsyncGenerator<Row> {
    for await (const name of copier.names()) {
      signal?.throwIfAborted()
      if (await copyBlock(name)) yield [name, new Uint8Array()]
      onProgress?.({ phase: 'blocks', count: sum.blocks, bytes: sum.bytes })
    }
  }

  async function* rows(): AsyncGenerator<Row> {
    // An iterator sees the database as it is when it is made, whatever is written meanwhile.
    for await (const row of db.iterator({ keyEncoding: 'utf8', valueEncoding: 'view' })) {
      if (!isOfThisNodeAlone(row[0])) yield row
    }
  }

  const files = await readFiles(dataDir)
  const rowChunks = await writeRows(rows(), count => {
    sum.rows += count
    onProgress?.({ phase: 'rows', count: sum.rows, bytes: sum.bytes })
  })
  // After the rows: a block is on the disk before a row names it.
  const nameChunks = await writeRows(inOrder(copiedNames()), () => undefined)
  const createdAtMs = clock()
  const manifest = { createdAtMs, schema: SCHEMA, rows: sum.rows, blocks: sum.blocks, rowChunks, nameChunks, files }
  signal?.throwIfAborted()
  return { snapshot: await writeManifest(to, manifest), ...sum, tookMs: clock() - begunMs }
}

/** Names by the thousand, sorted, so that the same names make the same chunks. */
async function* inOrder(names: AsyncIterable<Row>): AsyncGenerator<Row> {
  let group: Row[] = []
  for await (const row of names) {
    group.push(row)
    if (group.length < NAMES_PER_CHUNK) continue
    yield* group.sort(byKey)
    group = []
  }
  yield* group.sort(byKey)
}

function byKey([a]: Row, [b]: Row): number {
  return a < b ? -1 : 1
}

async function prepare(dataDir: string, to: string): Promise<void> {
  refuseInside(dataDir, to)
  await mkdir(to, { recursive: true, mode: 0o700 })
  // Where it really is: a link may lead into the node's folder.
  refuseInside(await realpath(dataDir), await realpath(to))
  // Of a backup that was broken off.
  for (const name of await readdir(to)) if (/^snapshot-.+\.tmp$/.test(name)) await rm(join(to, name), { force: true })
}

function refuseInside(dataDir: string, to: string): void {
  const path = relative(resolve(dataDir), resolve(to))
  if (path === '' || !(path === '..' || path.startsWith(`..${sep}`) || resolve(path) === path)) {
    throw new SalusError(
      'SNAPSHOT_FOLDER',
      'A backup inside the node’s own folder is lost with it; choose another folder.'
    )
  }
}

async function readFiles(dataDir: string): Promise<CopiedFile[]> {
  const files: CopiedFile[] = []
  for (const name of FILES) {
    const bytes = await readIfThere(join(dataDir, name))
    if (bytes != null) files.push({ name, bytes })
  }
  return files
}

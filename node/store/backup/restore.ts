/** Making a node's folder from a backup, and checking one without (docs/specs/node-backup.md). */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SalusError, isSalusError } from '#core/error.ts'
import { readChunk, rowsOf, type Row } from '#node/store/backup/chunks.ts'
import { readManifest, type Manifest } from '#node/store/backup/manifest.ts'
import { isOfThisNodeAlone } from '#node/store/backup/rows.ts'
import { createBlockFiles, type BlockFiles } from '#node/store/block-files.ts'
import { createDamagedBlocks } from '#node/store/damaged-blocks.ts'
import { openDatabase, openTable } from '#node/store/database.ts'
import { removeDurably, writeDurably } from '#node/store/durable-file.ts'
import { SCHEMA, UNFINISHED } from '#node/store/schema.ts'
import { createSyncWriter } from '#node/store/sync-writer.ts'

/** Which backup. */
export interface BackupSource {
  /** Folder of the backups. */
  readonly from: string
  /** Name of one; the newest unless told. */
  readonly snapshot?: string
}

/** How the caller hears of it, and breaks it off. */
export interface RestoreOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RestoreProgress) => void
}

/** How far it is. */
export interface RestoreProgress {
  readonly phase: 'rows' | 'blocks'
  readonly count: number
  readonly of: number
  readonly bytes: number
}

/** What was read. */
export interface RestoreReport {
  readonly snapshot: string
  readonly createdAtMs: number
  readonly rows: number
  readonly blocks: number
  /** Blocks that the backup has not whole: the node asks its peers for them. */
  readonly missingBlocks: number
  readonly bytes: number
  readonly tookMs: number
}

/** Bytes of rows that are written together. */
const BATCH_BYTES = 1 << 20

/**
 * Reads a whole backup and checks every byte of it.
 *
 * @throws SalusError `SNAPSHOT_FOLDER`, `SNAPSHOT_DAMAGED`, `SNAPSHOT_INCOMPLETE`, the `SNAPSHOT_*` codes; the signal's reason
 */
export async function verifyBackup(source: BackupSource, options: RestoreOptions = {}): Promise<RestoreReport> {
  const nothing = async (): Promise<void> => Promise.resolve()
  const report = await readBackup(source, options, { row: nothing, block: nothing, missing: nothing })
  if (report.missingBlocks > 0) throw incomplete()
  return report
}

/**
 * Makes a node's folder from a backup. The node goes on under its identity, with a log that peers read anew: they may have read more
 * of the old one than the backup holds. Blocks that have gone bad in the backup cost no more than themselves: they are noted as missing.
 *
 * @param source - `to`: the folder to make; it must not be there, be empty, or be of a restore that was broken off
 * @throws SalusError as {@link verifyBackup}, but for missing blocks; `RESTORE_FOLDER` if something else is in the folder; `STORE_SCHEMA_NEWER`
 */
export async function restore(
  { to, ...source }: BackupSource & { readonly to: string },
  options: RestoreOptions = {}
): Promise<RestoreReport> {
  const { manifest } = await readManifest(source.from, source.snapshot)
  if (manifest.schema > SCHEMA) {
    throw new SalusError('STORE_SCHEMA_NEWER', 'The backup was made by a newer version of this program; use that one.')
  }
  await clear(to)
  const db = await openDatabase(join(to, 'db'))
  const blocks = createBlockFiles(join(to, 'blocks'))
  const writer = createSyncWriter(db)
  const damaged = createDamagedBlocks(db, writer)
  let batch: Row[] = []
  let batchBytes = 0
  const flush = async (sync: boolean): Promise<void> => {
    await db.batch(
      batch.map(([key, value]) => ({ type: 'put', key, value })),
      { sync }
    )
    batch = []
    batchBytes = 0
  }
  try {
    await blocks.start()
    const report = await readBackup(source, options, {
      row: async row => {
        if (isOfThisNodeAlone(row[0])) return
        batch.push(row)
        batchBytes += row[0].length + row[1].length
        if (batchBytes >= BATCH_BYTES) await flush(false)
      },
      block: async (name, bytes) => blocks.put(name, bytes),
      missing: async name => damaged.note(name)
    })
    await writer.stop()
    for (const { name, bytes } of manifest.files) await writeDurably(join(to, name), bytes)
    await flush(false)
    // The first write of the node gives the log another identity.
    await openTable(db, 'log-about').del('id')
    await flush(true)
    await db.close()
    // Last: a folder without this file is whole.
    await removeDurably(join(to, UNFINISHED))
    return report
  } finally {
    await db.close()
  }
}

/** What becomes of what is read. */
interface Sink {
  readonly row: (row: Row) => Promise<void>
  readonly block: (name: string, bytes: Uint8Array) => Promise<void>
  readonly missing: (name: string) => Promise<void>
}

async function readBackup(
  { from, snapshot }: BackupSource,
  { signal, onProgress }: RestoreOptions,
  sink: Sink
): Promise<RestoreReport> {
  const begunMs = performance.now()
  const { name, manifest } = await readManifest(from, snapshot)
  const files = createBlockFiles(join(from, 'blocks'))
  let bytes = 0
  let rows = 0
  let blocks = 0
  let missingBlocks = 0
  for (const digest of manifest.rowChunks) {
    signal?.throwIfAborted()
    const chunk = await readChunk(from, digest)
    bytes += chunk.length
    for (const row of rowsOf(chunk)) {
      await sink.row(row)
      rows++
    }
    onProgress?.({ phase: 'rows', count: rows, of: manifest.rows, bytes })
  }
  for (const digest of manifest.nameChunks) {
    for (const [block] of rowsOf(await readChunk(from, digest))) {
      signal?.throwIfAborted()
      const content = await wholeOf(files, block)
      if (content == null) {
        missingBlocks++
        await sink.missing(block)
        continue
      }
      await sink.block(block, content)
      bytes += content.length
      blocks++
      onProgress?.({ phase: 'blocks', count: blocks, of: manifest.blocks, bytes })
    }
  }
  checkCounts(manifest, rows, blocks + missingBlocks)
  const { createdAtMs } = manifest
  const tookMs = Math.round(performance.now() - begunMs)
  return { snapshot: name, createdAtMs, rows, blocks, missingBlocks, bytes, tookMs }
}

/** None where the backup has lost the block, or the disk has changed it. */
async function wholeOf(files: BlockFiles, name: string): Promise<Uint8Array | undefined> {
  try {
    return await files.get(name)
  } catch (error) {
    if (isSalusError(error, 'BLOCK_DAMAGED')) return undefined
    throw error
  }
}

function checkCounts(manifest: Manifest, rows: number, blocks: number): void {
  if (rows !== manifest.rows || blocks !== manifest.blocks) throw incomplete()
}

/** Makes the folder ready, and says in it that a restore is under way. */
async function clear(to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  const names = await readdir(to)
  if (names.length > 0 && !names.includes(UNFINISHED)) {
    throw new SalusError('RESTORE_FOLDER', `${to} is not empty; restore into a new folder, then point the node at it.`)
  }
  await writeDurably(join(to, UNFINISHED), new Uint8Array())
  for (const name of names) if (name !== UNFINISHED) await rm(join(to, name), { recursive: true, force: true })
}

function incomplete(): SalusError {
  return new SalusError('SNAPSHOT_INCOMPLETE', 'A part of this backup is missing or damaged; restore another one.')
}

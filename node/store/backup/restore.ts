/** Making a node's folder from a backup, and checking one without (docs/specs/node-backup.md). */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SalusError } from '#core/error.ts'
import { readChunk, rowsOf, type Row } from '#node/store/backup/chunks.ts'
import { readManifest, type Manifest } from '#node/store/backup/manifest.ts'
import { createBlockFiles } from '#node/store/block-files.ts'
import { openDatabase, openTable } from '#node/store/database.ts'
import { removeDurably, writeDurably } from '#node/store/durable-file.ts'
import { SCHEMA, UNFINISHED } from '#node/store/schema.ts'

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
  readonly bytes: number
  readonly tookMs: number
}

/** Bytes of rows that are written together. */
const BATCH_BYTES = 1 << 20

/**
 * Reads a whole backup and checks every byte of it.
 *
 * @throws SalusError `SNAPSHOT_FOLDER`, `SNAPSHOT_DAMAGED`, `SNAPSHOT_INCOMPLETE`, the `SNAPSHOT_*` codes, `BLOCK_DAMAGED`; the signal's reason
 */
export async function verifyBackup(source: BackupSource, options: RestoreOptions = {}): Promise<RestoreReport> {
  return await readBackup(source, options, { row: async () => Promise.resolve(), block: async () => Promise.resolve() })
}

/**
 * Makes a node's folder from a backup. The node goes on under its identity, with a log that peers read anew: they may have read more
 * of the old one than the backup holds.
 *
 * @param source - `to`: the folder to make; it must not be there, be empty, or be of a restore that was broken off
 * @throws SalusError as {@link verifyBackup}; `RESTORE_FOLDER` if something else is in the folder; `STORE_SCHEMA_NEWER`
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
        batch.push(row)
        batchBytes += row[0].length + row[1].length
        if (batchBytes >= BATCH_BYTES) await flush(false)
      },
      block: async (name, bytes) => blocks.put(name, bytes)
    })
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
      const content = await files.get(block)
      if (content == null) throw incomplete()
      await sink.block(block, content)
      bytes += content.length
      blocks++
      onProgress?.({ phase: 'blocks', count: blocks, of: manifest.blocks, bytes })
    }
  }
  checkCounts(manifest, rows, blocks)
  const { createdAtMs } = manifest
  return { snapshot: name, createdAtMs, rows, blocks, bytes, tookMs: Math.round(performance.now() - begunMs) }
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
  return new SalusError('SNAPSHOT_INCOMPLETE', 'A part of this backup is missing; restore another one.')
}

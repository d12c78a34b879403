/** What one backup consists of (docs/specs/node-backup.md). */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const AREA = 'SNAPSHOT'
/** Room for 24 million chunks of a MiB. */
const MAX_MANIFEST_BYTES = 2 ** 30
const MAX_CHUNKS = 2 ** 25
const NAME = /^snapshot-(\d{15})-([0-9a-f]{64})\.cbor$/

/** A file of the node's folder that is copied as it is. */
export interface CopiedFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** One backup. */
export interface Manifest {
  readonly createdAtMs: number
  /** Version of the store's layout. */
  readonly schema: number
  readonly rows: number
  readonly blocks: number
  /** SHA-256 of each chunk of rows, in the order of their keys. */
  readonly rowChunks: readonly Uint8Array[]
  /** SHA-256 of each chunk of names of block files. */
  readonly nameChunks: readonly Uint8Array[]
  readonly files: readonly CopiedFile[]
}

/** Writes a manifest, which makes a backup out of chunks; on the disk when it resolves. Returns its name. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<string> {
  const files = manifest.files.map(({ name, bytes }) => [name, bytes])
  const bytes = encodeCanonical({ v: 1, ...manifest, files })
  const time = String(manifest.createdAtMs).padStart(15, '0')
  const name = `snapshot-${time}-${createHash('sha256').update(bytes).digest('hex')}.cbor`
  await writeDurably(join(folder, name), bytes)
  return name
}

/**
 * Names of the backups in a folder, oldest first.
 *
 * @throws SalusError `SNAPSHOT_FOLDER` if the folder cannot be read
 */
export async function listSnapshots(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names.filter(name => NAME.test(name)).sort()
  } catch (cause) {
    throw new SalusError('SNAPSHOT_FOLDER', `${folder} cannot be read as a folder of backups.`, { cause })
  }
}

/**
 * Reads a backup's manifest, the newest one unless a name is given.
 *
 * @throws SalusError `SNAPSHOT_FOLDER`; `SNAPSHOT_UNKNOWN` if there is none, or none of this name; `SNAPSHOT_DAMAGED` if it is not what
 * its name says; the `SNAPSHOT_*` codes of the canonical decoder, `SNAPSHOT_VERSION`, `SNAPSHOT_SHAPE`
 */
export async function readManifest(folder: string, name?: string): Promise<{ name: string; manifest: Manifest }> {
  const chosen = name ?? (await listSnapshots(folder)).at(-1)
  const digest = NAME.exec(chosen ?? '')?.[2]
  const bytes = chosen == null || digest == null ? undefined : await readIfThere(join(folder, chosen))
  if (chosen == null || bytes == null) {
    throw new SalusError('SNAPSHOT_UNKNOWN', 'There is no such backup in the folder; list those that are there.')
  }
  if (createHash('sha256').update(bytes).digest('hex') !== digest) {
    throw new SalusError('SNAPSHOT_DAMAGED', 'The list of what this backup consists of is damaged; take an older one.')
  }
  return { name: chosen, manifest: decodeManifest(bytes) }
}

function decodeManifest(bytes: Uint8Array): Manifest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_MANIFEST_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'createdAtMs', 'schema', 'rows', 'blocks', 'rowChunks', 'nameChunks', 'files']
  const map = readMap(value, AREA, fields)
  const digests = (field: string): Uint8Array[] =>
    readList(map[field], AREA, field, MAX_CHUNKS, item => readBytes(item, AREA, field, 32))
  return {
    createdAtMs: readUint(map['createdAtMs'], AREA, 'createdAtMs'),
    schema: readUint(map['schema'], AREA, 'schema'),
    rows: readUint(map['rows'], AREA, 'rows'),
    blocks: readUint(map['blocks'], AREA, 'blocks'),
    rowChunks: digests('rowChunks'),
    nameChunks: digests('nameChunks'),
    files: readList(map['files'], AREA, 'files', 16, readFile)
  }
}

function readFile(item: unknown): CopiedFile {
  const [name, bytes] = Array.isArray(item) && item.length === 2 ? (item as readonly unknown[]) : []
  const text = readText(name, AREA, 'files', 64)
  // The name becomes a path in the folder that is restored.
  if (!/^[a-z][a-z0-9.-]*$/.test(text) || isDots(text)) {
    throw new SalusError('SNAPSHOT_SHAPE', 'Refused: the backup names a file outside its folder.')
  }
  return { name: text, bytes: readBytes(bytes, AREA, 'files', { min: 0, max: 2 ** 20 }) }
}

function isDots(name: string): boolean {
  return name.includes('..')
}

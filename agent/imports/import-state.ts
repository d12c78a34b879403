/** Where an import stands, as it lies on the disk: sealed under a key of the device, beside its source. */
import { utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SALT_BYTES, openChunked, sealChunked } from '#core/record/chunked.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const AREA = 'AGENT_IMPORT'
const SALT = utf8('salus/agent-import/1')

/** An import that was accepted and has not ended. */
export interface ImportState {
  /** What the ids of its entries are drawn from, 32 bytes: the digest of the source, or random if it is written once more. */
  readonly what: Uint8Array
  /** Base address of the hospital’s server that it is from, whose resources are revised; empty if from none. */
  readonly server: string
  /** Today when it was accepted, in days since 1970: a repeated reading places everything as the first. */
  readonly today: number
  /** When it was accepted, milliseconds since 1970. */
  readonly atMs: number
  /** How many of its entries a node has, or the outbox. */
  readonly done: number
}

/** A file that holds one. */
export interface StateFile {
  readonly path: string
  /** Binds the file to its name. */
  readonly id: string
  readonly seed: Uint8Array
}

/** Writes it; on the disk when it resolves. */
export async function writeImportState(
  { p, random }: { readonly p: Primitives; readonly random: Random },
  { path, id, seed }: StateFile,
  state: ImportState
): Promise<void> {
  const plaintext = encodeCanonical({ v: 1, ...state })
  const place = { key: keyOf(p, seed), salt: random(SALT_BYTES), context: utf8(id) }
  await writeDurably(path, sealChunked(p, { ...place, plaintext }))
}

/**
 * Reads it.
 *
 * @throws SalusError `AGENT_IMPORT_*`, `SEALED_*` if the file was altered
 */
export async function readImportState(p: Primitives, { path, id, seed }: StateFile): Promise<ImportState | undefined> {
  const sealed = await readIfThere(path)
  if (sealed == null) return undefined
  const bytes = openChunked(p, { key: keyOf(p, seed), context: utf8(id), sealed })
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: 4096 })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'what', 'server', 'today', 'atMs', 'done'])
  return {
    what: readBytes(map['what'], AREA, 'what', 32),
    server: readText(map['server'], AREA, 'server', 1024),
    today: readUint(map['today'], AREA, 'today', 0xffff),
    atMs: readUint(map['atMs'], AREA, 'atMs'),
    done: readUint(map['done'], AREA, 'done')
  }
}

function keyOf(p: Primitives, seed: Uint8Array): Uint8Array {
  return p.hkdfSha256(seed, SALT, utf8('key'), 32)
}

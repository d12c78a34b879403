/**
 * Rows of what the agent has verified and opened, sealed on the disk under a key of the device (docs/specs/agent-index.md).
 * It is a cache: whatever does not open or does not fit together is dropped, and read from a node again.
 */
import { join } from 'node:path'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { concat, toHex, utf8 } from '#core/encoding/bytes.ts'
import { readBytes, readText, readUint } from '#core/encoding/shape.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SALT_BYTES, openChunked, sealChunked } from '#core/record/chunked.ts'
import { compactKeys } from '#node/store/compact.ts'
import { openDatabase, type Database } from '#node/store/database.ts'

const AREA = 'AGENT_INDEX'
const SALT = utf8('salus/agent-index/1')
const MAX_SEGMENT_BYTES = 256 << 20
const MAX_KEY_LENGTH = 200
/** Segments are written anew once so many lie there and most of what they say is out of date. */
const MANY_SEGMENTS = 64
const ROWS_A_SEGMENT = 2_000
const NUMBER_DIGITS = 12

/** Rows to write by key; null deletes. */
export type RowChanges = ReadonlyMap<string, Uint8Array | null>

/** The rows of one record. */
export interface Journal {
  /** All rows as they were last written; none where there are none, or where they are damaged. */
  load(): Promise<Map<string, Uint8Array>>
  /**
   * Writes all of these or none; one call at a time. What is to be forgotten is then in no file of the database either, at the
   * latest after the next load.
   */
  write(changes: RowChanges, how?: { readonly forgets: boolean }): Promise<void>
}

/** The journals of an agent. */
export interface Journals {
  /**
   * The journal of one record.
   *
   * @param seed - of the device
   * @param scope - what it is of; not told on the disk
   */
  of(seed: Uint8Array, scope: string): Journal
  close(): Promise<void>
}

/** Opens the journals in a folder; it is first touched when one is read. */
export function createJournals(
  components: { readonly p: Primitives; readonly random: Random },
  { home }: { readonly home: string }
): Journals {
  let opening: Promise<Database> | undefined
  const open = async (): Promise<Database> => (opening ??= openDatabase(join(home, 'index')))
  return {
    of: (seed, scope) => createJournal(components, open, seed, scope),
    async close() {
      await (await opening)?.close()
      opening = undefined
    }
  }
}

function createJournal(
  { p, random }: { readonly p: Primitives; readonly random: Random },
  open: () => Promise<Database>,
  seed: Uint8Array,
  scope: string
): Journal {
  const key = p.hkdfSha256(seed, SALT, utf8('key'), 32)
  const name = toHex(p.hkdfSha256(seed, SALT, concat(utf8('name/'), utf8(scope)), 16)).slice(2)
  /** There while old segments are to be forgotten, and after a crash meanwhile. */
  const forgetting = `${name}#`
  let first = 0
  let next = 0

  const keyOf = (number: number): string => `${name}!${String(number).padStart(NUMBER_DIGITS, '0')}`
  const seal = (number: number, changes: RowChanges): Uint8Array =>
    sealChunked(p, {
      key,
      salt: random(SALT_BYTES),
      context: utf8(keyOf(number)),
      plaintext: encodeCanonical([1, first, [...changes].map(([row, bytes]) => [row, bytes])])
    })

  /** Reads the segments in their order; each names the first that counts with it, so that none can be left out. */
  async function readAll(db: Database): Promise<{ rows: Map<string, Uint8Array>; said: number }> {
    const rows = new Map<string, Uint8Array>()
    let said = 0
    let firstSaid = 0
    first = next = -1
    for await (const [at, sealed] of db.iterator({ gt: `${name}!`, lt: `${name}"` })) {
      const number = Number(at.slice(name.length + 1))
      if (first === -1) first = next = number
      if (number !== next) throw damaged()
      const segment = decodeSegment(openChunked(p, { key, context: utf8(at), sealed }))
      for (const [row, bytes] of segment.changes) {
        said++
        if (bytes == null) rows.delete(row)
        else rows.set(row, bytes)
      }
      firstSaid = segment.first
      next = number + 1
    }
    if (first === -1) first = next = 0
    else if (firstSaid !== first) throw damaged()
    return { rows, said }
  }

  async function replaceAll(db: Database, rows: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const old = await db.keys({ gt: `${name}!`, lt: `${name}"` }).all()
    first = next = 1 + Number(old.at(-1)?.slice(name.length + 1) ?? -1)
    const all = [...rows]
    const batch = db.batch()
    for (const each of old) batch.del(each)
    for (let at = 0; at < all.length; at += ROWS_A_SEGMENT) {
      batch.put(keyOf(next), seal(next, new Map(all.slice(at, at + ROWS_A_SEGMENT))))
      next++
    }
    await batch.write()
  }

  /** Writes the rows anew and has the database let go of the files with the old ones; while it cannot, it is left to the next load. */
  async function forgetOld(db: Database, rows: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await replaceAll(db, rows)
    try {
      await compactKeys(db, name)
    } catch (error) {
      if (isSalusError(error, 'STORE_COMPACT')) return
      throw error
    }
    await db.del(forgetting)
  }

  return {
    async load() {
      const db = await open()
      try {
        const { rows, said } = await readAll(db)
        if (await db.has(forgetting)) await forgetOld(db, rows)
        else if (next - first > MANY_SEGMENTS && said > 2 * rows.size) await replaceAll(db, rows)
        return rows
      } catch (error) {
        if (!isSalusError(error)) throw error
        await replaceAll(db, new Map())
        return new Map()
      }
    },
    async write(changes, { forgets } = { forgets: false }) {
      if (changes.size === 0) return
      const db = await open()
      const batch = db.batch().put(keyOf(next), seal(next, changes))
      if (forgets) batch.put(forgetting, new Uint8Array())
      await batch.write()
      next++
      if (forgets) await forgetOld(db, (await readAll(db)).rows)
    }
  }
}

function decodeSegment(bytes: Uint8Array): {
  readonly first: number
  readonly changes: readonly (readonly [string, Uint8Array | null])[]
} {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SEGMENT_BYTES })
  const [version, first, changes] = Array.isArray(value) ? (value as unknown[]) : []
  if (version !== 1 || !Array.isArray(changes)) throw damaged()
  return {
    first: readUint(first, AREA, 'first'),
    changes: changes.map((change: unknown) => {
      const [key, row] = Array.isArray(change) ? (change as unknown[]) : []
      const max = MAX_SEGMENT_BYTES
      return [
        readText(key, AREA, 'key', MAX_KEY_LENGTH),
        row === null ? null : readBytes(row, AREA, 'row', { min: 0, max })
      ] as const
    })
  }
}

function damaged(): SalusError {
  return new SalusError('AGENT_INDEX_SHAPE', 'The agent’s own index is damaged; it is made again from the record.')
}

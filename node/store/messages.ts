import { equalBytes, toHex, utf8 } from '#core/encoding/bytes.ts'
import { compactTable } from '#node/store/compact.ts'
import { openTable, type Database } from '#node/store/database.ts'
import type { Disk } from '#node/store/disk.ts'
import { isWornSum, openSums, sumOf } from '#node/store/message-sums.ts'
import { createSyncWriter, type Change } from '#node/store/sync-writer.ts'

/** One message of the log. */
export interface LogRecord {
  /** 1 for the first message, then without gaps. */
  readonly position: number
  readonly bytes: Uint8Array
}

/** A message as it is on the disk now. */
export interface StoredRecord extends LogRecord {
  /** Whether the disk has changed it: it is not to be handed out, and a scrub brings it again. */
  readonly isDamaged: boolean
}

/** The node's append-only log of accepted messages: what is acknowledged survives the loss of power. */
export interface MessageLog {
  /**
   * Appends a message once: a key that is there keeps its bytes and position. The promise resolves when it is on the disk.
   *
   * @param key - see `messageKey`
   * @param indexKeys - bytes under which {@link MessageLog.byPatient} finds it
   * @throws SalusError `STORE_BUSY`, `STORE_CLOSED`, `STORE_FULL`, `STORE_WRITE_FAILED`
   */
  append(key: string, bytes: Uint8Array, indexKeys: readonly Uint8Array[]): Promise<number>
  /** Up to `limit` messages after a position, oldest first, stopping before `maxBytes` unless the first is larger. */
  read(after: number, limit: number, maxBytes?: number): Promise<LogRecord[]>
  /** The message at a position, with a look at its checksum; undefined where it was erased. */
  at(position: number): Promise<StoredRecord | undefined>
  /** As {@link MessageLog.read}, only those appended with this index key, and none that the disk has changed. */
  byPatient(indexKey: Uint8Array, after: number, limit: number, maxBytes?: number): Promise<LogRecord[]>
  /** The newest messages with this index key before a position, newest first. */
  newestByPatient(indexKey: Uint8Array, before: number, limit: number): Promise<LogRecord[]>
  /**
   * Takes messages of a patient out of the log for good: their positions stay empty. On the disk when this resolves, but the bytes are in
   * the files until {@link MessageLog.compact}. The newest message is never taken out, so that its position is not given out again.
   *
   * @param indexKey - the bytes under which {@link MessageLog.byPatient} finds them
   * @throws SalusError `STORE_BUSY`, `STORE_CLOSED`, `STORE_WRITE_FAILED`
   */
  erase(keys: readonly string[], indexKey: Uint8Array): Promise<void>
  /**
   * Writes a message that the disk has changed once more in its place, with its checksum; false where it was erased meanwhile.
   *
   * @param bytes - of the same message
   * @throws SalusError `STORE_BUSY`, `STORE_CLOSED`, `STORE_FULL`, `STORE_WRITE_FAILED`
   */
  mend(position: number, bytes: Uint8Array): Promise<boolean>
  /**
   * Has the files written anew in which erased messages were. Takes time with the size of the log.
   *
   * @throws SalusError `STORE_COMPACT`
   */
  compact(): Promise<void>
  /** The message of a key, or undefined; of one that was erased there is none. */
  getByKey(key: string): Promise<LogRecord | undefined>
  /** Position of the newest message, 0 while empty. */
  head(): Promise<number>
  /** Random identity of this log, 16 bytes; another one means that positions start anew. */
  id(): Promise<Uint8Array>
  /** Waits for what is being written; later appends are refused. */
  stop(): Promise<void>
}

/** Digits of a position in a key: 2^53 - 1 in hexadecimal. */
const DIGITS = 14

/** The message log in a database. */
export function createMessageLog({ db, disk }: { readonly db: Database; readonly disk?: Disk }): MessageLog {
  const records = openTable(db, 'log')
  const positions = openTable(db, 'log-key')
  const index = openTable(db, 'log-index')
  const about = openTable(db, 'log-about')
  const sums = openSums(db)
  const writer = createSyncWriter(db, disk == null ? {} : { disk })
  /** The group that is being put together: its newest position, and the positions it gives out, by key. */
  let group: { changes: Change[]; last: number; given: Map<string, number> } | undefined
  let identity: Promise<Uint8Array> | undefined

  async function head(): Promise<number> {
    const [newest] = await records.keys({ reverse: true, limit: 1 }).all()
    return newest == null ? 0 : toPosition(newest)
  }

  async function positionOf(key: string): Promise<number | undefined> {
    const stored = await positions.get(key)
    return stored == null ? undefined : toPosition(new TextDecoder().decode(stored))
  }

  async function load(position: number): Promise<LogRecord | undefined> {
    const bytes = await records.get(toKey(position))
    return bytes == null ? undefined : { position, bytes }
  }

  async function loadChecked(position: number): Promise<StoredRecord | undefined> {
    const at = toKey(position)
    const [bytes, sum] = await Promise.all([records.get(at), sums.get(at)])
    if (bytes == null) return undefined
    const isDamaged = sum != null && !equalBytes(sum, sumOf(bytes)) && !isWornSum(sum, bytes)
    return { position, bytes, isDamaged }
  }

  /** For readers: what the disk has changed is left out, or one bit would cost them the whole answer. */
  async function loadWhole(position: number): Promise<LogRecord | undefined> {
    const record = await loadChecked(position)
    return record?.isDamaged === false ? { position, bytes: record.bytes } : undefined
  }

  return {
    head,
    async append(key, bytes, indexKeys) {
      return await writer.write(async changes => {
        // Read anew for each group: one that was not written leaves no hole.
        if (group?.changes !== changes) group = { changes, last: await head(), given: new Map() }
        const earlier = group.given.get(key) ?? (await positionOf(key))
        if (earlier != null) return earlier
        const position = ++group.last
        group.given.set(key, position)
        const at = toKey(position)
        changes.push({ type: 'put', table: records, key: at, value: bytes })
        changes.push({ type: 'put', table: sums, key: at, value: sumOf(bytes) })
        changes.push({ type: 'put', table: positions, key, value: utf8(at) })
        for (const indexKey of indexKeys) {
          changes.push({ type: 'put', table: index, key: `${prefixOf(indexKey)}${at}`, value: new Uint8Array() })
        }
        return position
      })
    },
    async read(after, limit, maxBytes = Number.POSITIVE_INFINITY) {
      const found: LogRecord[] = []
      let sizeBytes = 0
      for await (const [key, bytes] of records.iterator({ gt: toKey(after), limit })) {
        sizeBytes += bytes.length
        if (found.length > 0 && sizeBytes > maxBytes) break
        found.push({ position: toPosition(key), bytes })
      }
      return found
    },
    at: loadChecked,
    async byPatient(indexKey, after, limit, maxBytes = Number.POSITIVE_INFINITY) {
      const prefix = prefixOf(indexKey)
      const found: LogRecord[] = []
      let sizeBytes = 0
      for await (const key of index.keys({ gt: `${prefix}${toKey(after)}`, lt: `${prefix}~` })) {
        if (found.length >= limit) break
        const record = await loadWhole(toPosition(key.slice(prefix.length)))
        if (record == null) continue
        sizeBytes += record.bytes.length
        if (found.length > 0 && sizeBytes > maxBytes) break
        found.push(record)
      }
      return found
    },
    async newestByPatient(indexKey, before, limit) {
      const prefix = prefixOf(indexKey)
      const range = { gt: prefix, lt: `${prefix}${toKey(before)}`, reverse: true }
      const found: LogRecord[] = []
      for await (const key of index.keys(range)) {
        if (found.length >= limit) break
        const record = await loadWhole(toPosition(key.slice(prefix.length)))
        if (record != null) found.push(record)
      }
      return found
    },
    async erase(keys, indexKey) {
      await writer.write(
        async changes => {
          const newest = await head()
          for (const key of keys) {
            const position = await positionOf(key)
            if (position == null || position === newest) continue
            changes.push({ type: 'del', table: records, key: toKey(position) })
            changes.push({ type: 'del', table: sums, key: toKey(position) })
            changes.push({ type: 'del', table: index, key: `${prefixOf(indexKey)}${toKey(position)}` })
          }
        },
        { frees: true }
      )
    },
    async mend(position, bytes) {
      return await writer.write(async changes => {
        const at = toKey(position)
        if (!(await records.has(at))) return false
        changes.push({ type: 'put', table: records, key: at, value: bytes })
        changes.push({ type: 'put', table: sums, key: at, value: sumOf(bytes) })
        return true
      })
    },
    compact: async () => compactTable(db, 'log'),
    async getByKey(key) {
      const position = await positionOf(key)
      return position == null ? undefined : await load(position)
    },
    async id() {
      identity ??= writer.write(async changes => {
        const stored = await about.get('id')
        if (stored != null) return stored
        const id = crypto.getRandomValues(new Uint8Array(16))
        changes.push({ type: 'put', table: about, key: 'id', value: id })
        return id
      })
      return await identity
    },
    stop: () => writer.stop()
  }
}

/** Key of a position: order of keys is order of positions. */
function toKey(position: number): string {
  return position.toString(16).padStart(DIGITS, '0')
}

function toPosition(key: string): number {
  return Number.parseInt(key, 16)
}

/** Prefix of the index entries of some bytes. */
function prefixOf(indexKey: Uint8Array): string {
  return `${toHex(indexKey).slice(2)}/`
}

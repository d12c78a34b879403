/** Ids of the messages in a node's log: the set by which peers compare, and where each message stands (docs/specs/sync.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { createMessageSet, type SetPart } from '#core/network/message-set.ts'
import { openTable, type Database } from '#node/store/database.ts'
import type { MessageLog } from '#node/store/messages.ts'

/** The ids of a log; ids are 64 hexadecimal digits. */
export interface MessageIds {
  /** Takes in what was appended to the log since; call it before asking the rest. */
  catchUp(): Promise<void>
  size(): number
  /** Position of the last message that was taken in. */
  head(): number
  has(id: string): boolean
  look(prefix: string): SetPart
  mark(prefix: string): string
  /** The ids of the log after a position, in its order. */
  after(position: number, limit: number): Promise<{ readonly position: number; readonly id: Uint8Array }[]>
  /** The message of an id; undefined for one that is not here, not any more, or damaged. */
  get(id: string): Promise<Uint8Array | undefined>
}

/** What the ids need. */
export interface MessageIdsComponents {
  readonly p: Pick<Primitives, 'sha256'>
  readonly db: Database
  readonly messages: MessageLog
  /** The id of a message of the log, 32 bytes. */
  readonly identify: (bytes: Uint8Array) => Uint8Array
}

/** Messages of the log that are read at once. */
const BATCH = 256
const CURSOR = 'cursor'
const DIGITS = 14

/**
 * The ids of a log, kept beside it. The rows are made from the log whenever they are behind it, so a crash costs nothing.
 *
 * Rows: `id/<id>` → position, `at/<position>` → id, `cursor` → position of the last message that was taken in.
 */
export async function openMessageIds({ p, db, messages, identify }: MessageIdsComponents): Promise<MessageIds> {
  const table = openTable(db, 'message-ids')
  const set = createMessageSet(p)
  for await (const key of table.keys({ gt: 'id/', lt: 'id0' })) set.add(key.slice(3))
  let cursor = await numberAt(CURSOR)
  let running: Promise<void> | undefined

  async function numberAt(key: string): Promise<number> {
    const bytes = await table.get(key)
    return bytes == null ? 0 : Number(new TextDecoder().decode(bytes))
  }

  /** None of a message that the disk has changed: the others are there all the same. */
  function idOf(bytes: Uint8Array): Uint8Array | undefined {
    try {
      return identify(bytes)
    } catch (error) {
      if (isSalusError(error)) return undefined
      throw error
    }
  }

  async function takeIn(): Promise<void> {
    for (;;) {
      const records = await messages.read(cursor, BATCH)
      const last = records.at(-1)
      if (last == null) return
      const named = records.flatMap(({ position, bytes }) => {
        const id = idOf(bytes)
        return id == null ? [] : [{ position, id }]
      })
      await table.batch([
        ...named.flatMap(({ position, id }) => [
          { type: 'put' as const, key: `id/${toHex(id).slice(2)}`, value: utf8(String(position)) },
          { type: 'put' as const, key: rowOf(position), value: id }
        ]),
        { type: 'put' as const, key: CURSOR, value: utf8(String(last.position)) }
      ])
      for (const { id } of named) set.add(toHex(id).slice(2))
      cursor = last.position
    }
  }

  return {
    size: () => set.size(),
    head: () => cursor,
    has: id => set.has(id),
    look: prefix => set.look(prefix),
    mark: prefix => set.mark(prefix),
    async catchUp() {
      running ??= takeIn().finally(() => {
        running = undefined
      })
      await running
    },
    async after(position, limit) {
      const rows = await table.iterator({ gt: rowOf(position), lt: 'at0', limit }).all()
      return rows.map(([key, id]) => ({ position: Number.parseInt(key.slice(3), 16), id }))
    },
    async get(id) {
      const position = set.has(id) ? await numberAt(`id/${id}`) : 0
      if (position === 0) return undefined
      const record = await messages.at(position)
      // What the disk has changed is no answer: the peer would take it for a forgery of ours.
      if (record != null) return record.isDamaged ? undefined : record.bytes
      // It was erased: it is not to be offered any more.
      await table.batch([
        { type: 'del', key: `id/${id}` },
        { type: 'del', key: rowOf(position) }
      ])
      set.remove(id)
      return undefined
    }
  }
}

/** Order of keys is order of positions. */
function rowOf(position: number): string {
  return `at/${position.toString(16).padStart(DIGITS, '0')}`
}

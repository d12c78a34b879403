/** A record as the agent holds it: the verified log, what is known of each header, and the words to find it by, with their rows. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readText, readUint } from '#core/encoding/shape.ts'
import { isSalusError } from '#core/error.ts'
import type { LogFacts } from '#core/log/facts.ts'
import { createLog, type Log } from '#core/log/log.ts'
import { LAST_DAY } from '#core/record/day.ts'
import { createLocalIndex, type LocalIndex } from '#core/search/local-index.ts'
import type { Journal, RowChanges } from '#agent/record/journal.ts'
import { decodeKnown, encodeKnown, type KnownEntry } from '#agent/record/known-entry.ts'

const AREA = 'AGENT_INDEX'
const KNOWN = 'known/'
const SEARCH = 'search/'
const CURSOR = 'cursor'
const ERASED = 'erased/'
const RETIRED = 'retired/'

/** Up to where which node was read: positions are a node's own. */
export interface Cursor {
  readonly peer: string
  readonly after: number
  /** Name of the header there; empty before anything was read. */
  readonly header: string
  /** Up to where it was asked for erasures. */
  readonly noticesAfter: number
}

/** A record in memory, with changes that are not on the disk yet. */
export interface HeldRecord {
  readonly log: Log
  /** By name of a header. */
  readonly search: LocalIndex
  readonly known: ReadonlyMap<string, KnownEntry>
  /** In the order in which they were taken in. */
  inOrder(): readonly KnownEntry[]
  keep(entry: KnownEntry): void
  /** Ids of entries of which something changed, in that order; one may be there several times. */
  readonly touched: readonly string[]
  /** Notes that the log judges these headers otherwise than before. */
  touch(names: readonly string[]): void
  /** The highest number that was given; of one that was erased meanwhile, until the next start. */
  readonly lastNumber: number
  /** Names that the patient has had erased. */
  readonly erased: ReadonlySet<string>
  /** By tag, hexadecimal: the day on which a rotation of the patient’s replaced it. */
  readonly retired: ReadonlyMap<string, number>
  /** Notes that tags were replaced; the log hears of it with its next facts. */
  retire(tags: Iterable<readonly [string, number]>): void
  /** Forgets all that is known of headers, for good, but their names; the log does with its next facts. */
  erase(names: readonly string[]): void
  readonly cursor: Cursor
  moveTo(cursor: Cursor): void
  /** Changes since it was last asked. */
  takeChanges(): RowChanges
}

/** Takes a record up from its journal; nothing that was checked is checked again, but what the chain says. */
export async function loadRecord(p: Primitives, facts: LogFacts, journal: Journal): Promise<HeldRecord> {
  const rows = await journal.load()
  try {
    return restore(p, facts, rows)
  } catch (error) {
    if (!isSalusError(error)) throw error
    await journal.write(new Map([...rows.keys()].map(key => [key, null])))
    return restore(p, facts, new Map())
  }
}

function restore(p: Primitives, facts: LogFacts, rows: ReadonlyMap<string, Uint8Array>): HeldRecord {
  let changes = new Map<string, Uint8Array | null>()
  const put = (key: string, bytes: Uint8Array): void => void changes.set(key, bytes)
  const remove = (key: string): void => void changes.set(key, null)
  const known = new Map<string, KnownEntry>()
  const touched: string[] = []
  let order: KnownEntry[] | undefined
  let lastNumber = 0
  let cursor: Cursor = { peer: '', after: 0, header: '', noticesAfter: 0 }
  const erased = new Set([...rows.keys()].flatMap(key => (key.startsWith(ERASED) ? key.slice(ERASED.length) : [])))
  const retired = new Map<string, number>()
  for (const [key, bytes] of rows) if (key.startsWith(RETIRED)) retired.set(key.slice(RETIRED.length), decodeDay(bytes))
  const log = createLog(p, withNotices(facts, { erased, retired }), { rows: { put, delete: remove } })
  const search = createLocalIndex({
    put: (id, bytes) => put(`${SEARCH}${id}`, bytes),
    delete: id => remove(`${SEARCH}${id}`)
  })
  // In the order of keys: evidence comes before headers.
  for (const [key, bytes] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (key.startsWith(ERASED) || key.startsWith(RETIRED)) continue
    if (key === CURSOR) cursor = decodeCursor(bytes)
    else if (key.startsWith(SEARCH)) search.restore(bytes)
    else if (key.startsWith(KNOWN)) {
      const entry = decodeKnown(bytes)
      known.set(entry.name, entry)
      lastNumber = Math.max(lastNumber, entry.number)
    } else log.restore(bytes)
  }
  function touch(names: readonly string[]): void {
    for (const name of names) {
      const entry = log.node(name)?.item.entry
      if (entry != null) touched.push(entry)
    }
  }

  return {
    log,
    search,
    known,
    touched,
    touch,
    inOrder: () => (order ??= [...known.values()].sort((a, b) => a.number - b.number)),
    get lastNumber() {
      return lastNumber
    },
    keep(entry) {
      lastNumber = Math.max(lastNumber, entry.number)
      known.set(entry.name, entry)
      order = undefined
      put(`${KNOWN}${entry.name}`, encodeKnown(entry))
      touch([entry.name])
    },
    retired,
    retire(tags) {
      for (const [tag, day] of tags) {
        if ((retired.get(tag) ?? Number.POSITIVE_INFINITY) <= day) continue
        retired.set(tag, day)
        put(`${RETIRED}${tag}`, encodeCanonical([1, day]))
      }
    },
    get erased() {
      return new Set(erased)
    },
    erase(names) {
      for (const name of names) {
        erased.add(name)
        put(`${ERASED}${name}`, encodeCanonical([1]))
        if (!known.delete(name)) continue
        remove(`${KNOWN}${name}`)
        search.remove(name)
      }
      order = undefined
    },
    get cursor() {
      return cursor
    },
    moveTo(next) {
      cursor = next
      put(CURSOR, encodeCanonical([2, next.peer, next.after, next.header, next.noticesAfter]))
    },
    takeChanges() {
      const taken = changes
      changes = new Map()
      return taken
    }
  }
}

/** Facts, with what the patient said of the record besides entries. */
export function withNotices(facts: LogFacts, { erased, retired }: Pick<HeldRecord, 'erased' | 'retired'>): LogFacts {
  const days = new Map(retired)
  for (const [tag, day] of facts.retired ?? []) days.set(tag, Math.min(day, days.get(tag) ?? day))
  return { ...facts, erased: new Set(erased), retired: days }
}

function decodeDay(bytes: Uint8Array): number {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: 16 })
  const [, day] = Array.isArray(value) ? (value as unknown[]) : []
  return readUint(day, AREA, 'retired', LAST_DAY)
}

function decodeCursor(bytes: Uint8Array): Cursor {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: 512 })
  const [, peer, after, header, noticesAfter] = Array.isArray(value) ? (value as unknown[]) : []
  return {
    peer: readText(peer, AREA, 'peer', 256),
    after: readUint(after, AREA, 'after'),
    header: readText(header, AREA, 'header', 128),
    noticesAfter: readUint(noticesAfter, AREA, 'notices')
  }
}

/**
 * The index of those who can read (docs/specs/search.md): it never leaves their device. Each entry is taken in once, and goes
 * out as a row to be kept sealed; nothing is decrypted again to start.
 */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readList, readText } from '#core/encoding/shape.ts'
import { createDayIndex } from '#core/log/day-index.ts'
import { readCompartment, type Compartment } from '#core/record/compartment.ts'
import { appendPosting, createPostings, intersect, type Postings } from '#core/search/postings.ts'
import { MAX_TERMS, wordsOf, type Searchable } from '#core/search/searchable.ts'

const AREA = 'SEARCH_ROW'
const MAX_ROW_BYTES = 262_144
const MAX_TERM_LENGTH = 300
const MAX_ID_LENGTH = 128
const PREFIX_LENGTH = 3
const PAGE = 256

/** The most entries of one index. */
export const MAX_DOCUMENTS = 1_048_576

/** An entry as the index knows it. */
export interface IndexedEntry extends Searchable {
  /** Id of the entry, hexadecimal: the newest revision that stands takes the place of the one before. */
  readonly id: string
  readonly compartment: Compartment
}

/** What is looked for: all of it must hold. */
export interface SearchQuery {
  /** Resource type, for example `Observation`. */
  readonly type?: string
  readonly status?: string
  /** `code`, or `system|code`. */
  readonly code?: string
  /** Words, all of them; the last may be a beginning of three letters or more, with `*`. */
  readonly text?: string
  readonly compartments?: readonly Compartment[]
  /** Entries about any day from this on. */
  readonly fromDay?: number
  readonly toDay?: number
  readonly limit: number
  /** How many to pass over. */
  readonly offset?: number
}

/** Where the index's rows go. */
export interface IndexRows {
  put(id: string, bytes: Uint8Array): void
  delete(id: string): void
}

/** An index. */
export interface LocalIndex {
  /**
   * Takes in an entry in place of what was known of it.
   *
   * @throws SalusError `SEARCH_FULL`
   */
  put(entry: IndexedEntry): void
  remove(id: string): void
  /**
   * Takes in a row that {@link IndexRows} was given.
   *
   * @throws SalusError `SEARCH_ROW_*`
   */
  restore(row: Uint8Array): void
  /** Ids, those taken in last first. */
  search(query: SearchQuery): string[]
  readonly size: number
}

/** An index without entries. */
export function createLocalIndex(rows?: IndexRows): LocalIndex {
  /** By number; a number is never used again. */
  let entries: (IndexedEntry | undefined)[] = []
  let postings = new Map<string, Postings>()
  let byPrefix = new Map<string, string[]>()
  const numberOf = new Map<string, number>()
  let days = createDayIndex()

  const insert = (entry: IndexedEntry): void => {
    const number = entries.length
    entries.push(entry)
    numberOf.set(entry.id, number)
    days.add(entry.toDay, String(number).padStart(8, '0'))
    for (const term of [...entry.terms, `compartment:${entry.compartment}`]) {
      const list = postings.get(term)
      if (list != null) {
        appendPosting(list, number)
        continue
      }
      postings.set(term, createPostings(number))
      const prefix = prefixOf(term)
      const same = byPrefix.get(prefix)
      if (same == null) byPrefix.set(prefix, [term])
      else same.push(term)
    }
  }
  const drop = (id: string): void => {
    const number = numberOf.get(id)
    if (number == null) return
    numberOf.delete(id)
    const entry = entries[number]
    if (entry != null) days.remove(entry.toDay, String(number).padStart(8, '0'))
    entries[number] = undefined
  }
  /** What was replaced is cleared away once it is the half: each entry pays for that once. */
  const compact = (): void => {
    if (entries.length < 2 * numberOf.size + 1024) return
    const kept = entries.filter(entry => entry != null)
    entries = []
    postings = new Map()
    byPrefix = new Map()
    days = createDayIndex()
    for (const entry of kept) insert(entry)
  }
  const put = (entry: IndexedEntry): void => {
    if (!numberOf.has(entry.id) && numberOf.size >= MAX_DOCUMENTS) {
      throw new SalusError('SEARCH_FULL', 'The index holds as many entries as it can.')
    }
    drop(entry.id)
    insert(entry)
    compact()
  }

  /** Lists of numbers to intersect, one for each condition; several terms of one condition are joined. */
  const listsOf = (query: SearchQuery): Postings[] => {
    const exact = conditionsOf(query).map(terms => union(terms.flatMap(term => postings.get(term) ?? [])))
    const begun = prefixIn(query.text ?? '')
    if (begun == null) return exact
    const terms = (byPrefix.get(prefixOf(begun)) ?? []).filter(term => term.startsWith(begun))
    return [...exact, union(terms.flatMap(term => postings.get(term) ?? []))]
  }
  const candidates = function* (query: SearchQuery): Generator<number, void, undefined> {
    const lists = listsOf(query)
    if (lists.length > 0) yield* intersect(lists)
    else {
      const { fromDay = Number.MIN_SAFE_INTEGER } = query
      let page = days.page({ fromDay, limit: PAGE })
      while (page.length > 0) {
        for (const { key } of page) yield Number(key)
        page = days.page({ fromDay, limit: PAGE, after: page.at(-1) })
      }
    }
  }

  return {
    put(entry) {
      put(entry)
      rows?.put(entry.id, encodeRow(entry))
    },
    remove(id) {
      drop(id)
      compact()
      rows?.delete(id)
    },
    restore: row => put(decodeRow(row)),
    search(query) {
      const { fromDay = Number.MIN_SAFE_INTEGER, toDay = Number.MAX_SAFE_INTEGER, offset = 0, limit } = query
      const found: string[] = []
      let passed = 0
      for (const number of candidates(query)) {
        const entry = entries[number]
        if (entry == null || entry.toDay < fromDay || entry.fromDay > toDay || passed++ < offset) continue
        if (found.length >= limit) break
        found.push(entry.id)
      }
      return found
    },
    get size() {
      return numberOf.size
    }
  }
}

/** Terms by condition: one of each must hold. */
function conditionsOf({ type, status, code, text = '', compartments }: SearchQuery): string[][] {
  const words = wordsOf(prefixIn(text) == null ? text : text.replace(/\S+\*$/, '')).map(word => [`text:${word}`])
  const named = Object.entries({ type, status, code }).flatMap(([field, value]) =>
    value == null ? [] : [[`${field}:${value}`]]
  )
  const places = compartments == null ? [] : [compartments.map(each => `compartment:${each}`)]
  return [...named, ...words, ...places]
}

/** The term that a text ends with the beginning of. */
function prefixIn(text: string): string | null {
  const last = /(\S+)\*$/.exec(text)?.[1]
  const [word] = last == null ? [] : wordsOf(last)
  return word == null || word.length < PREFIX_LENGTH ? null : `text:${word}`
}

function prefixOf(term: string): string {
  return term.slice(0, term.indexOf(':') + 1 + PREFIX_LENGTH)
}

function union(lists: readonly Postings[]): Postings {
  const [only] = lists
  if (only != null && lists.length === 1) return only
  const numbers = new Set(lists.flatMap(list => [...list.numbers.subarray(0, list.count)]))
  return { numbers: Uint32Array.from(numbers).sort(), count: numbers.size }
}

function encodeRow({ id, compartment, fromDay, toDay, terms }: IndexedEntry): Uint8Array {
  return encodeCanonical([1, id, compartment, fromDay, toDay, terms])
}

function decodeRow(bytes: Uint8Array): IndexedEntry {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ROW_BYTES })
  const parts: unknown[] = Array.isArray(value) ? value : []
  const [version, id, compartment, fromDay, toDay, terms] = parts
  const isDay = (day: unknown): day is number => Number.isSafeInteger(day)
  if (version !== 1 || parts.length !== 6 || !isDay(fromDay) || !isDay(toDay)) {
    throw new SalusError('SEARCH_ROW_SHAPE', 'The index’s own rows are damaged; build it again from the record.')
  }
  return {
    id: readText(id, AREA, 'id', MAX_ID_LENGTH),
    compartment: readCompartment(compartment, AREA),
    fromDay,
    toDay,
    terms: readList(terms, AREA, 'terms', MAX_TERMS, term => readText(term, AREA, 'term', MAX_TERM_LENGTH))
  }
}

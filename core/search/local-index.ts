/**
 * The index of those who can read (docs/specs/search.md): it never leaves their device. Each entry is taken in once, and goes
 * out as a row to be kept sealed; nothing is decrypted again to start.
 */
import { SalusError } from '#core/error.ts'
import { createDayIndex } from '#core/log/day-index.ts'
import { decodeIndexRow, encodeIndexRow, type IndexedEntry } from '#core/search/index-row.ts'
import { appendPosting, createPostings, intersect, union, type Postings } from '#core/search/postings.ts'
import { conditionsOf, prefixIn, prefixOf, type SearchQuery } from '#core/search/query.ts'

const PAGE = 256

/** The most entries of one index. */
export const MAX_DOCUMENTS = 1_048_576

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
  get(id: string): IndexedEntry | undefined
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
      rows?.put(entry.id, encodeIndexRow(entry))
    },
    remove(id) {
      drop(id)
      compact()
      rows?.delete(id)
    },
    get(id) {
      const number = numberOf.get(id)
      return number == null ? undefined : entries[number]
    },
    restore: row => put(decodeIndexRow(row)),
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

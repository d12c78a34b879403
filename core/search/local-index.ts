/**
 * The index of those who can read (docs/specs/search.md): it never leaves their device. Each entry is taken in once, and goes
 * out as a row to be kept sealed; nothing is decrypted again to start.
 */
import { SalusError } from '#core/error.ts'
import { createDayIndex } from '#core/log/day-index.ts'
import { decodeIndexRow, encodeIndexRow, type IndexedEntry } from '#core/search/index-row.ts'
import { intersect, union, type Postings } from '#core/search/postings.ts'
import { PLACE, WORD, conditionsOf, prefixIn, type SearchQuery } from '#core/search/query.ts'
import { createVocabulary } from '#core/search/vocabulary.ts'

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
  /** An entry as it is known, but for its words. */
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
  /** By number; a number is never used again until {@link compact} gives out new ones. */
  let entries: (IndexedEntry | undefined)[] = []
  const vocabulary = createVocabulary()
  const numberOf = new Map<string, number>()
  let days = createDayIndex()

  const file = (entry: IndexedEntry): number => {
    const number = entries.length
    entries.push(entry)
    numberOf.set(entry.id, number)
    days.add(entry.toDay, String(number).padStart(8, '0'))
    return number
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
    const before = entries
    entries = []
    days = createDayIndex()
    const now = before.map(entry => (entry == null ? null : file(entry)))
    vocabulary.renumber(number => now[number] ?? null)
  }
  const put = (entry: IndexedEntry): void => {
    if (!numberOf.has(entry.id) && numberOf.size >= MAX_DOCUMENTS) {
      throw new SalusError('SEARCH_FULL', 'The index holds as many entries as it can.')
    }
    drop(entry.id)
    const number = entries.length
    const known = [...new Set(entry.terms)].flatMap(term => vocabulary.add(term, number) ?? [])
    vocabulary.add(`${PLACE}${entry.compartment}`, number)
    // Its words lie in the vocabulary alone: beside every entry they would be most of the memory.
    file({ ...entry, terms: known.filter(term => !term.startsWith(WORD)) })
    compact()
  }

  /** Lists of numbers to intersect, one for each condition; several terms of one condition are joined. */
  const listsOf = (query: SearchQuery): Postings[] => {
    const lists = conditionsOf(query).map(terms => union(terms.flatMap(term => vocabulary.get(term) ?? [])))
    const begun = prefixIn(query.text ?? '')
    return begun == null ? lists : [...lists, union(vocabulary.beginningWith(begun))]
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

/** The terms of the local index with the numbers of the entries that hold them, in memory that no writer can make grow at will. */
import { appendPosting, createPostings, type Postings } from '#core/search/postings.ts'
import { WORD, prefixOf } from '#core/search/query.ts'

/**
 * The most words; the 28,328 entries of a hundred Synthea patients have 1,298. Beyond, an entry is found by the words that are known already, and
 * by all else: whoever may write could otherwise fill the memory with words of its own making.
 */
export const MAX_WORDS = 1_048_576

/** Terms. */
export interface Vocabulary {
  /** Files a number, higher than all before, under a term. */
  add(term: string, number: number): void
  get(term: string): Postings | undefined
  /** The postings of all terms with a beginning, which is no shorter than what terms are filed by. */
  beginningWith(beginning: string): Postings[]
  /** All terms with their postings. */
  all(): Iterable<readonly [string, Postings]>
  /** Gives entries other numbers, in the same order; null for one that is gone. Terms without any are forgotten. */
  renumber(numberOf: (old: number) => number | null): void
}

/**
 * No terms.
 *
 * @param maxWords - {@link MAX_WORDS} unless given
 */
export function createVocabulary(maxWords: number = MAX_WORDS): Vocabulary {
  /** Most words stand in one entry: its number alone takes a third of the memory of a list. */
  const postings = new Map<string, Postings | number>()
  const byPrefix = new Map<string, string[]>()
  let words = 0

  const listOf = (held: Postings | number): Postings => (typeof held === 'number' ? createPostings(held) : held)
  const enter = (term: string, held: Postings | number): void => {
    postings.set(term, held)
    if (term.startsWith(WORD)) words++
    const same = byPrefix.get(prefixOf(term))
    if (same == null) byPrefix.set(prefixOf(term), [term])
    else same.push(term)
  }

  return {
    add(term, number) {
      const held = postings.get(term)
      if (held == null) {
        if (words < maxWords || !term.startsWith(WORD)) enter(term, number)
        return
      }
      const list = listOf(held)
      appendPosting(list, number)
      postings.set(term, list)
    },
    get(term) {
      const held = postings.get(term)
      return held == null ? undefined : listOf(held)
    },
    beginningWith(beginning) {
      const lists: Postings[] = []
      for (const term of byPrefix.get(prefixOf(beginning)) ?? []) {
        const held = term.startsWith(beginning) ? postings.get(term) : undefined
        if (held != null) lists.push(listOf(held))
      }
      return lists
    },
    *all() {
      for (const [term, held] of postings) yield [term, listOf(held)] as const
    },
    renumber(numberOf) {
      const before = [...postings]
      postings.clear()
      byPrefix.clear()
      words = 0
      for (const [term, held] of before) {
        const { numbers, count } = listOf(held)
        const kept = numbers.subarray(0, count).reduce<number[]>((all, old) => {
          const number = numberOf(old)
          if (number != null) all.push(number)
          return all
        }, [])
        const [only] = kept
        if (only != null)
          enter(term, kept.length === 1 ? only : { numbers: Uint32Array.from(kept), count: kept.length })
      }
    }
  }
}

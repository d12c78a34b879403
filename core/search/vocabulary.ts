/** The terms of the local index with the numbers of the entries that hold them, in memory that no writer can make grow at will. */
import { appendPosting, createPostings, type Postings } from '#core/search/postings.ts'
import { PLACE, WORD, prefixOf } from '#core/search/query.ts'

/**
 * The most different words and, apart from them, other terms; the 28,328 entries of a hundred Synthea patients have 1,298 words. Beyond, an
 * entry is found by what is known already: whoever may write could otherwise fill the memory with words and codes of its own making.
 */
export const MAX_VOCABULARY: VocabularyBounds = { words: 1_048_576, others: 262_144 }

/** How many terms there may be. Compartments are known beforehand, and do not count. */
export interface VocabularyBounds {
  readonly words: number
  readonly others: number
}

/** Terms. */
export interface Vocabulary {
  /** Files a number, higher than all before, under a term; gives the term as it is kept, undefined where there is no room for it. */
  add(term: string, number: number): string | undefined
  get(term: string): Postings | undefined
  /** The postings of all terms with a beginning, which is no shorter than what terms are filed by. */
  beginningWith(beginning: string): Postings[]
  /** Gives entries other numbers, in the same order; null for one that is gone. Terms without any are forgotten. */
  renumber(numberOf: (old: number) => number | null): void
}

/**
 * No terms.
 *
 * @param bounds - {@link MAX_VOCABULARY} unless given
 */
export function createVocabulary(bounds: VocabularyBounds = MAX_VOCABULARY): Vocabulary {
  const postings = new Map<string, Filed>()
  const byPrefix = new Map<string, string[]>()
  const counts = { words: 0, others: 0 }

  const enter = (term: string, held: Filed): void => {
    postings.set(term, held)
    counts[kindOf(term)]++
    const same = byPrefix.get(prefixOf(term))
    if (same == null) byPrefix.set(prefixOf(term), [term])
    else same.push(term)
  }

  return {
    add(term, number) {
      const held = postings.get(term)
      if (held == null) {
        const kind = kindOf(term)
        if (counts[kind] >= bounds[kind] && !term.startsWith(PLACE)) return undefined
        enter(term, { term, list: number })
        return term
      }
      const list = listOf(held)
      appendPosting(list, number)
      held.list = list
      return held.term
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
    renumber(numberOf) {
      const before = [...postings]
      postings.clear()
      byPrefix.clear()
      counts.words = counts.others = 0
      for (const [term, held] of before) {
        const { numbers, count } = listOf(held)
        const kept = numbers.subarray(0, count).reduce<number[]>((all, old) => {
          const number = numberOf(old)
          if (number != null) all.push(number)
          return all
        }, [])
        const [only] = kept
        if (only != null)
          enter(term, {
            term,
            list: kept.length === 1 ? only : { numbers: Uint32Array.from(kept), count: kept.length }
          })
      }
    }
  }
}

/** A term, once, with the entries that hold it: most terms stand in one, and its number alone takes a third of the memory of a list. */
interface Filed {
  readonly term: string
  list: Postings | number
}

function listOf({ list }: Filed): Postings {
  return typeof list === 'number' ? createPostings(list) : list
}

function kindOf(term: string): keyof VocabularyBounds {
  return term.startsWith(WORD) ? 'words' : 'others'
}

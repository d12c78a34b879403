/** What is looked for in the local index (docs/specs/search.md), and the terms that it comes to. */
import type { Compartment } from '#core/record/compartment.ts'
import { wordsOf } from '#core/search/searchable.ts'

const PREFIX_LENGTH = 3

/** What the terms begin with that are words. */
export const WORD = 'text:'

/** What the terms begin with that are compartments. */
export const PLACE = 'compartment:'

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

/** Terms by condition: one of each must hold. */
export function conditionsOf({ type, status, code, text = '', compartments }: SearchQuery): string[][] {
  const words = wordsOf(prefixIn(text) == null ? text : text.replace(/\S+\*$/, '')).map(word => [`${WORD}${word}`])
  const named = Object.entries({ type, status, code }).flatMap(([field, value]) =>
    value == null ? [] : [[`${field}:${value}`]]
  )
  const places = compartments == null ? [] : [compartments.map(each => `${PLACE}${each}`)]
  return [...named, ...words, ...places]
}

/** The term that a text ends with the beginning of. */
export function prefixIn(text: string): string | null {
  const last = /(\S+)\*$/.exec(text)?.[1]
  const [word] = last == null ? [] : wordsOf(last)
  return word == null || word.length < PREFIX_LENGTH ? null : `${WORD}${word}`
}

/** The beginning of a term, by which terms are filed. */
export function prefixOf(term: string): string {
  return term.slice(0, term.indexOf(':') + 1 + PREFIX_LENGTH)
}

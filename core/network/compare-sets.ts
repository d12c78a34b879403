import type { MessageSet, SetPart } from '#core/network/message-set.ts'

/** What a peer has under a prefix and we may lack. */
export interface Difference {
  /** Longer prefixes to ask about. */
  readonly prefixes: readonly string[]
  /** Ids that we lack. */
  readonly ids: readonly string[]
}

/** Compares a part of a peer's set with ours: what is the same, or only ours, needs no further question. */
export function differenceIn(prefix: string, part: SetPart, ours: Pick<MessageSet, 'has' | 'mark'>): Difference {
  if ('ids' in part) return { prefixes: [], ids: part.ids.filter(id => !ours.has(id)) }
  const prefixes: string[] = []
  for (const [digit, mark] of part.marks.entries()) {
    const longer = `${prefix}${digit.toString(16)}`
    if (mark !== '' && mark !== ours.mark(longer)) prefixes.push(longer)
  }
  return { prefixes, ids: [] }
}

/** Whom to believe: what the answers of several endpoints to one question come to (docs/specs/chain-index.md). */

/** What one endpoint says: a text that equal answers share, `null` where it has nothing under that name, `undefined` where it did not answer. */
export type Answer = string | null | undefined

/** A question, as the endpoint that is read from answers it, and as the others do. */
export interface Poll {
  readonly said: string
  readonly others: readonly Answer[]
  /** Endpoints that must say the same, the one that is read from included. */
  readonly needed: number
}

/**
 * `agreed`: enough say the same, and more than say any one other thing. `disputed`: as many say one other thing. `short`: nobody says so
 * many times otherwise, but too few say the same.
 */
export type Verdict = 'agreed' | 'disputed' | 'short'

/** Judges the answers. Those who answer nothing, or have nothing, take no side. */
export function judge({ said, others, needed }: Poll): Verdict {
  const { same, rival } = count(said, others)
  if (rival >= same) return 'disputed'
  return same >= needed ? 'agreed' : 'short'
}

/** Whether answers that are still out, `undefined` for now, cannot change that it is agreed. */
export function isCertain({ said, others, needed }: Poll): boolean {
  const { same, rival } = count(said, others)
  const out = others.filter(answer => answer === undefined).length
  return same >= needed && same > rival + out
}

function count(said: string, others: readonly Answer[]): { readonly same: number; readonly rival: number } {
  const votes = new Map<string, number>()
  for (const answer of others) if (answer != null) votes.set(answer, (votes.get(answer) ?? 0) + 1)
  const same = 1 + (votes.get(said) ?? 0)
  votes.delete(said)
  return { same, rival: Math.max(0, ...votes.values()) }
}

/** The newest block that an endpoint speaks of. */
export interface HeadClaim {
  readonly number: number
  /** False where others passed it long ago: it is waited for no more. */
  readonly keepsUp: boolean
}

/**
 * The newest block to follow: the quorum-th highest, and the second highest at least where two endpoints keep up, so that a block is asked
 * for when there is somebody to compare with.
 *
 * @param claims - of those who answer; as many as the quorum at least
 */
export function agreedHead(claims: readonly HeadClaim[], quorum: number): number {
  const upToDate = claims.filter(({ keepsUp }) => keepsUp).length
  return highest(
    claims.map(({ number }) => number),
    Math.max(quorum, Math.min(2, upToDate))
  )
}

/** The head that others must keep up with: nobody can set it alone where there are three. */
export function paceOf(heads: readonly number[]): number {
  return highest(heads, heads.length < 3 ? 1 : 2)
}

/**
 * A block that endpoints call safe or final: the quorum-th highest, and the second highest at least where two say one; `null` where fewer say
 * one than must agree.
 */
export function agreedLevel(said: readonly (number | null)[], quorum: number): number | null {
  const numbers = said.filter(number => number != null)
  return numbers.length < quorum ? null : highest(numbers, Math.max(quorum, Math.min(2, numbers.length)))
}

/** The n-th highest, counted from 1; 0 of none. */
function highest(numbers: readonly number[], n: number): number {
  return numbers.toSorted((a, b) => b - a)[n - 1] ?? 0
}

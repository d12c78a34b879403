/** What the log makes of one header and of one entry, from what was remembered when they were opened. */
import { fromHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import type { LogNode } from '#core/log/node.ts'
import { checkStatement } from '#core/log/statement.ts'
import type { ReadEntry } from '#core/log/view.ts'
import type { HeldRecord } from '#agent/record/held-record.ts'
import type { EntrySummary } from '#agent/record/known-entry.ts'

/** Where a header stands among its entry’s revisions; or its state in the log, if it does not count. */
export type Place = 'stands' | 'proposed' | 'superseded' | 'waiting' | 'unproven' | 'refused'

/** What an entry comes to, all revisions together. */
export interface Standing {
  readonly status: ReadEntry['status']
  /** Names of the headers that stand; several are a conflict. */
  readonly standing: readonly string[]
  readonly proposed: readonly string[]
  /** Ids of comments on it. */
  readonly comments: readonly string[]
}

/** Where a header stands. */
export function placeOf(node: LogNode): Place {
  if (node.state !== 'sound') return node.state
  if (node.isCovered || node.isReplaced) return 'superseded'
  return node.stands ? 'stands' : 'proposed'
}

/** What an entry comes to; null while no revision of it counts. */
export function standingOf(held: HeldRecord, id: string): Standing | null {
  const state = held.log.entry(id)
  if (state == null) return null
  const names = (nodes: readonly LogNode[]): string[] => nodes.map(({ item }) => item.name)
  const comments = state.followers.flatMap(name => {
    const node = held.log.node(name)
    const opened = held.known.get(name)?.opened
    return node != null && opened != null && !('code' in opened) && opened.about === id ? [node.item.entry] : []
  })
  return {
    status: statusOf(held, state.standing),
    standing: names(state.standing),
    proposed: names(state.proposed),
    comments: [...new Set(comments)].sort()
  }
}

function statusOf(held: HeldRecord, standing: readonly LogNode[]): ReadEntry['status'] {
  const [only] = standing
  if (only == null || standing.length > 1) return 'conflict'
  const opened = held.known.get(only.item.name)?.opened
  if (opened == null) return 'current'
  if ('code' in opened || !fits(held, only, opened)) return 'unreadable'
  return opened.act === 'retract' ? 'retracted' : 'current'
}

/** Whether a statement stands where its act may stand. */
export function fits({ log }: HeldRecord, { item }: LogNode, { act, about, reason }: EntrySummary): boolean {
  if (act === 'state') return true
  const parents = item.parents.flatMap(name => log.node(name)?.item.entry ?? []).map(id => fromHex(id))
  const statement = { act, reason, about: about == null ? null : fromHex(about), content: null }
  try {
    checkStatement(statement, { entry: fromHex(item.entry), revision: item.revision }, parents)
    return true
  } catch (error) {
    if (isSalusError(error)) return false
    throw error
  }
}

/** Deterministic verification of a whole log from the chain alone (docs/specs/log.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import type { LogFacts } from '#core/log/facts.ts'
import { createLog, type LogInput, type LogVerdict } from '#core/log/log.ts'
import { stateOf } from '#core/log/revisions.ts'

/** What a log came to; a function of the set of headers, their evidence and the facts, whatever the order. */
export interface LogReport {
  /** Every header, by name. */
  readonly verdicts: readonly LogVerdict[]
  /** Names that are followed by headers of the log but are not in it: withheld or not yet synced. */
  readonly missing: readonly string[]
  /** Sound headers that nothing sound follows. */
  readonly heads: readonly string[]
  /** Ids of entries with several standing revisions. */
  readonly conflicts: readonly string[]
  /** Headers with which one key said two things at once. */
  readonly forks: readonly (readonly string[])[]
  /** Tags that sound headers name with more than one generation. */
  readonly inconsistentTags: readonly string[]
}

/** Verifies headers in any order, with duplicates. */
export function verifyLog(p: Primitives, inputs: Iterable<LogInput>, facts: LogFacts): LogReport {
  const unbounded = Number.POSITIVE_INFINITY
  const log = createLog(p, facts, { maxWaiting: unbounded, maxUnproven: unbounded })
  const refused = new Map<string, LogVerdict>()
  for (const input of inputs) {
    const { name, state, code } = log.add(input)
    if (log.node(name) != null) continue
    const before = refused.get(name)?.code
    refused.set(name, { name, state, code: before != null && code != null && before < code ? before : code })
  }
  const { nodes, entries, generations } = log.graph
  for (const name of nodes.keys()) refused.delete(name)
  const verdicts = [...nodes.values()].map(({ item, state, code }) => ({ name: item.name, state, code }))
  const states = [...entries].map(([id, entry]) => stateOf(id, entry))
  return {
    verdicts: [...verdicts, ...refused.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    missing: log.missing(),
    heads: log.graph.heads
      .page({ limit: unbounded })
      .map(({ key }) => key)
      .sort(),
    conflicts: states
      .filter(({ isConflict }) => isConflict)
      .map(({ entry }) => entry)
      .sort(),
    forks: states.flatMap(({ forks }) => forks.map(same => same.map(({ item }) => item.name))).sort(),
    inconsistentTags: [...generations]
      .filter(([, numbers]) => numbers.size > 1)
      .map(([tag]) => tag)
      .sort()
  }
}

/** What of a record changed since one looked last, so that whoever keeps something of it follows at the cost of what is new. */
import type { HeldRecord } from '#agent/record/held-record.ts'
import type { KnownEntry } from '#agent/record/known-entry.ts'
import type { RecordReader } from '#agent/record/record-reader.ts'

/** Up to where one has looked. */
export interface RecordMark {
  readonly held: HeldRecord
  readonly graph: HeldRecord['log']['graph']
  readonly touched: number
  /** Headers that did not open yet. */
  readonly unopened: readonly string[]
}

/** The entries that changed. */
export interface ChangedEntries {
  readonly mark: RecordMark
  /** Whatever was kept is void: these are all. */
  readonly isWhole: boolean
  /** Ids. */
  readonly entries: readonly string[]
}

/** At most so many headers that did not open are tried again each time. */
const MAX_RETRIED = 200

/** Brings a record up to date, opens what is new, and tells which entries changed. */
export async function changesOf(reader: RecordReader, since: RecordMark | undefined): Promise<ChangedEntries> {
  const held = await reader.refreshed()
  const { graph } = held.log
  // After a rebuild of the graph any entry may stand otherwise.
  const isWhole = since?.held !== held || since.graph !== graph
  const entryOf = ({ name }: KnownEntry): readonly string[] => [held.log.node(name)?.item.entry ?? []].flat()
  const idsNow = (): Set<string> =>
    new Set(isWhole ? held.inOrder().flatMap(entryOf) : held.touched.slice(since.touched))
  const isKnown = (name: string): boolean => held.known.has(name)
  const names = [...idsNow()].flatMap(id => (graph.entries.get(id)?.all ?? []).map(({ item }) => item.name))
  const retried = isWhole ? [] : since.unopened.slice(0, MAX_RETRIED)
  await reader.settle(held, [...names, ...retried].filter(isKnown))
  const touched = held.touched.length
  const tried = new Set([...names, ...(isWhole ? [] : since.unopened)])
  const unopened = [...tried].filter(name => isUnopened(held.known.get(name)))
  return { mark: { held, graph, touched, unopened }, isWhole, entries: [...idsNow()] }
}

function isUnopened(known: KnownEntry | undefined): boolean {
  return known != null && (known.opened == null || 'code' in known.opened)
}

/** One header of a record, with what the log and the reader's keys make of it. */
import type { CID } from 'multiformats/cid'
import { decodeEntry, type EntryHeader } from '#core/record/entry.ts'
import type { HeldRecord } from '#agent/record/held-record.ts'
import type { EntrySummary, KnownEntry } from '#agent/record/known-entry.ts'
import { placeOf, standingOf, type Place, type Standing } from '#agent/record/standing.ts'

/** A header of the record. */
export interface IndexedEntry {
  /** The order in which the agent took them in, from 1. */
  readonly position: number
  readonly cid: CID
  readonly header: EntryHeader
  readonly place: Place
  /** What the entry comes to with all its revisions; null while none of them counts. */
  readonly standing: Standing | null
  /** What it is, or the code that says why it does not open or does not count. */
  readonly summary: EntrySummary | { readonly code: string }
}

/** What is known of a header now. */
export function viewOf(held: HeldRecord, { name, number, headerBytes, opened }: KnownEntry): IndexedEntry {
  const node = held.log.node(name)
  const { header, cid } = decodeEntry(headerBytes)
  const place = node == null ? 'unproven' : placeOf(node)
  const isOut = place === 'refused' || place === 'unproven'
  const summary = isOut ? { code: node?.code ?? 'LOG_UNKNOWN' } : (opened ?? { code: 'ENTRY_UNKNOWN' })
  const standing = node == null ? null : standingOf(held, node.item.entry)
  return { position: number, cid, header, place, standing, summary }
}

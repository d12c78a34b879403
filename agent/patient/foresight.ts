/** What a grant shows of the record, before it is given or after (docs/specs/consent.md). */
import type { GivenGrant } from '#core/agent/patient-state.ts'
import { opensEntry, previewGrant, type EntryFacts, type Preview } from '#core/consent/preview.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeGrantDocument } from '#core/grant/document.ts'
import type { IndexedEntry } from '#agent/record/indexed-entry.ts'

/** An entry's version as the preview counts it. */
export interface Version extends EntryFacts {
  /** Name of the header. */
  readonly name: string
  /** Id of the entry. */
  readonly entry: string
}

/** The versions that are known well enough to be counted. */
export function versionsOf(entries: readonly IndexedEntry[]): Version[] {
  return entries.flatMap(({ cid, header, summary }) => {
    if ('code' in summary) return []
    const { generation, day, entry } = header
    const { compartment, kind } = summary
    return { name: cid.toString(), entry: toHex(entry), compartment, generation, day, kind }
  })
}

/** Whether the keys of a grant open a version: by its day and generation, or because it is named. */
export function opensVersion(grant: GivenGrant, version: Version): boolean {
  const { items } = decodeGrantDocument(grant.document)
  if (items == null) return opensEntry(grant, version)
  return !grant.isRevoked && items.some(({ name }) => name.toString() === version.name)
}

/** What a grant opens of these, an entry counted once however many of its versions it opens. */
export function foresee(grant: GivenGrant, versions: readonly Version[]): Preview {
  const byEntry = new Map<string, Version>()
  for (const version of versions) {
    if (!byEntry.has(version.entry) || opensVersion(grant, version)) byEntry.set(version.entry, version)
  }
  const entries = [...byEntry.values()]
  if (decodeGrantDocument(grant.document).items == null) return previewGrant(grant, entries)
  // Keys of single entries are for no generation: here they are counted as if they were for that of each.
  const named = entries.filter(each => opensVersion(grant, each))
  const asNamed = {
    ...grant,
    firstGenerations: grant.compartments.map(() => 0),
    fromDay: 0,
    toDay: Number.MAX_SAFE_INTEGER
  }
  const preview = previewGrant(asNamed, named)
  const days = named.map(({ day }) => day)
  return {
    ...preview,
    hidden: entries.length - named.length,
    fromDay: Math.min(...days, Number.MAX_SAFE_INTEGER),
    toDay: Math.max(...days, 0)
  }
}

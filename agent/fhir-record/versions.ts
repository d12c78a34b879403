/** The versions of a record's entries, without their bodies, and which of them is shown as FHIR. */
import type { Author } from '#core/agent/author.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Act } from '#core/log/statement.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { IndexedEntry } from '#agent/record/indexed-entry.ts'
import type { Place } from '#agent/record/standing.ts'

/** One version that counts and opened. */
export interface EntryVersion {
  /** The order in which the agent took them in. */
  readonly position: number
  /** The header's name. */
  readonly cid: string
  /** `0x…`. */
  readonly entry: string
  readonly revision: number
  /** Names of the headers that it follows. */
  readonly parents: readonly string[]
  readonly place: Place
  /** `state` where it speaks for itself. */
  readonly act: Act | 'state'
  readonly author: Author
  readonly compartment: Compartment
  readonly type: string
  readonly recordedAtMs: number
}

/** The versions of a record by their entries. */
export interface Versions {
  /** Takes in all that an entry has now; what it shows from now on, if anything. */
  set(entry: string, versions: readonly EntryVersion[]): EntryVersion | undefined
  /** What each entry shows. */
  shown(): Iterable<EntryVersion>
  /**
   * What an entry shows.
   *
   * @throws SalusError `ENTRY_UNKNOWN` if nothing, as after a retraction
   */
  current(entry: Uint8Array): EntryVersion
  /** What the patient last wrote outright of an entry, whatever was said of that since. */
  lastStated(entry: Uint8Array): EntryVersion | undefined
  /**
   * The entry as the author of `by` had written it when `by` was written.
   *
   * @throws SalusError `FHIR_PART_FOREIGN` if that author wrote none
   */
  asWrittenWith(entry: Uint8Array, by: EntryVersion): EntryVersion
  /**
   * A part that the entry of `of` names: of the same author and section only.
   *
   * @throws SalusError `FHIR_PART_FOREIGN`
   */
  part(entry: Uint8Array, of: EntryVersion): EntryVersion
}

/** The versions among an entry's headers. */
export function versionsAmong(headers: readonly IndexedEntry[]): EntryVersion[] {
  return headers.flatMap(({ position, cid, header, place, summary, standing }) => {
    if ('code' in summary || standing == null) return []
    const { entry, revision, parents } = header
    const { act, author, compartment, type, recordedAtMs } = summary
    const isFit = place !== 'stands' || standing.status !== 'unreadable'
    if (!isFit || !['stands', 'superseded', 'proposed'].includes(place)) return []
    return {
      ...{ position, cid: cid.toString(), entry: toHex(entry), revision, parents: parents.map(String), place },
      ...{ act, author, compartment, type, recordedAtMs }
    }
  })
}

/** Makes an empty collection. */
export function createVersions(): Versions {
  const byEntry = new Map<string, readonly EntryVersion[]>()
  const byName = new Map<string, EntryVersion>()
  const of = (entry: Uint8Array): readonly EntryVersion[] => byEntry.get(toHex(entry)) ?? []

  /** Names of everything that a version follows, nearest first or not. */
  function followedBy({ parents }: EntryVersion): ReadonlySet<string> {
    const found = new Set(parents)
    for (const name of found) for (const parent of byName.get(name)?.parents ?? []) found.add(parent)
    return found
  }

  return {
    set(entry, versions) {
      byEntry.set(entry, versions)
      for (const version of versions) byName.set(version.cid, version)
      return shownOf(versions)
    },
    *shown() {
      for (const versions of byEntry.values()) {
        const shown = shownOf(versions)
        if (shown != null) yield shown
      }
    },
    current(entry) {
      const found = shownOf(of(entry))
      if (found == null) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
      return found
    },
    lastStated: entry => newest(of(entry).filter(({ act, author }) => act === 'state' && author.kind === 'patient')),
    asWrittenWith(entry, by) {
      const own = of(entry).filter(({ act, author }) => act === 'state' && isSameAuthor(author, by.author))
      if (own.length < 2) return own[0] ?? refuseForeign()
      const followed = followedBy(by)
      const before = own.filter(({ cid }) => followed.has(cid))
      return newest(before) ?? newest(own.filter(({ position }) => position < by.position)) ?? own[0] ?? refuseForeign()
    },
    part(entry, { author, compartment }) {
      const own = of(entry).filter(each => each.compartment === compartment && isSameAuthor(each.author, author))
      return newest(own) ?? refuseForeign()
    }
  }
}

/**
 * The version that stands. Where several do, the newest of the patient, or in the section that the entry came to lie in first:
 * whom the patient lets write in another section does not thereby replace what lies in this one.
 */
function shownOf(versions: readonly EntryVersion[]): EntryVersion | undefined {
  const standing = versions.filter(({ place }) => place === 'stands')
  if (standing.length === 1) return standing.find(isSaying)
  const first = versions.toSorted((a, b) => a.revision - b.revision || a.position - b.position)[0]
  const own = standing.filter(
    ({ compartment, author }) => compartment === first?.compartment || author.kind === 'patient'
  )
  return newest(own.filter(isSaying))
}

function isSaying({ act }: EntryVersion): boolean {
  return act !== 'retract' && act !== 'comment'
}

function newest(known: readonly EntryVersion[]): EntryVersion | undefined {
  return known.toSorted((a, b) => b.revision - a.revision || a.position - b.position)[0]
}

function isSameAuthor(a: Author, b: Author): boolean {
  if (a.kind === 'patient' || b.kind === 'patient') return a.kind === b.kind
  return toHex(a.address) === toHex(b.address)
}

function refuseForeign(): never {
  throw new SalusError(
    'FHIR_PART_FOREIGN',
    'Refused: an entry names another that is not of the same author, or not in the same section.'
  )
}

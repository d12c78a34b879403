/** Which headers an entry has, without their bodies, and which of them is shown. */
import type { Author } from '#core/agent/author.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** One header that opened. */
export interface EntryVersion {
  /** Position at the node. */
  readonly position: number
  /** The header's name. */
  readonly cid: string
  /** `0x…`. */
  readonly entry: string
  readonly revision: number
  readonly author: Author
  readonly compartment: Compartment
  readonly type: string
  readonly recordedAtMs: number
}

/** The headers of a record by their entries. */
export interface Versions {
  /** Takes one in; tells whether it is what its entry shows from now on. */
  add(version: EntryVersion): boolean
  all(): Iterable<EntryVersion>
  has(entry: Uint8Array): boolean
  /**
   * What an entry shows.
   *
   * @throws SalusError `ENTRY_UNKNOWN`
   */
  current(entry: Uint8Array): EntryVersion
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

/** Makes an empty collection. */
export function createVersions(): Versions {
  const byEntry = new Map<string, EntryVersion[]>()
  const of = (entry: Uint8Array): readonly EntryVersion[] => byEntry.get(toHex(entry)) ?? []
  return {
    add(version) {
      const known = byEntry.get(version.entry)
      if (known == null) {
        byEntry.set(version.entry, [version])
        return true
      }
      if (known.some(({ cid }) => cid === version.cid)) return false
      known.push(version)
      return currentOf(known) === version
    },
    has: entry => of(entry).length > 0,
    *all() {
      for (const known of byEntry.values()) yield* known
    },
    current(entry) {
      const found = currentOf(of(entry))
      if (found == null) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
      return found
    },
    asWrittenWith(entry, by) {
      const own = of(entry).filter(each => isSameAuthor(each.author, by.author))
      const before = own.filter(({ position }) => position < by.position)
      return newest(before) ?? own.sort((a, b) => a.revision - b.revision)[0] ?? refuseForeign()
    },
    part(entry, { author, compartment }) {
      const own = of(entry).filter(each => each.compartment === compartment && isSameAuthor(each.author, author))
      return newest(own) ?? refuseForeign()
    }
  }
}

/**
 * The newest revision, in the section that the entry came to lie in first, or of the patient: whom the patient lets write in
 * another section does not thereby replace what lies in this one.
 */
function currentOf(known: readonly EntryVersion[]): EntryVersion | undefined {
  const first = known.toSorted((a, b) => a.revision - b.revision || a.position - b.position)[0]
  return newest(
    known.filter(({ compartment, author }) => compartment === first?.compartment || author.kind === 'patient')
  )
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

/** What a grant opens, told before it is signed, by the same rule as its keys (docs/specs/consent.md). */
import type { GivenGrant } from '#core/agent/patient-state.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'

/** One entry of the patient's, as the agent lists it. */
export interface EntryFacts {
  readonly compartment: Compartment
  readonly generation: number
  readonly day: number
  /** Media type, or the FHIR resource type where there is one. */
  readonly kind: string
}

/** Sections that people want to be asked about by themselves. */
export const SENSITIVE: ReadonlySet<Compartment> = new Set(['mental', 'sexual', 'substance-use', 'genomics'])

/** What somebody would see today. */
export interface Preview {
  /** How many entries, by section and kind, in the order of the sections; sections with none are left out. */
  readonly sections: readonly {
    readonly compartment: Compartment
    readonly isSensitive: boolean
    readonly entries: number
    readonly kinds: Readonly<Record<string, number>>
  }[]
  readonly seen: number
  /** Of them in sections that people want to be asked about. */
  readonly sensitive: number
  /** Entries that stay shut. */
  readonly hidden: number
  /** First and last day that any keys are for; what is written on them later is opened too. */
  readonly fromDay: number
  readonly toDay: number
}

/** Tells whether the keys of a grant open an entry; those of a grant that only writes do too, until its holder deletes the day’s. */
export function opensEntry(grant: GivenGrant, { compartment, generation, day }: EntryFacts): boolean {
  const place = grant.compartments.indexOf(compartment)
  const first = grant.firstGenerations[place]
  if (grant.isRevoked || first == null) return false
  return generation >= first && day >= grant.fromDay && day <= grant.toDay
}

/** Tells what a grant, made or about to be, would open of these entries. */
export function previewGrant(grant: GivenGrant, entries: readonly EntryFacts[]): Preview {
  const seen = entries.filter(entry => opensEntry(grant, entry))
  const sections = COMPARTMENTS.flatMap(compartment => {
    const here = seen.filter(entry => entry.compartment === compartment)
    if (here.length === 0) return []
    const kinds = new Map<string, number>()
    for (const { kind } of here) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    return [
      {
        compartment,
        isSensitive: SENSITIVE.has(compartment),
        entries: here.length,
        // A kind comes out of what was decrypted, and may be called __proto__.
        kinds: Object.fromEntries(kinds)
      }
    ]
  })
  return {
    sections,
    seen: seen.length,
    sensitive: seen.filter(({ compartment }) => SENSITIVE.has(compartment)).length,
    hidden: entries.length - seen.length,
    fromDay: grant.fromDay,
    toDay: grant.toDay
  }
}

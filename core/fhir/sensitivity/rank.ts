import type { Compartment } from '#core/record/compartment.ts'

/** Sections that a grant never opens by the way. */
export type SensitiveCompartment = Extract<Compartment, 'substance-use' | 'sexual' | 'mental' | 'genomics'>

/**
 * From the strictest: a resource that touches several sections lies in the first of them. Substance use leads because
 * 42 CFR Part 2 asks for a consent of its own, which a grant for another section is not.
 */
const STRICTEST_FIRST: readonly SensitiveCompartment[] = ['substance-use', 'sexual', 'mental', 'genomics']

/** Tells whether a section is a sensitive one. */
export function isSensitive(compartment: Compartment): compartment is SensitiveCompartment {
  return (STRICTEST_FIRST as readonly Compartment[]).includes(compartment)
}

/** The strictest of some sections; `undefined` where none is sensitive. */
export function strictest(compartments: Iterable<Compartment>): SensitiveCompartment | undefined {
  const present = new Set(compartments)
  return STRICTEST_FIRST.find(each => present.has(each))
}

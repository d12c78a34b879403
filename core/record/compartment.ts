import { SalusError } from '#core/error.ts'

/** The sections of a record, each under its own keys (DESIGN: words). The order is the order of capsules and documents. */
export const COMPARTMENTS = [
  'vitals',
  'medications',
  'labs',
  'conditions',
  'documents',
  'imaging',
  'mental',
  'sexual',
  'substance-use',
  'genomics',
  'billing',
  'emergency'
] as const

/** One section of a record. */
export type Compartment = (typeof COMPARTMENTS)[number]

/** Tells whether a text names a compartment. */
export function isCompartment(text: string): text is Compartment {
  return (COMPARTMENTS as readonly string[]).includes(text)
}

/**
 * Reads a compartment's name.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readCompartment(value: unknown, area: string): Compartment {
  if (typeof value !== 'string' || !isCompartment(value)) {
    throw new SalusError(`${area}_SHAPE`, 'Refused: a compartment that this version does not know.')
  }
  return value
}

/** The rows that the local index is kept in (docs/specs/search.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readList, readText } from '#core/encoding/shape.ts'
import { readCompartment, type Compartment } from '#core/record/compartment.ts'
import { MAX_TERMS, type Searchable } from '#core/search/searchable.ts'

const AREA = 'SEARCH_ROW'
const MAX_TERM_LENGTH = 300
const MAX_ID_LENGTH = 128
/** A character takes up to three bytes; what is put out must come back in. */
const MAX_ROW_BYTES: number = 3 * MAX_TERM_LENGTH * MAX_TERMS + 1024

/** An entry as the index knows it. */
export interface IndexedEntry extends Searchable {
  /** Id of the entry, hexadecimal: the newest revision that stands takes the place of the one before. */
  readonly id: string
  readonly compartment: Compartment
}

/** The bytes to keep of an entry. They hold words of the record: keep them sealed. */
export function encodeIndexRow({ id, compartment, fromDay, toDay, terms }: IndexedEntry): Uint8Array {
  return encodeCanonical([1, id, compartment, fromDay, toDay, terms])
}

/**
 * Reads a row back.
 *
 * @throws SalusError `SEARCH_ROW_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_SHAPE`
 */
export function decodeIndexRow(bytes: Uint8Array): IndexedEntry {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ROW_BYTES })
  const parts: unknown[] = Array.isArray(value) ? value : []
  const [version, id, compartment, fromDay, toDay, terms] = parts
  const isDay = (day: unknown): day is number => Number.isSafeInteger(day)
  if (version !== 1 || parts.length !== 6 || !isDay(fromDay) || !isDay(toDay)) {
    throw new SalusError('SEARCH_ROW_SHAPE', 'The index’s own rows are damaged; build it again from the record.')
  }
  return {
    id: readText(id, AREA, 'id', MAX_ID_LENGTH),
    compartment: readCompartment(compartment, AREA),
    fromDay,
    toDay,
    terms: readList(terms, AREA, 'terms', MAX_TERMS, term => readText(term, AREA, 'term', MAX_TERM_LENGTH))
  }
}

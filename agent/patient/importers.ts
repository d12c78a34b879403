/** How files become entries: the first importer that knows a file takes it, and anything is at least a document. */
import type { Compartment } from '#core/record/compartment.ts'
import { isCompartment } from '#core/record/compartment.ts'
import { SalusError } from '#core/error.ts'

/** A file as it was handed in. */
export interface ImportedFile {
  readonly bytes: Uint8Array
  /** Media type as the person or the name's ending says. */
  readonly type: string
  /** Where the person wants it; what the importer thinks right if absent. */
  readonly compartment: string | null
}

/** One entry that a file becomes. */
export interface ImportedEntry {
  readonly compartment: Compartment
  readonly type: string
  readonly body: Uint8Array
  /** Milliseconds since 1970-01-01; now if absent. */
  readonly recordedAtMs?: number
}

/** Turns files of a kind into entries. */
export interface Importer {
  /** For example `document`. */
  readonly name: string
  takes(file: ImportedFile): boolean
  /** Entries in the order in which they are to be written. */
  read(file: ImportedFile): AsyncIterable<ImportedEntry> | Iterable<ImportedEntry>
}

/** Any file, as it is, in one entry. */
export const documentImporter: Importer = {
  name: 'document',
  takes: () => true,
  read: ({ bytes, type, compartment }) => [
    { compartment: compartment == null ? 'documents' : compartmentOf(compartment), type, body: bytes }
  ]
}

/**
 * The compartment of that name.
 *
 * @throws SalusError `COMPARTMENT_UNKNOWN`
 */
export function compartmentOf(name: string): Compartment {
  if (isCompartment(name)) return name
  throw new SalusError(
    'COMPARTMENT_UNKNOWN',
    'There is no compartment of that name; "salus patient grant --help" lists them.'
  )
}

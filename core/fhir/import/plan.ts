/**
 * Turns FHIR JSON into entries to seal (docs/specs/fhir.md#import): an R4 bundle of any type, an International Patient Summary,
 * Bulk NDJSON, or one resource. Entries come one at a time, so that a source of any size is imported in bounded memory.
 */
import { createManifestWriter, type ManifestWriterInit } from '#core/fhir/import/manifest-writer.ts'
import { createPartSink } from '#core/fhir/import/part-sink.ts'
import type { PlannedEntry, PlannedPart } from '#core/fhir/import/planned-entry.ts'
import { createSplitter } from '#core/fhir/import/splitter.ts'
import { split, surveyImport, type ImportSource, type Survey, type SurveyInit } from '#core/fhir/import/survey.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'

/** What an import needs to know; `batch` puts small observations of a section and day into one entry, to be revised together. */
export interface ImportInit extends SurveyInit, ManifestWriterInit {
  /** The entry that is to hold a part of an attachment; a random one if absent. */
  readonly entryOfPart?: (part: PlannedPart) => Uint8Array
}

/**
 * Plans an import. Parts of an attachment come before the resource that names them, the manifest last.
 *
 * @param survey - of the same source, where one was made to show a preview
 * @throws SalusError as `surveyImport`, and `FHIR_SOURCE_CHANGED` if the second reading finds something else than the first
 */
export async function* planImport(
  source: ImportSource,
  init: ImportInit,
  survey?: Survey
): AsyncGenerator<PlannedEntry, Survey> {
  const known = survey ?? (await surveyImport(source, init))
  let ready: PlannedEntry[] = []
  const emit = (planned: PlannedEntry): void => void ready.push(planned)
  const drain = (): PlannedEntry[] => {
    const drained = ready
    ready = []
    return drained
  }
  const idOf = (part: PlannedPart): Uint8Array => init.entryOfPart?.(part) ?? init.random(ENTRY_ID_BYTES)
  const writer = createManifestWriter(known, init, emit)
  const splitter = createSplitter(createPartSink(known, idOf, emit))
  for await (const pieces of split(source, splitter)) {
    // The splitter has put the parts of attachments into `ready` while it read.
    yield* drain()
    for (const piece of pieces) writer.take(piece)
    yield* drain()
  }
  writer.end()
  yield* drain()
  return known
}

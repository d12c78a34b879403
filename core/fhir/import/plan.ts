/**
 * Turns FHIR JSON into entries to seal (docs/specs/fhir.md#import): an R4 bundle of any type, an International Patient Summary,
 * Bulk NDJSON, or one resource. Entries come one at a time, so that a source of any size is imported in bounded memory.
 */
import { SalusError } from '#core/error.ts'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { PART_BYTES, markerValue } from '#core/fhir/attachment.ts'
import { MANIFEST_TYPE, encodeManifest, textItem, type ManifestItem } from '#core/fhir/import/manifest.ts'
import { createSplitter, type Piece } from '#core/fhir/import/splitter.ts'
import { digestOf, split, surveyImport, type ImportSource, type Place, type Survey, type SurveyInit } from '#core/fhir/import/survey.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'

/** Media type of an entry that holds one resource. */
export const FHIR_JSON = 'application/fhir+json'

/** Media type of an entry that holds several, one a line. */
export const FHIR_NDJSON = 'application/fhir+ndjson'

/** Most bytes of an entry that holds several resources. */
const BATCH_BYTES = 32_768
const LINE_END = 0x0a

/** What an import needs to know. */
export interface ImportInit extends SurveyInit {
  readonly random: Random
  /** Puts small observations of the same section and day into one entry: far less padding, but they are revised together. */
  readonly batch?: boolean
}

/** One entry to seal. */
export interface PlannedEntry extends Place {
  readonly kind: 'resource' | 'batch' | 'attachment' | 'manifest'
  /** The entry's id, 16 random bytes. */
  readonly entry: Uint8Array
  /** Media type of the body. */
  readonly type: string
  readonly body: Uint8Array
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
  const newId = (): Uint8Array => init.random(ENTRY_ID_BYTES)
  const writer = createManifestWriter(known, init, emit)
  const splitter = createSplitter(createPartSink(known, newId, emit))
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

/** Collects the contents of attachments into parts. */
function createPartSink(
  { attachments }: Survey,
  newId: () => Uint8Array,
  emit: (planned: PlannedEntry) => void
): Parameters<typeof createSplitter>[0] {
  const part = new Uint8Array(PART_BYTES)
  let used = 0
  let sizeBytes = 0
  let parts: Uint8Array[] = []
  let index = 0
  const emitPart = (): void => {
    const of = attachments[index] ?? refuseChange()
    const entry = newId()
    parts.push(entry)
    emit({ kind: 'attachment', entry, type: of.type, compartment: of.compartment, day: of.day, body: part.slice(0, used) })
    used = 0
  }
  return {
    put: piece => {
      sizeBytes += piece.length
      for (let i = 0; i < piece.length; ) {
        const fits = Math.min(piece.length - i, PART_BYTES - used)
        part.set(piece.subarray(i, i + fits), used)
        used += fits
        i += fits
        if (used === PART_BYTES) emitPart()
      }
    },
    end: () => {
      if (used > 0) emitPart()
      const value = markerValue({ sizeBytes, parts })
      index++
      sizeBytes = 0
      parts = []
      return value
    }
  }
}

/** A batch that still takes resources. */
interface OpenBatch {
  readonly index: number
  readonly place: Place
  lines: Uint8Array[]
  bytes: number
}

/** Makes entries of resources and notes where each stood. */
function createManifestWriter(
  known: Survey,
  { primitives, random, batch = false, today }: ImportInit,
  emit: (planned: PlannedEntry) => void
): { readonly take: (piece: Piece) => void; readonly end: () => void } {
  const entries: Uint8Array[] = []
  const items: ManifestItem[] = []
  const batches: number[] = []
  const open = new Map<string, OpenBatch>()
  let index = 0
  const newEntry = (): number => entries.push(random(ENTRY_ID_BYTES)) - 1
  const close = (each: OpenBatch): void => {
    const lines = each.lines.flatMap((line, i) => (i === 0 ? [line] : [Uint8Array.of(LINE_END), line]))
    const entry = entries[each.index] ?? new Uint8Array()
    emit({ kind: 'batch', entry, type: FHIR_NDJSON, ...each.place, body: concat(...lines) })
  }
  const addToBatch = (bytes: Uint8Array, place: Place): void => {
    const key = `${place.compartment} ${place.day}`
    let current = open.get(key)
    if (current != null && current.bytes + bytes.length > BATCH_BYTES) {
      close(current)
      current = undefined
    }
    if (current == null) {
      current = { index: newEntry(), place, lines: [], bytes: 0 }
      batches.push(current.index)
      open.set(key, current)
    }
    items.push({ entry: current.index, line: current.lines.length })
    current.lines.push(bytes)
    current.bytes += bytes.length + 1
  }
  const take = (piece: Piece): void => {
    if (piece.kind === 'bundle end') return
    if (piece.kind === 'text') {
      items.push(textItem(piece.bytes))
      return
    }
    const { bytes } = piece
    const resource = known.resources[index++] ?? refuseChange()
    if (!equalBytes(resource.digest, digestOf(primitives, bytes))) refuseChange()
    const place = { compartment: resource.compartment, day: resource.day }
    const isSmall = bytes.length < BATCH_BYTES / 4 && !bytes.includes(LINE_END)
    if (batch && isSmall && resource.type === 'Observation') addToBatch(bytes, place)
    else {
      const entry = newEntry()
      items.push({ entry, line: 0 })
      emit({ kind: 'resource', entry: entries[entry] ?? new Uint8Array(), type: FHIR_JSON, ...place, body: bytes })
    }
  }
  const end = (): void => {
    if (index !== known.resources.length) refuseChange()
    for (const each of open.values()) close(each)
    const body = encodeManifest({ entries, items, batches })
    emit({ kind: 'manifest', entry: random(ENTRY_ID_BYTES), type: MANIFEST_TYPE, compartment: known.manifest, day: today, body })
  }
  return { take, end }
}

function refuseChange(): never {
  throw new SalusError('FHIR_SOURCE_CHANGED', 'The source changed while it was imported; import it again.')
}

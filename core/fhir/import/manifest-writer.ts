import { concat, equalBytes } from '#core/encoding/bytes.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { MANIFEST_TYPE, encodeManifest, textItem, type ManifestItem } from '#core/fhir/import/manifest.ts'
import { FHIR_JSON, FHIR_NDJSON, type PlannedEntry } from '#core/fhir/import/planned-entry.ts'
import { refuseChange } from '#core/fhir/import/source-changed.ts'
import type { Piece } from '#core/fhir/import/splitter.ts'
import { digestOf } from '#core/fhir/import/markers.ts'
import type { Place, Survey } from '#core/fhir/import/survey.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'

/** Most bytes of an entry that holds several resources. */
const BATCH_BYTES = 32_768
const LINE_END = 0x0a

/** What writing needs to know. */
export interface ManifestWriterInit {
  readonly primitives: Primitives
  readonly random: Random
  readonly batch?: boolean
  readonly today: number
  /**
   * The entry that holds an earlier state of a resource of this `Type/id`, or shall hold it from now on; a random one where it
   * says none. Asked once for each name: if a source holds two states of a resource, the second gets an entry of its own.
   */
  readonly entryOf?: (name: string) => Uint8Array | undefined
}

/** A batch that still takes resources. */
interface OpenBatch {
  readonly index: number
  readonly place: Place
  lines: Uint8Array[]
  bytes: number
}

/** Makes entries of resources and notes where each stood. */
export function createManifestWriter(
  known: Survey,
  { primitives, random, batch = false, today, entryOf = () => undefined }: ManifestWriterInit,
  emit: (planned: PlannedEntry) => void
): { readonly take: (piece: Piece) => void; readonly end: () => void } {
  const entries: Uint8Array[] = []
  const items: ManifestItem[] = []
  const batches: number[] = []
  const open = new Map<string, OpenBatch>()
  const asked = new Set<string>()
  let index = 0
  const newEntry = (name: string | null): number => {
    const known = name == null || asked.has(name) ? undefined : entryOf(name)
    if (name != null) asked.add(name)
    return entries.push(known ?? random(ENTRY_ID_BYTES)) - 1
  }
  const close = (each: OpenBatch): void => {
    const lines = each.lines.flatMap((line, i) => (i === 0 ? [line] : [Uint8Array.of(LINE_END), line]))
    const entry = entries[each.index] ?? new Uint8Array()
    emit({ kind: 'batch', name: null, entry, type: FHIR_NDJSON, ...each.place, body: concat(...lines) })
  }
  const addToBatch = (bytes: Uint8Array, place: Place): void => {
    const key = `${place.compartment} ${place.day}`
    let current = open.get(key)
    if (current != null && current.bytes + bytes.length > BATCH_BYTES) {
      close(current)
      current = undefined
    }
    if (current == null) {
      current = { index: newEntry(null), place, lines: [], bytes: 0 }
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
      const { name } = resource
      const entry = newEntry(name)
      items.push({ entry, line: 0 })
      emit({
        kind: 'resource',
        name,
        entry: entries[entry] ?? new Uint8Array(),
        type: FHIR_JSON,
        ...place,
        body: bytes
      })
    }
  }
  const end = (): void => {
    if (index !== known.resources.length) refuseChange()
    for (const each of open.values()) close(each)
    const body = encodeManifest({ entries, items, batches })
    emit({
      kind: 'manifest',
      name: null,
      entry: random(ENTRY_ID_BYTES),
      type: MANIFEST_TYPE,
      compartment: known.manifest,
      day: today,
      body
    })
  }
  return { take, end }
}

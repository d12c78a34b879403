/** What an import was made of, so that it can be made again to the byte (docs/specs/fhir.md#manifest). */
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { textOf } from '#core/encoding/text.ts'
import { readVersion } from '#core/encoding/version.ts'
import { restoreAttachments, type OpenEntryBody, type OpenPartBody } from '#core/fhir/attachment.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'

const AREA = 'IMPORT'
const MAX_BYTES = 67_108_864
const MAX_ITEMS = 4_000_000
const LINE_END = 0x0a
const NONE = new Uint8Array()

/** Media type of an entry that holds a manifest. */
export const MANIFEST_TYPE = 'application/vnd.salus.import+cbor'

/** Text as it stood, or a resource: which of the entries holds it, and on which of its lines. */
export type ManifestItem = string | { readonly entry: number; readonly line: number }

/** An import's parts, in order. */
export interface ImportManifest {
  /** Ids of the entries that hold resources, 16 bytes each. */
  readonly entries: readonly Uint8Array[]
  readonly items: readonly ManifestItem[]
  /** Entries that hold one resource a line (`application/fhir+ndjson`), by their place in `entries`. */
  readonly batches: readonly number[]
}

/** Encodes a manifest. */
export function encodeManifest({ entries, items, batches }: ImportManifest): Uint8Array {
  const encoded = items.map(item => (typeof item === 'string' ? item : [item.entry, item.line]))
  return encodeCanonical({ v: 1, entries, items: encoded, batches })
}

/**
 * Reads a manifest.
 *
 * @throws SalusError `IMPORT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`
 */
export function decodeManifest(bytes: Uint8Array): ImportManifest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'entries', 'items', 'batches'])
  const entries = readList(map['entries'], AREA, 'entries', MAX_ITEMS, id =>
    readBytes(id, AREA, 'entries', ENTRY_ID_BYTES)
  )
  const last = entries.length - 1
  const items = readList(map['items'], AREA, 'items', MAX_ITEMS, item => {
    if (typeof item === 'string') return readText(item, AREA, 'items', MAX_BYTES)
    const [entry, line, ...more] = readList(item, AREA, 'items', 2, part => readUint(part, AREA, 'items', MAX_ITEMS))
    if (entry == null || line == null || entry > last || more.length > 0) {
      throw new SalusError('IMPORT_SHAPE', 'Refused: the manifest names a resource that it does not hold.')
    }
    return { entry, line }
  })
  const batches = readList(map['batches'], AREA, 'batches', MAX_ITEMS, i =>
    readUint(i, AREA, 'batches', Math.max(0, last))
  )
  return { entries, items, batches }
}

/**
 * What was imported, byte for byte, piece by piece.
 *
 * @param open - the body of an entry of the record, by its id
 * @param openPart - of a part of an attachment, and the id of the resource's entry; of the text between resources, none
 * @throws SalusError `IMPORT_LINE` if an entry has lost a line, `FHIR_ATTACHMENT_SIZE`, and as `open`
 */
export async function* exportImport(
  { entries, items, batches }: ImportManifest,
  open: OpenEntryBody,
  openPart: OpenPartBody = open
): AsyncGenerator<Uint8Array> {
  const several = new Set(batches)
  // Resources of one batch mostly stand together: the last one is kept.
  let opened: { readonly entry: number; readonly body: Uint8Array } = { entry: -1, body: new Uint8Array() }
  for (const item of items) {
    if (typeof item === 'string') {
      yield* restoreAttachments(utf8(item), part => openPart(part, NONE))
      continue
    }
    const id = entries[item.entry] ?? new Uint8Array()
    if (opened.entry !== item.entry) opened = { entry: item.entry, body: await open(id) }
    const body = several.has(item.entry) ? lineOf(opened.body, item.line) : opened.body
    yield* restoreAttachments(body, part => openPart(part, id))
  }
}

/** The line of a batch, by its number from 0. */
export function lineOf(body: Uint8Array, line: number): Uint8Array {
  let start = 0
  for (let i = 0; i < line; i++) {
    const end = body.indexOf(LINE_END, start)
    if (end < 0) throw new SalusError('IMPORT_LINE', 'An entry holds fewer resources than were imported into it.')
    start = end + 1
  }
  const end = body.indexOf(LINE_END, start)
  return body.subarray(start, end < 0 ? body.length : end)
}

/** The text of a piece between resources. */
export function textItem(bytes: Uint8Array): string {
  return textOf(bytes) ?? ''
}

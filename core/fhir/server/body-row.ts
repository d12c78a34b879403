/** The row in which an agent keeps what it indexed of a body of FHIR (docs/specs/agent-index.md#rows). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import type { DateSpan } from '#core/fhir/clinical-day.ts'
import type { IndexedToken } from '#core/fhir/search/index-resource.ts'
import type { IndexedLine } from '#core/fhir/server/indexed-body.ts'
import type { NamedContent } from '#core/fhir/server/served.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'

const AREA = 'AGENT_INDEX'
const MAX_BYTES = 33_554_432
const MAX_ITEMS = 1_000_000
const MAX_TEXT = 16_777_216

type Encoded = readonly unknown[]

/** The bytes to keep; what is read back is trusted, so they have to be sealed. */
export function encodeBodyRow(lines: readonly IndexedLine[]): Uint8Array {
  return encodeCanonical([1, lines.map(encodeLine)])
}

/**
 * Reads them back.
 *
 * @throws SalusError `AGENT_INDEX_*`
 */
export function decodeBodyRow(bytes: Uint8Array): IndexedLine[] {
  const [version, lines] = listIn(decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES }))
  if (version !== 1) throw shape()
  return readList(lines, AREA, 'lines', MAX_ITEMS, decodeLine)
}

function encodeLine({ line, ownId, type, tokens, dates, references, clinicalMs, contents }: IndexedLine): Encoded {
  return [
    ...[line, ownId, type, clinicalMs],
    entriesOf(tokens, ({ system, code }) => [system, code]),
    entriesOf(dates, ({ fromMs, toMs }) => [finite(fromMs), finite(toMs)]),
    entriesOf(references, reference => reference),
    contents.map(({ id, type: media, sizeBytes, parts }) => [id, media, sizeBytes, parts])
  ]
}

function decodeLine(value: unknown): IndexedLine {
  const [line, ownId, type, clinicalMs, tokens, dates, references, contents] = listIn(value)
  return {
    line: line === null ? null : readUint(line, AREA, 'line'),
    ownId: ownId === null ? null : text(ownId),
    type: text(type),
    clinicalMs: clinicalMs === null ? null : whole(clinicalMs),
    tokens: mapOf(tokens, (each): IndexedToken => {
      const [system, code] = listIn(each)
      return { system: text(system), code: text(code) }
    }),
    dates: mapOf(dates, (each): DateSpan => {
      const [fromMs, toMs] = listIn(each)
      return {
        fromMs: fromMs === null ? -Infinity : whole(fromMs),
        toMs: toMs === null ? Infinity : whole(toMs)
      }
    }),
    references: mapOf(references, text),
    contents: readList(contents, AREA, 'contents', MAX_ITEMS, decodeContent)
  }
}

function decodeContent(value: unknown): NamedContent {
  const [id, type, sizeBytes, parts] = listIn(value)
  return {
    id: text(id),
    type: text(type),
    sizeBytes: readUint(sizeBytes, AREA, 'size'),
    parts: readList(parts, AREA, 'parts', MAX_ITEMS, part => readBytes(part, AREA, 'part', ENTRY_ID_BYTES))
  }
}

function entriesOf<T>(map: ReadonlyMap<string, readonly T[]>, encode: (each: T) => unknown): Encoded {
  return [...map].filter(([, values]) => values.length > 0).map(([name, values]) => [name, values.map(encode)])
}

function mapOf<T>(value: unknown, decode: (each: unknown) => T): Map<string, readonly T[]> {
  return new Map(
    readList(value, AREA, 'terms', MAX_ITEMS, each => {
      const [name, values] = listIn(each)
      return [text(name), readList(values, AREA, 'values', MAX_ITEMS, decode)] as const
    })
  )
}

function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null
}

function whole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw shape()
}

function text(value: unknown): string {
  return readText(value, AREA, 'text', MAX_TEXT)
}

function listIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  throw shape()
}

function shape(): SalusError {
  return new SalusError('AGENT_INDEX_SHAPE', 'The agent’s own index is damaged; it is made again from the record.')
}

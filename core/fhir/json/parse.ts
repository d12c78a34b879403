/** JSON from strangers, whole in memory (docs/specs/fhir.md#json). */
import canonicalize from 'canonicalize'
import { textOf } from '#core/encoding/text.ts'
import { refuse } from '#core/fhir/json/refuse.ts'
import { createJsonScanner, type JsonLimits, type JsonSink } from '#core/fhir/json/scanner.ts'

/** What one resource may be. */
export const RESOURCE_LIMITS: JsonLimits = { maxBytes: 16_777_216, maxDepth: 64, maxItems: 500_000 }

/** A JSON object as read. */
export type JsonObject = Readonly<Record<string, unknown>>

const NO_SINK: JsonSink = { key() {}, begin: () => false, end() {}, text() {}, unit() {} }

/**
 * Reads one JSON value after it was scanned: the platform's parser never sees what the scanner refuses.
 *
 * Numbers become doubles: what must keep `1.00` keeps the bytes.
 *
 * @throws SalusError `JSON_*` as the scanner, and `JSON_MALFORMED` for bytes that are not UTF-8
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = RESOURCE_LIMITS): unknown {
  const scanner = createJsonScanner(limits, NO_SINK)
  scanner.write(bytes)
  scanner.end()
  return JSON.parse(textOf(bytes) ?? refuse('JSON_MALFORMED', 'it is not UTF-8'))
}

/**
 * The canonical text of a JSON value (RFC 8785): the form in which two documents are compared.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? refuse('JSON_MALFORMED', 'it has no canonical form')
}

/** Tells whether a value is an object, not a list or null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The markers that a reading of an import leaves where large contents stood (docs/specs/fhir.md#attachments). */
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { textOf } from '#core/encoding/text.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { ATTACHMENT_URL } from '#core/fhir/attachment.ts'
import { mediaTypeOf } from '#core/fhir/import/media-type.ts'
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'

const MARKER_VALUE = new RegExp(`(?<="url":"${ATTACHMENT_URL}","valueString":")[^"]*`, 'g')

/** What tells a resource from another: a digest of it without what its markers say, which differs between readings. */
export function digestOf(p: Primitives, bytes: Uint8Array, text: string | undefined = textOf(bytes)): Uint8Array {
  if (text == null || !text.includes(ATTACHMENT_URL)) return p.sha256(bytes)
  return p.sha256(utf8(text.replace(MARKER_VALUE, '')))
}

/** The markers that this reading put into a piece; any other use of their name is refused. */
export function checkMarkers(text: string, made: number, placed: number): string[] {
  const found = text.split(`"${ATTACHMENT_URL}"`).length - 1
  if (found === 0) return []
  const values = [...text.matchAll(MARKER_VALUE)].map(([value]) => value)
  const isOurs =
    found === values.length && values.every((value, i) => value === String(placed + i) && placed + i < made)
  if (!isOurs) throw new SalusError('FHIR_RESERVED', 'Refused: it uses a name that stands for entries of a record.')
  return values
}

/** The media type of each content that left a marker, in the order of the markers. */
export function mediaTypesOf(resource: JsonObject, firstMarker: number): string[] {
  const types: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    else if (isJsonObject(value)) {
      const marker = markerOf(value['_data'])
      if (marker != null) types[marker - firstMarker] = mediaTypeOf(value['contentType'])
      Object.values(value).forEach(visit)
    }
  }
  visit(resource)
  return types
}

function markerOf(companion: unknown): number | undefined {
  const list = isJsonObject(companion) ? companion['extension'] : undefined
  const first: unknown = Array.isArray(list) ? list[0] : undefined
  if (!isJsonObject(first) || first['url'] !== ATTACHMENT_URL) return undefined
  return Number(first['valueString'])
}

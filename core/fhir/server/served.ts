/** A stored resource as the endpoint serves it: its own text, with its name there and with links to large contents. */
import { utf8, toHex } from '#core/encoding/bytes.ts'
import { textOf } from '#core/encoding/text.ts'
import { ATTACHMENT_URL, attachmentsOf, type AttachmentContent } from '#core/fhir/attachment.ts'
import { mediaTypeOf } from '#core/fhir/import/media-type.ts'
import { createJsonScanner } from '#core/fhir/json/scanner.ts'
import { RESOURCE_LIMITS, isJsonObject } from '#core/fhir/json/parse.ts'

const MARKER =
  /"_data"\s*:\s*\{"extension":\[\{"url":"urn:salus:attachment","valueString":"\d{1,16}:([0-9a-f]{32})[^"]*"\}\]\}/g

/** An attachment whose content has entries of its own. */
export interface ServedContent extends AttachmentContent {
  /** Id of its first part, which names it on the endpoint. */
  readonly id: string
  /** The entry that names it. */
  readonly of: Uint8Array
  readonly type: string
}

/** The contents that a resource refers to, by its body and the id of its entry. */
export function contentsOf(body: Uint8Array, of: Uint8Array): ServedContent[] {
  const types = new Map<string, string>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    else if (isJsonObject(value)) {
      const { _data: companion, contentType } = value
      const marker = companion == null ? '' : JSON.stringify(companion)
      const id = /"valueString":"\d{1,16}:([0-9a-f]{32})/.exec(marker)?.[1]
      if (id != null && marker.includes(ATTACHMENT_URL)) types.set(id, mediaTypeOf(contentType))
      Object.values(value).forEach(visit)
    }
  }
  const contents = attachmentsOf(body)
  if (contents.length > 0) visit(JSON.parse(textOf(body) ?? 'null'))
  return contents.map(content => {
    const id = toHex(content.parts[0] ?? new Uint8Array()).slice(2)
    return { ...content, id, of, type: types.get(id) ?? mediaTypeOf(undefined) }
  })
}

/** The text of a resource under its id on the endpoint. A content that would be the second `url` of its attachment stays unlinked. */
export function servedText(body: Uint8Array, id: string, base: string): string {
  const text = textOf(withId(body, id)) ?? 'null'
  if (!text.includes(ATTACHMENT_URL)) return text
  if (hasSecondUrl(JSON.parse(text))) return text
  return text.replaceAll(MARKER, (_, part: string) => `"url":${JSON.stringify(`${base}/Binary/${part}`)}`)
}

function hasSecondUrl(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasSecondUrl)
  if (!isJsonObject(value)) return false
  return (value['_data'] != null && value['url'] != null) || Object.values(value).some(hasSecondUrl)
}

/** Sets the member `id` of an object's text; the rest stays as it is. */
function withId(body: Uint8Array, id: string): Uint8Array {
  let depth = 0
  let isId = false
  let from = -1
  let to = -1
  const scanner = createJsonScanner(RESOURCE_LIMITS, {
    key: name => void (isId = depth === 1 && name === 'id'),
    begin: (_, at) => {
      if (isId && depth === 1) from = at
      depth++
      return false
    },
    end: (_, at) => {
      depth--
      if (isId && depth === 1) to = at
      if (depth === 1) isId = false
    },
    text() {},
    unit() {}
  })
  scanner.write(body)
  const value = JSON.stringify(id)
  if (from >= 0) return utf8(`${textOf(body.subarray(0, from)) ?? ''}${value}${textOf(body.subarray(to)) ?? ''}`)
  const open = body.indexOf(0x7b) + 1
  const isEmpty = /^\s*\}/.test(textOf(body.subarray(open)) ?? '')
  const rest = textOf(body.subarray(open)) ?? ''
  return utf8(`${textOf(body.subarray(0, open)) ?? ''}"id":${value}${isEmpty ? '' : ','}${rest}`)
}

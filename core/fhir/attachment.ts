/**
 * Where an attachment's content stood in a resource that was imported (docs/specs/fhir.md#attachments): the member `data` gives
 * way to its FHIR companion `_data`, which names the entries that hold the content.
 */
import { concat, fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { encodeBase64 } from '#core/encoding/base64.ts'
import { textOf } from '#core/encoding/text.ts'
import { SalusError } from '#core/error.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'

/** URL of the extension; a source that uses it is refused. */
export const ATTACHMENT_URL = 'urn:salus:attachment'

/** Bytes of one part of an attachment, all but the last; a multiple of three, so that the base64 of parts joins. */
export const PART_BYTES: number = 3 * 1_048_576

const QUOTE = '"'
const MARKER =
  /"_data"(\s*:\s*)\{"extension":\[\{"url":"urn:salus:attachment","valueString":"(\d{1,16}):([0-9a-f]{32}(?:,[0-9a-f]{32})*)"\}\]\}/g

/** The content of an attachment, as a resource's body names it. */
export interface AttachmentContent {
  readonly sizeBytes: number
  /** Ids of the entries that hold its parts, in order. */
  readonly parts: readonly Uint8Array[]
}

/** Hands out the bytes of an entry. */
export type OpenEntryBody = (entry: Uint8Array) => Promise<Uint8Array>

/**
 * Hands out the bytes of a part that the entry `of` names, only if both are of one author and section
 * (docs/specs/fhir.md#attachments).
 */
export type OpenPartBody = (part: Uint8Array, of: Uint8Array) => Promise<Uint8Array>

/** The value of the member `_data` that stands for a content. */
export function attachmentMarker(value: string): Uint8Array {
  return utf8(`{"extension":[{"url":"${ATTACHMENT_URL}","valueString":"${value}"}]}`)
}

/** What a marker says of a content. */
export function markerValue({ sizeBytes, parts }: AttachmentContent): string {
  return `${sizeBytes}:${parts.map(part => toHex(part).slice(2)).join(',')}`
}

/** The attachments that a resource's body names. */
export function attachmentsOf(body: Uint8Array): AttachmentContent[] {
  return [...(textOf(body) ?? '').matchAll(MARKER)].map(([, , size = '', ids = '']) => contentOf(size, ids))
}

function contentOf(size: string, ids: string): AttachmentContent {
  return { sizeBytes: Number(size), parts: ids.split(',').map(id => fromHex(id, ENTRY_ID_BYTES)) }
}

/**
 * A resource's body as it was before the import, piece by piece: no more than one part is in memory.
 *
 * @throws SalusError `FHIR_ATTACHMENT_SIZE` if the parts are not as long as the body says, and as `open`
 */
export async function* restoreAttachments(body: Uint8Array, open: OpenEntryBody): AsyncGenerator<Uint8Array> {
  const text = textOf(body) ?? ''
  let done = 0
  for (const match of text.matchAll(MARKER)) {
    const [whole, between = '', size = '', ids = ''] = match
    yield utf8(`${text.slice(done, match.index)}"data"${between}${QUOTE}`)
    yield* base64Of(contentOf(size, ids), open)
    yield utf8(QUOTE)
    done = match.index + whole.length
  }
  yield done === 0 ? body : utf8(text.slice(done))
}

async function* base64Of(content: AttachmentContent, open: OpenEntryBody): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array()
  for await (const part of readAttachment(content, open)) {
    const bytes = concat(rest, part)
    const whole = bytes.length - (bytes.length % 3)
    yield encodeBase64(bytes.subarray(0, whole))
    rest = bytes.slice(whole)
  }
  yield encodeBase64(rest)
}

/**
 * The content of an attachment, part by part.
 *
 * @throws SalusError `FHIR_ATTACHMENT_SIZE`, and as `open`
 */
export async function* readAttachment(content: AttachmentContent, open: OpenEntryBody): AsyncGenerator<Uint8Array> {
  let size = 0
  for (const part of content.parts) {
    const bytes = await open(part)
    size += bytes.length
    yield bytes
  }
  if (size !== content.sizeBytes) {
    throw new SalusError(
      'FHIR_ATTACHMENT_SIZE',
      'Refused: the parts of an attachment do not have the size that it had.'
    )
  }
}

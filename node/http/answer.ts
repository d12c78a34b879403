/** Reading what a server answers, no further than it may be long: whoever is asked may answer without end. */
import { SalusError } from '#core/error.ts'

/** Largest JSON answer of a node, bytes: a page of entries with their blobs. */
export const MAX_JSON_ANSWER_BYTES: number = 16 << 20

/**
 * The body of an answer.
 *
 * @throws SalusError `NODE_ANSWER` if it is longer than `maxBytes`, or breaks off
 */
export async function bytesIn(response: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  const body: AsyncIterable<Uint8Array> | null = response.body
  try {
    for await (const part of body ?? []) {
      length += part.length
      if (length > maxBytes) throw new Error(`more than ${String(maxBytes)} bytes`)
      parts.push(part)
    }
  } catch (cause) {
    throw new SalusError('NODE_ANSWER', 'The node’s answer breaks off, or is longer than any such answer.', { cause })
  }
  return new Uint8Array(Buffer.concat(parts, length))
}

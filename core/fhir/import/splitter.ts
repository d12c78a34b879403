/**
 * Takes a stream of FHIR JSON apart while it is read: resources, the text between them, and the content of large attachments
 * (docs/specs/fhir.md#import). Nothing larger than one resource without its attachments is held.
 */
import { createBase64Reader, isBase64Code, type Base64Reader } from '#core/encoding/base64.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { attachmentMarker } from '#core/fhir/attachment.ts'
import { createGrowingBytes } from '#core/fhir/import/grow.ts'
import { RESOURCE_LIMITS } from '#core/fhir/json/parse.ts'
import { createJsonScanner, type JsonKind, type JsonLimits } from '#core/fhir/json/scanner.ts'

/** What a stream is made of, in its order. */
export type Piece =
  /** Text between resources. */
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  /** One resource; where a large content stood is a marker. */
  | { readonly kind: 'resource'; readonly bytes: Uint8Array; readonly isInBundle: boolean }
  /** A bundle has ended. */
  | { readonly kind: 'bundle end' }

/** Takes the contents of attachments while they are read. */
export interface AttachmentSink {
  /** Decoded bytes, lent until it returns. */
  put(piece: Uint8Array): void
  /** The content has ended; returns what the marker shall say. */
  end(): string
}

/** Takes bytes in order; what it has found so far is taken away by `take`. */
export interface Splitter {
  write(chunk: Uint8Array): void
  end(): void
  take(): Piece[]
}

/** Contents of at most so many characters of base64 stay in their resource. */
export const INLINE_CHARACTERS = 4096

/** What a whole import may be. */
export const IMPORT_LIMITS: JsonLimits = { maxBytes: 2 ** 40, maxDepth: 64, maxItems: 50_000_000 }

const DATA_KEY = '"data"'

/**
 * Makes a splitter.
 *
 * @throws SalusError (from its methods) `JSON_*` as the scanner, `FHIR_OVERSIZE`, `FHIR_BUNDLE`, `BASE64_MALFORMED`
 */
export function createSplitter(attachments: AttachmentSink): Splitter {
  let pieces: Piece[] = []
  const text = createGrowingBytes(RESOURCE_LIMITS.maxBytes)
  /** The resource being read, or the top-level value until it turns out to be a bundle. */
  const value = createGrowingBytes(RESOURCE_LIMITS.maxBytes)
  let chunk: Uint8Array = new Uint8Array()
  let from = 0
  /** Key of each open object, null for lists. */
  const path: (string | null)[] = []
  /** Depth at which the resource within a bundle lies; 0 outside of one. */
  let resourceDepth = 0
  let isBundle = false
  /** Where the key of a `data` member begins in `value`; -1 if the last key was another. */
  let keyMark = -1
  let valueMark = -1
  /** First characters of what may be a content. */
  let probe: number[] | null = null
  let reader: Base64Reader | null = null

  const flush = (at: number): void => {
    if (at > from && reader == null) (path.length === 0 && !isValueOpen ? text : value).append(chunk.subarray(from, at))
    from = at
  }
  let isValueOpen = false

  const emitText = (): void => {
    if (text.length() > 0) pieces.push({ kind: 'text', bytes: text.take() })
  }
  const key = (name: string, after: number): void => {
    flush(after)
    path[path.length - 1] = name
    const isSignature = path[0] === 'signature' && resourceDepth === 0
    const isPlain = name === 'data' && String.fromCharCode(...value.tail(DATA_KEY.length)) === DATA_KEY
    keyMark = isPlain && !isSignature ? value.length() - DATA_KEY.length : -1
  }
  const begin = (kind: JsonKind, at: number): boolean => {
    flush(at)
    if (path.length === 0) isValueOpen = true
    const isEntry = path.length === 3 && path[0] === 'entry' && path[1] === null && path[2] === 'resource'
    if (isEntry && resourceDepth === 0) {
      if (kind !== 'object') throw new SalusError('FHIR_BUNDLE', 'Refused: a resource of a bundle is not an object.')
      isBundle = true
      resourceDepth = 3
      text.append(value.take())
      emitText()
    }
    const mayHold = kind === 'string' && keyMark >= 0
    if (mayHold) {
      valueMark = value.length()
      probe = []
    } else keyMark = -1
    if (kind === 'object' || kind === 'list') path.push(kind === 'list' ? null : '')
    return mayHold
  }
  const end = (kind: JsonKind, at: number): void => {
    if (kind === 'object' || kind === 'list') path.pop()
    if (kind === 'string' && keyMark >= 0) endContent(at)
    flush(at)
    if (resourceDepth > 0 && path.length === resourceDepth) {
      pieces.push({ kind: 'resource', bytes: value.take(), isInBundle: true })
      resourceDepth = 0
    }
    if (path.length === 0) endValue()
  }
  const endValue = (): void => {
    isValueOpen = false
    if (isBundle) {
      text.append(value.take())
      emitText()
      pieces.push({ kind: 'bundle end' })
    } else {
      emitText()
      pieces.push({ kind: 'resource', bytes: value.take(), isInBundle: false })
    }
    isBundle = false
  }

  const content = (codes: ArrayLike<number>, start: number, to: number): void => {
    if (reader != null) {
      reader.write(codes, start, to)
      return
    }
    if (probe == null) return
    for (let i = start; i < to; i++) {
      const code = codes[i] ?? 0
      if (!isBase64Code(code)) {
        probe = null
        return
      }
      probe.push(code)
      if (probe.length <= INLINE_CHARACTERS) continue
      // An object that has a `_data` of its own keeps its content.
      if (scanner.claimKey('_data')) {
        reader = createBase64Reader(piece => attachments.put(piece))
        value.truncate(valueMark)
        reader.write(probe, 0, probe.length)
        reader.write(codes, i + 1, to)
      }
      probe = null
      return
    }
  }
  const endContent = (at: number): void => {
    if (reader != null) {
      reader.end()
      value.insert(keyMark + 1, utf8('_'))
      value.append(attachmentMarker(attachments.end()))
      from = at
    }
    reader = null
    probe = null
    keyMark = -1
  }

  const sink = { key, begin, end, text: content, unit: (code: number) => content([code], 0, 1) }
  const scanner = createJsonScanner(IMPORT_LIMITS, sink, true)
  return {
    write: next => {
      chunk = next
      from = 0
      scanner.write(next)
      flush(next.length)
    },
    end: () => {
      chunk = new Uint8Array()
      from = 0
      scanner.end()
      emitText()
    },
    take: () => {
      const taken = pieces
      pieces = []
      return taken
    }
  }
}

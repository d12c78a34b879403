/** What a SMART Health Link's server answers (docs/specs/smart-health-link.md#manifest). */
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { isJsonObject, parseJson } from '#core/fhir/json/parse.ts'
import { MAX_SHL_FILE_BYTES } from '#core/fhir/shl/file.ts'
import type { ShlLink } from '#core/fhir/shl/link.ts'

const LIMITS = { maxBytes: 2 * MAX_SHL_FILE_BYTES, maxDepth: 12, maxItems: 10_000 }
const MAX_FILES = 100

/** One file: here, or where it can be fetched within the hour. */
export type ManifestFile =
  | { readonly contentType: string; readonly embedded: string }
  | { readonly contentType: string; readonly location: string }

/** Whether the files may change. */
export type ShlStatus = 'finalized' | 'can-change' | 'no-longer-valid'

/** A link's files. */
export interface ShlManifest {
  readonly files: readonly ManifestFile[]
  readonly status?: ShlStatus
}

/** A request to send for a link. */
export interface ShlRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** JSON; none for a direct link. */
  readonly body: Uint8Array | undefined
}

/**
 * The request that opens a link.
 *
 * @param asks - `recipient`: who opens it, for the one who made it to see
 * @throws SalusError `SHL_EXPIRED`, `SHL_PASSCODE_NEEDED`
 */
export function requestOf(
  link: ShlLink,
  asks: { readonly recipient: string; readonly passcode?: string; readonly embeddedLengthMax?: number },
  nowS: number
): ShlRequest {
  // A server may forget to end a link; its maker's word counts.
  if (link.expiresAtS != null && nowS >= link.expiresAtS)
    throw new SalusError('SHL_EXPIRED', 'The link has ended; ask for a new one.')
  if (link.needsPasscode && asks.passcode == null) {
    throw new SalusError('SHL_PASSCODE_NEEDED', 'The link asks for a passcode; the one who gave you the link has it.')
  }
  if (!link.isDirect) return { method: 'POST', url: link.url, body: utf8(JSON.stringify(asks)) }
  const sign = link.url.includes('?') ? '&' : '?'
  return { method: 'GET', url: `${link.url}${sign}recipient=${encodeURIComponent(asks.recipient)}`, body: undefined }
}

/** Encodes a manifest. */
export function encodeShlManifest({ files, status }: ShlManifest): Uint8Array {
  return utf8(JSON.stringify(status == null ? { files } : { status, files }))
}

/**
 * Reads a manifest.
 *
 * @throws SalusError `SHL_MANIFEST`, and `JSON_*`
 */
export function decodeShlManifest(bytes: Uint8Array): ShlManifest {
  const value = parseJson(bytes, LIMITS)
  const { files, status } = isJsonObject(value) ? value : {}
  if (!Array.isArray(files) || files.length > MAX_FILES) return refuse()
  return { files: files.map(readFile), ...(isStatus(status) ? { status } : {}) }
}

function readFile(file: unknown): ManifestFile {
  const { contentType, embedded, location } = isJsonObject(file) ? file : {}
  if (typeof contentType !== 'string') return refuse()
  if (typeof embedded === 'string') return { contentType, embedded }
  return typeof location === 'string' && /^https?:\/\//.test(location) ? { contentType, location } : refuse()
}

function isStatus(value: unknown): value is ShlStatus {
  return value === 'finalized' || value === 'can-change' || value === 'no-longer-valid'
}

function refuse(): never {
  throw new SalusError('SHL_MANIFEST', 'Refused: the link’s server does not answer with a list of files.')
}

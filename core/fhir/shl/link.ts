/**
 * SMART Health Links (docs/specs/smart-health-link.md).
 *
 * @see https://hl7.org/fhir/uv/smart-health-cards-and-links/links-specification.html
 */
import { base64url } from 'multiformats/bases/base64'
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { isJsonObject, parseJson } from '#core/fhir/json/parse.ts'

const SCHEME = 'shlink:/'
const MAX_LINK = 8192
const MAX_URL = 128
const MAX_LABEL = 80
const KEY_BYTES = 32
/** Payloads are small; nothing in one needs more. */
const LIMITS = { maxBytes: 4096, maxDepth: 8, maxItems: 100 }

/** A link as it is shown. */
export interface ShlLink {
  /** Where the manifest, or with `direct` the file, is asked for. */
  readonly url: string
  /** AES-256 key of all files. */
  readonly key: Uint8Array
  /** When it ends, in seconds since 1970, as far as its maker says. */
  readonly expiresAtS?: number
  /** For people; at most 80 characters. */
  readonly label?: string
  /** Flag L: may be asked again and again for what is new. */
  readonly isLongTerm: boolean
  /** Flag P: a passcode is asked for. */
  readonly needsPasscode: boolean
  /** Flag U: the url gives the one encrypted file itself. */
  readonly isDirect: boolean
}

/**
 * Writes a link.
 *
 * @param viewer - address of a page that shows links, put before it
 * @throws SalusError `SHL_SHAPE` for what no link may be
 */
export function encodeLink(link: ShlLink, viewer?: string): string {
  const { url, key, expiresAtS, label, isLongTerm, needsPasscode, isDirect } = link
  checkLink(link)
  const flag = `${isLongTerm ? 'L' : ''}${needsPasscode ? 'P' : ''}${isDirect ? 'U' : ''}`
  const payload = {
    url,
    key: bare(key),
    ...(expiresAtS == null ? {} : { exp: expiresAtS }),
    ...(flag === '' ? {} : { flag }),
    ...(label == null ? {} : { label }),
    v: 1
  }
  return `${viewer == null ? '' : `${viewer}#`}${SCHEME}${bare(utf8(JSON.stringify(payload)))}`
}

/**
 * Reads a link, with or without a viewer's address before it; what its maker added beside is ignored, as the specification asks.
 *
 * @throws SalusError `SHL_MALFORMED` (not a link), `SHL_VERSION`, `SHL_SHAPE`, and `JSON_*` for its payload
 */
export function parseLink(text: string): ShlLink {
  const at = text.indexOf(SCHEME)
  const isPlaced = at === 0 || (at > 0 && text.charAt(at - 1) === '#')
  const encoded = text.slice(at + SCHEME.length).trim()
  if (!isPlaced || text.length > MAX_LINK || encoded === '') refuse('SHL_MALFORMED', 'this is not a SMART Health Link')
  const payload = parseJson(bytesOf(encoded) ?? refuse('SHL_MALFORMED', 'its payload is not base64url'), LIMITS)
  if (!isJsonObject(payload)) refuse('SHL_SHAPE', 'its payload is no object')
  const { url, key, exp, flag = '', label, v = 1 } = payload
  if (v !== 1) refuse('SHL_VERSION', 'it is of a version that this program does not know')
  const keyBytes = typeof key === 'string' && key.length === 43 ? bytesOf(key) : undefined
  const isShaped =
    typeof url === 'string' &&
    keyBytes != null &&
    typeof flag === 'string' &&
    (exp === undefined || typeof exp === 'number') &&
    (label === undefined || typeof label === 'string')
  if (!isShaped) refuse('SHL_SHAPE', 'a part of it is missing or of the wrong kind')
  const link = {
    url,
    key: keyBytes,
    ...(exp == null ? {} : { expiresAtS: Math.floor(exp) }),
    ...(label == null ? {} : { label }),
    isLongTerm: flag.includes('L'),
    needsPasscode: flag.includes('P'),
    isDirect: flag.includes('U')
  }
  checkLink(link)
  return link
}

function checkLink({ url, key, expiresAtS, label = '', needsPasscode, isDirect }: ShlLink): void {
  if (!/^https?:\/\/[^\s#]+$/.test(url) || url.length > MAX_URL) refuse('SHL_SHAPE', 'its address is none, or too long')
  if (key.length !== KEY_BYTES) refuse('SHL_SHAPE', 'its key has not 32 bytes')
  if (label.length > MAX_LABEL) refuse('SHL_SHAPE', 'its label is too long')
  if (isDirect && needsPasscode) refuse('SHL_SHAPE', 'a direct link cannot ask for a passcode')
  if (expiresAtS != null && !(Number.isSafeInteger(expiresAtS) && expiresAtS > 0))
    refuse('SHL_SHAPE', 'its end is no time')
}

/** base64url without the prefix that multiformats writes. */
function bare(bytes: Uint8Array): string {
  return base64url.encode(bytes).slice(1)
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return base64url.decode(`u${text.replace(/=+$/, '')}`)
  } catch {
    return undefined
  }
}

function refuse(code: string, why: string): never {
  throw new SalusError(code, `Refused the link: ${why}.`)
}

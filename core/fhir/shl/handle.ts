/** Answers requests for a link (docs/specs/smart-health-link.md#server). The server holds sealed files only, not their key. */
import { base64url } from 'multiformats/bases/base64'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { isJsonObject, parseJson } from '#core/fhir/json/parse.ts'
import { encodeShlManifest, type ManifestFile } from '#core/fhir/shl/manifest.ts'
import { claimLink, redeemTicket, type ServedLink } from '#core/fhir/shl/served-link.ts'
import { textOf } from '#core/encoding/text.ts'

/** Most bytes of a request's body. */
export const MAX_SHL_REQUEST_BYTES = 4096

/** A request for a link; `path` is what follows the link's own address. */
export interface ShlServerRequest {
  readonly method: string
  /** Empty, or `/` and the secret of a file. */
  readonly path: string
  /** Query, without its question mark. */
  readonly query: string
  readonly body: Uint8Array
}

/** A link with the files that it opens. */
export interface HostedLink {
  readonly link: ServedLink
  /** The link's own address. */
  readonly url: string
  readonly isLongTerm: boolean
  /** Flag U: one file, asked for by GET. */
  readonly isDirect: boolean
  /** Compact JWEs. */
  readonly files: readonly { readonly contentType: string; readonly jwe: Uint8Array }[]
}

/** An answer, and the state that must be on disk before it is sent. */
export interface ShlServerResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly link: ServedLink
}

const LIMITS = { maxBytes: MAX_SHL_REQUEST_BYTES, maxDepth: 4, maxItems: 20 }
// Links are opened by web pages of any origin; nothing here depends on who the browser is.
const HEADERS = { 'access-control-allow-origin': '*', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
const CORS = { 'access-control-allow-methods': 'GET, POST', 'access-control-allow-headers': 'content-type' }

/** Answers one request. */
export function handleShl(
  p: Primitives,
  random: Random,
  hosted: HostedLink,
  request: ShlServerRequest,
  nowS: number
): ShlServerResponse {
  const { link, isDirect } = hosted
  const { method, path, query } = request
  if (method === 'OPTIONS') return { status: 204, headers: { ...HEADERS, ...CORS }, body: new Uint8Array(), link }
  if (path !== '' && method === 'GET') return giveFile(p, hosted, path, nowS)
  if (path === '' && method === 'GET' && isDirect) {
    const recipient = recipientIn(query)
    if (recipient == null) return json(400, link, { error: 'recipient is missing' })
    const claimed = claimLink(p, random, link, { recipient, nowS })
    const file = hosted.files[0]
    if (claimed.outcome.kind !== 'opened' || file == null) return gone(claimed.link)
    return {
      status: 200,
      headers: { ...HEADERS, 'content-type': 'application/jose' },
      body: file.jwe,
      link: claimed.link
    }
  }
  if (path === '' && method === 'POST' && !isDirect) return giveManifest(p, random, hosted, request.body, nowS)
  return json(405, link, { error: 'not allowed' })
}

function giveManifest(
  p: Primitives,
  random: Random,
  hosted: HostedLink,
  body: Uint8Array,
  nowS: number
): ShlServerResponse {
  const asks = asksIn(body)
  if (asks == null) return json(400, hosted.link, { error: 'recipient is missing' })
  const { recipient, passcode, embeddedLengthMax } = asks
  const { link, outcome } = claimLink(p, random, hosted.link, {
    recipient,
    nowS,
    ...(passcode == null ? {} : { passcode })
  })
  if (outcome.kind === 'gone') return gone(link)
  if (outcome.kind === 'wrong passcode') return json(401, link, { remainingAttempts: outcome.remainingAttempts })
  const files = hosted.files.map(({ contentType, jwe }, i): ManifestFile => {
    if (jwe.length <= embeddedLengthMax) return { contentType, embedded: textOf(jwe) ?? '' }
    const secret = base64url.encode(outcome.secrets[i] ?? new Uint8Array()).slice(1)
    return { contentType, location: `${hosted.url}/${secret}` }
  })
  const manifest = encodeShlManifest({ files, status: hosted.isLongTerm ? 'can-change' : 'finalized' })
  return { status: 200, headers: { ...HEADERS, 'content-type': 'application/json' }, body: manifest, link }
}

function giveFile(p: Primitives, { link, files }: HostedLink, path: string, nowS: number): ShlServerResponse {
  const secret = /^\/([A-Za-z0-9_-]{43})$/.exec(path)?.[1]
  const redeemed = secret == null ? undefined : redeemTicket(p, link, base64url.decode(`u${secret}`), nowS)
  const file = files[redeemed?.file ?? -1]
  if (redeemed == null || file == null) return gone(link)
  return {
    status: 200,
    headers: { ...HEADERS, 'content-type': 'application/jose' },
    body: file.jwe,
    link: redeemed.link
  }
}

function asksIn(
  body: Uint8Array
): { recipient: string; passcode: string | undefined; embeddedLengthMax: number } | undefined {
  let value: unknown
  try {
    value = parseJson(body, LIMITS)
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
  const { recipient, passcode, embeddedLengthMax } = isJsonObject(value) ? value : {}
  if (typeof recipient !== 'string' || recipient === '') return undefined
  return {
    recipient,
    passcode: typeof passcode === 'string' ? passcode : undefined,
    embeddedLengthMax: typeof embeddedLengthMax === 'number' ? embeddedLengthMax : 0
  }
}

function recipientIn(query: string): string | undefined {
  const value = /(?:^|&)recipient=([^&]+)/.exec(query)?.[1]
  try {
    return value == null ? undefined : decodeURIComponent(value.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function json(status: number, link: ServedLink, value: unknown): ShlServerResponse {
  return {
    status,
    headers: { ...HEADERS, 'content-type': 'application/json' },
    body: utf8(JSON.stringify(value)),
    link
  }
}

/** Never was, has ended, is used up: the same answer. */
function gone(link: ServedLink): ShlServerResponse {
  return json(404, link, { error: 'not found' })
}

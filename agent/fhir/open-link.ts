/** Opens a SMART Health Link that someone shows (docs/specs/smart-health-link.md#opening). */
import { isSalusError, SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { MAX_SHL_FILE_BYTES, openShlFile, type ShlFile } from '#core/fhir/shl/file.ts'
import type { ShlLink } from '#core/fhir/shl/link.ts'
import { decodeShlManifest, requestOf } from '#core/fhir/shl/manifest.ts'
import { bodyOf, send, type HttpComponents } from '#agent/fhir/http.ts'

/** Who opens a link, and with what. */
export interface OpenLinkInit {
  /** Shown to whoever made the link. */
  readonly recipient: string
  readonly passcode?: string
  readonly signal?: AbortSignal
  /** Allows plain HTTP: for a server on this machine. */
  readonly allowHttp?: boolean
}

const MAX_BYTES = 2 * MAX_SHL_FILE_BYTES
const EMBEDDED_MAX = 10_000_000
/** A wrong passcode costs an attempt: nothing here is sent twice on its own. */
const ONCE = { attempts: 1 }

/**
 * Fetches and decrypts a link's files.
 *
 * @throws SalusError `SHL_INSECURE`, `SHL_EXPIRED`, `SHL_PASSCODE_NEEDED`, `SHL_PASSCODE_WRONG`, `SHL_GONE`, `SHL_SERVER`,
 * `SHL_MANIFEST`, `SHL_FILE`, `HIS_UNREACHABLE`, `HIS_BUSY`, `HIS_ANSWER`
 */
export async function openLink(components: HttpComponents, link: ShlLink, init: OpenLinkInit): Promise<ShlFile[]> {
  const { recipient, passcode, signal, allowHttp = false } = init
  const asks = { recipient, embeddedLengthMax: EMBEDDED_MAX, ...(passcode == null ? {} : { passcode }) }
  const { method, url, body } = requestOf(link, asks, Math.floor(components.clock() / 1000))
  const get = async (from: string, request: RequestInit = {}): Promise<Uint8Array> => {
    checkAddress(from, allowHttp)
    try {
      const response = await send(components, from, request, { ...ONCE, ...(signal == null ? {} : { signal }) })
      if (response.ok) return await bodyOf(response, MAX_BYTES)
      throw await refusalOf(response)
    } catch (cause) {
      if (isSalusError(cause)) throw cause
      throw new SalusError('SHL_SERVER', 'The link’s server breaks off, or is too slow; try again later.', { cause })
    }
  }
  const headers = { 'content-type': 'application/json' }
  const answer = await get(url, body == null ? { method } : { method, headers, body: new Uint8Array(body) })
  if (link.isDirect) return [await openShlFile(link.key, answer)]
  const opened: ShlFile[] = []
  for (const file of decodeShlManifest(answer).files) {
    opened.push(await openShlFile(link.key, 'embedded' in file ? utf8(file.embedded) : await get(file.location)))
  }
  return opened
}

function checkAddress(url: string, allowHttp: boolean): void {
  const { protocol } = new URL(url)
  if (protocol !== 'https:' && !(allowHttp && protocol === 'http:')) {
    throw new SalusError('SHL_INSECURE', 'Refused: the link’s server is not reached over HTTPS.')
  }
}

async function refusalOf(response: Response): Promise<SalusError> {
  await response.body?.cancel()
  switch (response.status) {
    case 401:
      return new SalusError(
        'SHL_PASSCODE_WRONG',
        'The passcode is wrong; only so many tries are allowed in the link’s whole life.'
      )
    case 404:
    case 410:
      return new SalusError('SHL_GONE', 'The link has ended, or was opened as often as it may be; ask for a new one.')
    default:
      return new SalusError('SHL_SERVER', 'The link’s server does not answer as it should; try again later.')
  }
}

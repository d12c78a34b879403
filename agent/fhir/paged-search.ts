/** Reads a server that has no bulk export, page by page (docs/specs/his-sync.md#search). */
import { SalusError } from '#core/error.ts'
import { isJsonObject } from '#core/fhir/json/parse.ts'
import type { HisRequests } from '#agent/fhir/his-request.ts'
import { objectIn } from '#agent/fhir/his-token.ts'
import { bodyOf } from '#agent/fhir/http.ts'

const PAGE_BYTES = 16_777_216
const MAX_PAGES = 10_000

/**
 * The pages of one search, as the server's own bytes; the next is asked for when the one before was taken.
 *
 * @param saw - is told the server's own time of each answer that states it, in milliseconds since 1970
 * @throws SalusError `HIS_ANSWER`, `HIS_PAGES` (the pages do not end), and as `HisRequests`
 */
export async function* pagedSearch(
  requests: HisRequests,
  url: string,
  saw: (serverMs: number) => void
): AsyncGenerator<Uint8Array> {
  const seen = new Set<string>()
  for (let next: string | undefined = url; next != null;) {
    if (seen.has(next) || seen.size >= MAX_PAGES) {
      throw new SalusError('HIS_PAGES', 'The server’s pages do not end; ask the hospital.')
    }
    seen.add(next)
    const response = await requests.get(next, 'application/fhir+json')
    const serverMs = Date.parse(response.headers.get('date') ?? '')
    if (Number.isFinite(serverMs)) saw(serverMs)
    const bytes = await bodyOf(response, PAGE_BYTES)
    const { resourceType, link, entry } = objectIn(bytes)
    if (resourceType !== 'Bundle')
      throw new SalusError('HIS_ANSWER', 'The server does not answer a search as FHIR asks.')
    if (Array.isArray(entry) && entry.length > 0) yield bytes
    const links: unknown[] = Array.isArray(link) ? link : []
    const url: unknown = links.filter(isJsonObject).find(({ relation }) => relation === 'next')?.['url']
    next = typeof url === 'string' ? new URL(url, next).href : undefined
  }
}

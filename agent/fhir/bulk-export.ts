/**
 * Bulk Data export of a FHIR server (docs/specs/his-sync.md#bulk).
 *
 * @see https://hl7.org/fhir/uv/bulkdata/export.html
 */
import { SalusError } from '#core/error.ts'
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'
import type { HisRequests } from '#agent/fhir/his-request.ts'
import { objectIn } from '#agent/fhir/his-token.ts'
import { bodyOf, retryAfterMs, type HttpComponents } from '#agent/fhir/http.ts'

/** What is asked for. */
export interface BulkInit {
  /** For example `https://his.example/fhir/Group/17/$export`. */
  readonly url: string
  /** Only what changed since: the `transactionTime` of the export before. */
  readonly since: string | null
  readonly types: readonly string[]
  /** Longest time to wait for the server to be ready. */
  readonly maxWaitMs: number
  readonly signal?: AbortSignal
}

/** One file that the server has made. */
export interface BulkFile {
  readonly type: string
  readonly url: string
}

/** A finished export. */
export interface BulkManifest {
  /** The server's own time: what `since` is next. */
  readonly transactionTime: string
  readonly requiresAccessToken: boolean
  readonly output: readonly BulkFile[]
  /** Files of what was deleted there, as bundles. */
  readonly deleted: readonly BulkFile[]
  /** Files of OperationOutcomes. */
  readonly error: readonly BulkFile[]
  /** Where the export is ended once all was fetched. */
  readonly statusUrl: string
}

const MANIFEST_BYTES = 16_777_216
const MAX_FILES = 100_000
const FIRST_POLL_MS = 1000
const MAX_POLL_MS = 120_000

/**
 * Starts an export and waits until it is ready.
 *
 * @throws SalusError `HIS_EXPORT` (no export, or it failed), `HIS_EXPORT_SLOW` (not ready in time), and as `HisRequests`
 */
export async function bulkExport(
  { clock, sleep, jitter }: HttpComponents,
  requests: HisRequests,
  { url, since, types, maxWaitMs, signal }: BulkInit
): Promise<BulkManifest> {
  const query = new URLSearchParams({ _outputFormat: 'application/fhir+ndjson' })
  if (since != null) query.set('_since', since)
  if (types.length > 0) query.set('_type', types.join(','))
  const started = await requests.get(`${url}?${query.toString()}`, 'application/fhir+json', {
    headers: { prefer: 'respond-async' }
  })
  await started.body?.cancel()
  const location = started.headers.get('content-location')
  if (started.status !== 202 || location == null) refuse()
  const statusUrl = new URL(location, url).href
  const untilMs = clock() + maxWaitMs
  for (let poll = 0; ; poll++) {
    const response = await requests.get(statusUrl, 'application/json')
    if (response.status !== 202) return manifestOf(objectIn(await bodyOf(response, MANIFEST_BYTES)), statusUrl)
    await response.body?.cancel()
    if (clock() >= untilMs) {
      await requests.remove(statusUrl)
      throw new SalusError('HIS_EXPORT_SLOW', 'The hospital’s server did not finish the export in time; try later.')
    }
    const growing = Math.min(FIRST_POLL_MS * 2 ** poll, MAX_POLL_MS) * (0.5 + 0.5 * jitter())
    await sleep(Math.min(retryAfterMs(response, clock()) ?? growing, MAX_POLL_MS), signal)
  }
}

function manifestOf(manifest: JsonObject, statusUrl: string): BulkManifest {
  const { transactionTime, requiresAccessToken, output, deleted, error } = manifest
  if (typeof transactionTime !== 'string' || !Number.isFinite(Date.parse(transactionTime))) return refuse()
  return {
    transactionTime,
    // What is not said to be open is not.
    requiresAccessToken: requiresAccessToken !== false,
    output: filesIn(output),
    deleted: filesIn(deleted ?? []),
    error: filesIn(error ?? []),
    statusUrl
  }
}

function filesIn(list: unknown): BulkFile[] {
  if (!Array.isArray(list) || list.length > MAX_FILES) return refuse()
  return list.map((file: unknown) => {
    const { type, url } = isJsonObject(file) ? file : {}
    return typeof type === 'string' && typeof url === 'string' ? { type, url } : refuse()
  })
}

function refuse(): never {
  throw new SalusError('HIS_EXPORT', 'The hospital’s server does not export as Bulk Data asks.')
}

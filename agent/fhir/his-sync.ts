/**
 * Keeps a record up to date with a hospital's FHIR server (docs/specs/his-sync.md): all of a patient's data the first time, what
 * has changed since from then on.
 */
import { SalusError } from '#core/error.ts'
import type { Random } from '#core/crypto/primitives.ts'
import type { ImportSource } from '#core/fhir/import/survey.ts'
import { bulkExport, type BulkFile } from '#agent/fhir/bulk-export.ts'
import { createHisRequests, type HisRequests } from '#agent/fhir/his-request.ts'
import { createTokenSource, type HisClient } from '#agent/fhir/his-token.ts'
import { bodyOf, streamOf, type HttpComponents, type RetryInit } from '#agent/fhir/http.ts'
import { pagedSearch } from '#agent/fhir/paged-search.ts'

/** A place for what is new while it is imported: an import reads twice, a server is asked once. */
export interface Spool {
  /** Writes a stream; it is taken no faster than it is written. What was written is removed if the stream fails. */
  keep(bytes: AsyncIterable<Uint8Array>): Promise<{ readonly open: ImportSource; remove(): Promise<void> }>
}

/** What a sync needs of the world. */
export interface HisSyncComponents extends HttpComponents {
  readonly random: Random
  readonly spool: Spool
}

/** What is synchronised. */
export interface HisSyncInit {
  readonly client: HisClient
  /** `bulk` with the path of an export, `search` with the patient's id there. */
  readonly from:
    { readonly kind: 'bulk'; readonly path: string } | { readonly kind: 'search'; readonly patient: string }
  /** All that the server has, if empty and bulk; what is searched for, otherwise. */
  readonly types: readonly string[]
  readonly retry?: RetryInit
  /** Longest wait for a bulk export; an hour if not given. */
  readonly maxWaitMs?: number
}

/** What a sync knows from the one before; plain data. */
export interface HisSyncState {
  /** The server's time of the last whole sync, null before the first. */
  readonly since: string | null
}

/** What a sync has brought. */
export interface HisSyncResult {
  readonly state: HisSyncState
  /** How many files or pages had something new. */
  readonly files: number
  /** Bundles of what the server says was deleted there: never done here by itself, a record forgets only when its patient says so. */
  readonly deletions: readonly Uint8Array[]
  /** How many files of problems the server reported. */
  readonly problems: number
}

const MAX_FILE_BYTES = 2 ** 40
const MAX_DELETION_BYTES = 16_777_216
const HOUR_MS = 3_600_000
/** Transactions of a server may overlap by so much: what was given once may be given again, never left out. */
const OVERLAP_MS = 60_000
const PAGE = 100
/** Values of one source stand on lines of their own. */
const LINE_END = Uint8Array.of(0x0a)

/** What is new at a server, as one stream; the rest is known when the stream has ended. */
interface Feed {
  readonly bytes: AsyncGenerator<Uint8Array>
  result(): HisSyncResult
  /** Ends what the server keeps for this. */
  close(): Promise<void>
}

/**
 * Fetches what is new and hands it to `take` as one source, or not at all if nothing is new. It is one, however many files or
 * pages the server gives, because a resource may refer to a sensitive one in another file, and lies where that lies. Files are
 * fetched one after another, no faster than they are spooled. The new state is to be kept when this returns; after a failure
 * everything since the old state comes again.
 *
 * @throws SalusError `HIS_*`, and whatever `take` throws
 */
export async function syncFromHis(
  components: HisSyncComponents,
  init: HisSyncInit,
  state: HisSyncState,
  take: (source: ImportSource) => Promise<void>
): Promise<HisSyncResult> {
  const { client, from, retry = {} } = init
  const tokens = createTokenSource(components, client, retry)
  const requests = createHisRequests(components, client, tokens, retry)
  const feed =
    from.kind === 'bulk'
      ? await bulkFeed(components, requests, init, from.path, state)
      : searchFeed(components, requests, init, from.patient, state)
  try {
    const kept = await components.spool.keep(feed.bytes)
    try {
      if (feed.result().files > 0) await take(kept.open)
    } finally {
      await kept.remove()
    }
  } finally {
    await feed.close()
  }
  return feed.result()
}

async function bulkFeed(
  components: HisSyncComponents,
  requests: HisRequests,
  { client, types, maxWaitMs = HOUR_MS, retry }: HisSyncInit,
  path: string,
  { since }: HisSyncState
): Promise<Feed> {
  const signal = retry?.signal == null ? {} : { signal: retry.signal }
  const url = `${client.base}/${path}`
  const manifest = await bulkExport(components, requests, { url, since, types, maxWaitMs, ...signal })
  const isOpen = !manifest.requiresAccessToken
  const get = async (file: BulkFile): Promise<Response> => requests.get(file.url, 'application/fhir+ndjson', { isOpen })
  const deletions: Uint8Array[] = []
  let files = 0
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const file of manifest.output) {
      let isEmpty = true
      for await (const piece of streamOf(await get(file), MAX_FILE_BYTES)) {
        isEmpty = false
        yield piece
      }
      // A server may give an empty file for a type that has nothing new.
      if (isEmpty) continue
      files++
      yield LINE_END
    }
    for (const file of manifest.deleted) deletions.push(await bodyOf(await get(file), MAX_DELETION_BYTES))
  }
  const problems = manifest.error.length
  return {
    bytes: bytes(),
    result: () => ({ state: { since: manifest.transactionTime }, files, deletions, problems }),
    close: async () => requests.remove(manifest.statusUrl)
  }
}

function searchFeed(
  { clock }: HisSyncComponents,
  requests: HisRequests,
  { client, types }: HisSyncInit,
  patient: string,
  { since }: HisSyncState
): Feed {
  if (types.length === 0) throw new SalusError('HIS_TYPES', 'Name the resource types to search for.')
  // The server's clock decides what is new there; ours only where it does not state its own.
  const ourMs = clock()
  let serverMs = Infinity
  let files = 0
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const type of types) {
      const query = new URLSearchParams({ [type === 'Patient' ? '_id' : 'patient']: patient, _count: String(PAGE) })
      if (since != null) query.set('_lastUpdated', `ge${since}`)
      const saw = (atMs: number): void => void (serverMs = Math.min(serverMs, atMs))
      for await (const page of pagedSearch(requests, `${client.base}/${type}?${query.toString()}`, saw)) {
        files++
        yield page
        yield LINE_END
      }
    }
  }
  const begunAt = (): string => new Date((serverMs === Infinity ? ourMs : serverMs) - OVERLAP_MS).toISOString()
  return {
    bytes: bytes(),
    result: () => ({ state: { since: begunAt() }, files, deletions: [], problems: 0 }),
    close: () => Promise.resolve()
  }
}

/**
 * Keeps a record up to date with a hospital's FHIR server (docs/specs/his-sync.md): all of a patient's data the first time, what
 * has changed since from then on.
 */
import { SalusError } from '#core/error.ts'
import type { Random } from '#core/crypto/primitives.ts'
import type { ImportSource } from '#core/fhir/import/survey.ts'
import { bulkExport } from '#agent/fhir/bulk-export.ts'
import { createHisRequests, type HisRequests } from '#agent/fhir/his-request.ts'
import { createTokenSource, type HisClient } from '#agent/fhir/his-token.ts'
import { bodyOf, streamOf, type HttpComponents, type RetryInit } from '#agent/fhir/http.ts'
import { pagedSearch } from '#agent/fhir/paged-search.ts'

/** A place for a file while it is imported: an import reads twice, a server is asked once. */
export interface Spool {
  /** Writes a stream; it is taken no faster than it is written. */
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

/** One file of what is new. */
export interface HisFile {
  /** What it holds, as far as the server says. */
  readonly type: string
  /** A bundle or NDJSON, to import. */
  readonly source: ImportSource
}

/** What a sync has brought. */
export interface HisSyncResult {
  readonly state: HisSyncState
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

/**
 * Fetches what is new and hands it to `take`, file by file: the next is fetched when the one before was taken. The new state
 * is to be kept when this returns; after a failure everything since the old state comes again.
 *
 * @throws SalusError `HIS_*`, and whatever `take` throws
 */
export async function syncFromHis(
  components: HisSyncComponents,
  init: HisSyncInit,
  state: HisSyncState,
  take: (file: HisFile) => Promise<void>
): Promise<HisSyncResult> {
  const { client, retry = {} } = init
  const tokens = createTokenSource(components, client, retry)
  const requests = createHisRequests(components, client, tokens, retry)
  const takeStream = async (type: string, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    const kept = await components.spool.keep(bytes)
    try {
      await take({ type, source: kept.open })
    } finally {
      await kept.remove()
    }
  }
  return init.from.kind === 'bulk'
    ? syncBulk(components, requests, init, init.from.path, state, takeStream)
    : syncSearch(components, requests, init, init.from.patient, state, takeStream)
}

type TakeStream = (type: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>

async function syncBulk(
  components: HisSyncComponents,
  requests: HisRequests,
  { client, types, maxWaitMs = HOUR_MS, retry }: HisSyncInit,
  path: string,
  { since }: HisSyncState,
  take: TakeStream
): Promise<HisSyncResult> {
  const signal = retry?.signal == null ? {} : { signal: retry.signal }
  const manifest = await bulkExport(components, requests, {
    url: `${client.base}/${path}`,
    since,
    types,
    maxWaitMs,
    ...signal
  })
  const isOpen = !manifest.requiresAccessToken
  let files = 0
  for (const { type, url } of manifest.output) {
    const response = await requests.get(url, 'application/fhir+ndjson', { isOpen })
    const filled = await nonEmpty(streamOf(response, MAX_FILE_BYTES))
    if (filled == null) continue
    await take(type, filled)
    files++
  }
  const deletions: Uint8Array[] = []
  for (const { url } of manifest.deleted) {
    deletions.push(await bodyOf(await requests.get(url, 'application/fhir+ndjson', { isOpen }), MAX_DELETION_BYTES))
  }
  await requests.remove(manifest.statusUrl)
  return { state: { since: manifest.transactionTime }, files, deletions, problems: manifest.error.length }
}

async function syncSearch(
  { clock }: HisSyncComponents,
  requests: HisRequests,
  { client, types }: HisSyncInit,
  patient: string,
  { since }: HisSyncState,
  take: TakeStream
): Promise<HisSyncResult> {
  if (types.length === 0) throw new SalusError('HIS_TYPES', 'Name the resource types to search for.')
  // The server's clock decides what is new there; ours only where it does not state its own.
  let begunMs = Infinity
  const saw = (serverMs: number): void => void (begunMs = Math.min(begunMs, serverMs))
  const ourMs = clock()
  let files = 0
  for (const type of types) {
    const query = new URLSearchParams({ [type === 'Patient' ? '_id' : 'patient']: patient, _count: String(PAGE) })
    if (since != null) query.set('_lastUpdated', `ge${since}`)
    for await (const page of pagedSearch(requests, `${client.base}/${type}?${query.toString()}`, saw)) {
      await take(type, only(page))
      files++
    }
  }
  const begunAt = new Date((begunMs === Infinity ? ourMs : begunMs) - OVERLAP_MS).toISOString()
  return { state: { since: begunAt }, files, deletions: [], problems: 0 }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

/** The stream again, unless it holds nothing: servers give empty files for types that have nothing new. */
async function nonEmpty(bytes: AsyncGenerator<Uint8Array>): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const first = await bytes.next()
  if (first.done === true) return undefined
  return (async function* () {
    yield first.value
    yield* bytes
  })()
}

/**
 * A record as far as the reader's keys open it: every header verified once, kept sealed on the disk, and read from a node only
 * as far as it is new (docs/specs/agent-index.md).
 */
import type { CID } from 'multiformats/cid'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Log } from '#core/log/log.ts'
import { statementOf } from '#core/log/statement.ts'
import { commentsOn, readEntry, type Opened, type ReadEntry } from '#core/log/view.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { Content } from '#core/record/content.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { IndexedEntry as SearchRow } from '#core/search/index-row.ts'
import type { SearchQuery } from '#core/search/query.ts'
import type { AgentWorld } from '#agent/components.ts'
import type { HeldRecord } from '#agent/record/held-record.ts'
import { changesOf, type ChangedEntries, type RecordMark } from '#agent/record/changes.ts'
import { viewOf, type IndexedEntry } from '#agent/record/indexed-entry.ts'
import type { EntrySummary, KnownEntry } from '#agent/record/known-entry.ts'
import { createRecordCopy, type RecordCopy } from '#agent/record/record-copy.ts'
import { createRecordReader, type RecordReaderInit } from '#agent/record/record-reader.ts'
import { standingOf } from '#agent/record/standing.ts'

/** An entry with what it says. */
export interface OpenedRecordEntry extends IndexedEntry {
  readonly summary: EntrySummary
  readonly content: Content
}

/** A whole entry, read. */
export interface RecordEntry {
  readonly compartment: Compartment | null
  readonly read: ReadEntry
  readonly comments: readonly ReadEntry[]
}

/** What changed, and the log that it changed in. */
export interface RecordChanges extends Omit<ChangedEntries, 'entries'> {
  readonly log: Log
  /** The versions of each entry. */
  readonly entries: ReadonlyMap<string, readonly IndexedEntry[]>
  /** What was indexed of the body of a version, if anything was. */
  readonly bodyRow: (header: string) => Uint8Array | undefined
}

/** A record. */
export interface RecordIndex {
  /**
   * Headers after a position, in the order in which they were taken in.
   *
   * @throws SalusError what the node refuses the question with
   */
  list(query: { readonly after: number; readonly limit: number }): Promise<{
    readonly entries: readonly IndexedEntry[]
    readonly next: number | null
  }>
  /**
   * Opens one version of an entry, fetched anew; of a statement, what it brings.
   *
   * @param name - id of the entry, of which the newest revision that stands is meant, or name of one header
   * @throws SalusError `ENTRY_UNKNOWN`, `ENTRY_RETRACTED`, and what opening throws
   */
  open(name: string): Promise<OpenedRecordEntry>
  /**
   * Reads an entry: its versions, what was corrected and why, proposals and comments. All of it is fetched anew.
   *
   * @param id - of the entry
   * @throws SalusError `ENTRY_UNKNOWN`
   */
  read(id: string): Promise<RecordEntry>
  /** Standing versions, those taken in last first. */
  search(query: SearchQuery): Promise<readonly IndexedEntry[]>
  /** Of these headers, those that stand; no other is opened. */
  named(names: readonly string[]): Promise<readonly IndexedEntry[]>
  /** What each standing version can be found by. */
  rows(): Promise<readonly { readonly cid: CID; readonly row: SearchRow }[]>
  /** Every version that counts, those that were replaced too. */
  versions(): Promise<readonly IndexedEntry[]>
  /** The verified log, with all that the node has. */
  log(): Promise<Log>
  /**
   * Entries that changed since, with all their versions that the agent knows.
   *
   * @throws SalusError what the node refuses the question with
   */
  changes(since?: RecordMark): Promise<RecordChanges>
  /**
   * What one version says, of a header that was listed; of a statement, what it brings.
   *
   * @throws SalusError `ENTRY_UNKNOWN`, and what opening throws
   */
  content(header: string): Promise<Content>
  /** An entry as it is sealed: by name of one header, or the newest version that stands of an entry. */
  sealed(name: string): Promise<ReceivedEntry>
}

/** Blobs of more bytes are not fetched only to be found by their words. */
const MAX_SEARCHED_BYTES = 4 << 20
const SEARCH_PAGE = 256

/** Makes an index; nothing is fetched before it is asked. */
export function createRecordIndex(world: AgentWorld, init: RecordReaderInit): RecordIndex & RecordCopy {
  const reader = createRecordReader(world, init)

  /** The name of a header, from itself or from its entry’s id. */
  function nameIn(held: HeldRecord, name: string): string {
    if (held.known.has(name)) return name
    const revisions = held.inOrder().filter(each => held.log.node(each.name)?.item.entry === name)
    const newest = standingOf(held, name)?.standing.at(-1) ?? revisions.at(-1)?.name
    if (newest == null) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
    return newest
  }

  async function openOne(held: HeldRecord, name: string): Promise<Opened> {
    try {
      return { content: (await reader.open(held, name)).content }
    } catch (error) {
      if (isSalusError(error) && !/^(?:NODE_|CHAIN_|READ_)/.test(error.code)) return { code: error.code }
      throw error
    }
  }

  async function readOne(held: HeldRecord, id: string): Promise<ReadEntry | undefined> {
    const state = held.log.entry(id)
    if (state == null) return undefined
    const opened = new Map<string, Opened>()
    for (const { item } of state.revisions) opened.set(item.name, await openOne(held, item.name))
    return readEntry(
      state,
      ({ item }) => opened.get(item.name) ?? { code: 'ENTRY_UNKNOWN' },
      name => held.log.node(name)
    )
  }

  return {
    ...createRecordCopy(reader),
    async list({ after, limit }) {
      const held = await reader.refreshed()
      const later = held.inOrder().filter(({ number }) => number > after)
      const page = later.slice(0, limit).map(({ name }) => name)
      await reader.settle(held, page)
      const entries = page.flatMap(name => held.known.get(name) ?? []).map(each => viewOf(held, each))
      return { entries, next: later.length > limit ? (entries.at(-1)?.position ?? null) : null }
    },
    async open(wanted) {
      const held = await reader.refreshed()
      const name = nameIn(held, wanted)
      await reader.settle(held, [name])
      const known = held.known.get(name)
      if (known == null) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
      const view = viewOf(held, known)
      const { content } = await reader.open(held, name)
      const statement = statementOf(content)
      if (view.place === 'refused' || view.place === 'unproven' || 'code' in view.summary) {
        const code = 'code' in view.summary ? view.summary.code : 'LOG_UNKNOWN'
        throw new SalusError(code, 'Refused: this header does not count; the record’s log says why.')
      }
      if (statement != null && statement.content == null) {
        throw new SalusError('ENTRY_RETRACTED', 'This entry was made in error and says nothing any more.')
      }
      return { ...view, summary: view.summary, content: { ...content, ...statement?.content } }
    },
    async read(id) {
      const held = await reader.refreshed()
      const read = await readOne(held, id)
      const state = held.log.entry(id)
      if (read == null || state == null) {
        throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
      }
      await reader.settle(held, [...state.revisions.map(({ item }) => item.name), ...state.followers])
      const ids = standingOf(held, id)?.comments ?? []
      const comments = new Map<string, ReadEntry>()
      for (const each of ids) {
        const comment = await readOne(held, each)
        if (comment != null) comments.set(each, comment)
      }
      const opened = held.known.get(nameIn(held, id))?.opened
      const compartment = opened == null || 'code' in opened ? null : opened.compartment
      return {
        compartment,
        read,
        comments: commentsOn(
          state,
          name => held.log.node(name),
          each => comments.get(each)
        )
      }
    },
    async search({ limit, offset = 0, ...query }) {
      const held = await reader.refreshed()
      const small = held.inOrder().filter(({ headerBytes }) => sizeOf(headerBytes) <= MAX_SEARCHED_BYTES)
      await reader.settle(
        held,
        small.map(({ name }) => name)
      )
      const found: IndexedEntry[] = []
      for (let from = 0; found.length < offset + limit; from += SEARCH_PAGE) {
        const names = held.search.search({ ...query, limit: SEARCH_PAGE, offset: from })
        const views = names.flatMap(name => held.known.get(name) ?? []).map(each => viewOf(held, each))
        found.push(...views.filter(isShown))
        if (names.length < SEARCH_PAGE) break
      }
      return found.slice(offset, offset + limit)
    },
    async named(names) {
      const held = await reader.refreshed()
      const here = names.filter(name => held.known.has(name))
      await reader.settle(held, here)
      return here.flatMap(name => held.known.get(name) ?? []).flatMap(each => shown(held, each))
    },
    async rows() {
      const held = await reader.refreshed()
      const small = held.inOrder().filter(({ headerBytes }) => sizeOf(headerBytes) <= MAX_SEARCHED_BYTES)
      await reader.settle(
        held,
        small.map(({ name }) => name)
      )
      return small
        .flatMap(each => shown(held, each))
        .flatMap(({ cid }) => {
          const row = held.search.get(cid.toString())
          return row == null ? [] : [{ cid, row }]
        })
    },
    async versions() {
      const held = await reader.refreshed()
      await reader.settle(
        held,
        held.inOrder().map(({ name }) => name)
      )
      return held
        .inOrder()
        .map(each => viewOf(held, each))
        .filter(({ place }) => place === 'stands' || place === 'superseded' || place === 'proposed')
    },
    log: async () => (await reader.refreshed()).log,
    async changes(since) {
      const { entries, ...changed } = await changesOf(reader, since)
      const { held, graph } = changed.mark
      const versionsOf = (id: string): IndexedEntry[] =>
        (graph.entries.get(id)?.all ?? []).flatMap(({ item }) => {
          const known = held.known.get(item.name)
          return known == null ? [] : viewOf(held, known)
        })
      const bodyRow = (header: string): Uint8Array | undefined => held.bodyRows.get(header)
      return { ...changed, log: held.log, bodyRow, entries: new Map(entries.map(id => [id, versionsOf(id)])) }
    },
    async content(header) {
      const { content } = await reader.open(await reader.last(), header)
      return { ...content, ...statementOf(content)?.content }
    },
    async sealed(name) {
      const held = await reader.refreshed()
      return reader.sealed(held, nameIn(held, name))
    }
  }
}

function shown(held: HeldRecord, known: KnownEntry): IndexedEntry[] {
  return [viewOf(held, known)].filter(isShown)
}

function isShown({ place, standing }: IndexedEntry): boolean {
  return place === 'stands' && standing?.status !== 'retracted'
}

function sizeOf(headerBytes: Uint8Array): number {
  return decodeEntry(headerBytes).header.sizeBytes
}

/** What a record holds, as far as the reader's keys open it, in memory: filled from a node, only what is new each time. */
import type { CID } from 'multiformats/cid'
import type { Author, ReceivedEntry } from '#core/agent/author.ts'
import type { AsOf } from '#core/agent/freshness.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { Content } from '#core/record/content.ts'
import { decodeEntry, type EntryHeader } from '#core/record/entry.ts'
import type { OpenedEntry } from '#core/record/seal-entry.ts'
import type { AgentWorld } from '#agent/components.ts'
import { readPage, withBlob, type Reader } from '#agent/network/record.ts'
import type { StoredEntry } from '#node/http/client.ts'

/** What is known of an entry without its body. */
export interface EntrySummary {
  readonly compartment: Compartment
  readonly author: Author
  readonly type: string
  readonly recordedAtMs: number
  /** Bytes of the body. */
  readonly bodyBytes: number
}

/** An entry of the record. */
export interface IndexedEntry {
  /** Position at the node: the order in which it took them. */
  readonly position: number
  readonly cid: CID
  readonly header: EntryHeader
  /** What it is, or the code that says why it does not open. */
  readonly summary: EntrySummary | { readonly code: string }
}

/** An entry with what it says. */
export interface OpenedRecordEntry extends IndexedEntry {
  readonly summary: EntrySummary
  readonly content: Content
}

/** A record in memory. */
export interface RecordIndex {
  /**
   * Entries after a position, oldest first.
   *
   * @throws SalusError what the node refuses the question with
   */
  list(query: { readonly after: number; readonly limit: number }): Promise<{
    readonly entries: readonly IndexedEntry[]
    readonly next: number | null
  }>
  /**
   * Fetches what is new, with what it takes to say what each is.
   *
   * @param retry - whether to try again what did not open, as new keys may
   * @throws SalusError what the node refuses the question with
   */
  refresh(retry: boolean): Promise<void>
  /** What is here already, without a question to anybody: the entries after a position, and of what point of the record they are. */
  peek(query: { readonly after: number; readonly limit: number }): {
    readonly entries: readonly IndexedEntry[]
    readonly next: number | null
    /** Null before anything was fetched. */
    readonly asOf: AsOf | null
  }
  /** Whether an entry with this header was fetched. */
  has(header: CID): boolean
  /**
   * Opens one entry, fetched anew.
   *
   * @param name - id of the entry, of which the newest revision is meant, or name of one header
   * @throws SalusError `ENTRY_UNKNOWN`, and what opening throws
   */
  open(name: string): Promise<OpenedRecordEntry>
}

/** Whose record is read, and with what. */
export interface RecordIndexInit {
  readonly reader: () => Promise<{
    readonly reader: Reader
    readonly patient: Uint8Array
    readonly grant: Uint8Array | null
  }>
  readonly open: (
    entry: ReceivedEntry,
    record: RecordOnChain
  ) => OpenedEntry & { readonly compartment: Compartment; readonly author: Author }
  /** Entries that are none of the record, as backups are. */
  readonly isOther: (header: EntryHeader) => boolean
}

/** Header and summary only: a long record has to fit. */
interface Known {
  readonly position: number
  readonly header: EntryHeader
  readonly cid: CID
  summary?: IndexedEntry['summary']
}

/** Codes that another try may overcome, as new keys or a new block may. */
const UNSETTLED = /^(?:GRANT_NO_KEY|ENTRY_AUTHOR_UNPROVEN|ENTRY_TAG)$/

/** Of an entry that was listed, and whose blob was not fetched yet. */
const NOT_FETCHED = { code: 'BLOB_NOT_FOUND' } as const

/** Makes an index; nothing is fetched before it is asked. */
export function createRecordIndex(
  world: AgentWorld,
  { reader: readerOf, open, isOther }: RecordIndexInit
): RecordIndex {
  const { chain, node } = world
  const known: Known[] = []
  const fetched = new Set<string>()
  let asOf: AsOf | null = null
  let after = 0
  let reading: Promise<unknown> = Promise.resolve()

  async function readOn(): Promise<void> {
    const { reader, patient, grant } = await readerOf()
    const record = await chain.recordOf(patient)
    for (let from: number | null = after; from != null;) {
      const page = await readPage(world, node, reader, { patient, grant, after: from })
      for (const stored of page.entries) {
        const { position, blob } = stored
        const { header, cid } = decodeEntry(stored.header)
        after = position
        fetched.add(cid.toString())
        asOf = { position, header: cid }
        if (isOther(header)) continue
        const item: Known = { position, header, cid }
        if (blob != null) summarise(item, () => openStored(stored, blob, record))
        known.push(item)
      }
      from = page.next
    }
  }

  function openStored(stored: StoredEntry, blob: Uint8Array, record: RecordOnChain) {
    const { header: headerBytes, slot: slotBytes, evidence: evidenceBytes } = stored
    return open({ headerBytes, slotBytes, evidenceBytes, blob }, record)
  }

  function summarise(item: Known, openIt: () => ReturnType<RecordIndexInit['open']>): void {
    try {
      const { compartment, author, content } = openIt()
      const { type, recordedAtMs, body } = content
      item.summary = { compartment, author, type, recordedAtMs, bodyBytes: body.length }
    } catch (error) {
      if (!isSalusError(error)) throw error
      item.summary = { code: error.code }
    }
  }

  /** Fetches what an entry needs to be opened: its blob may not have been sent along, or not have been kept. */
  async function fetchAgain({
    position
  }: Known): Promise<{ readonly entry: ReceivedEntry; readonly record: RecordOnChain }> {
    const { reader, patient, grant } = await readerOf()
    const query = { patient, grant, after: position - 1, limit: 1 }
    const { entries } = await readPage(world, node, reader, query)
    const found = entries.find(each => each.position === position)
    if (found == null) throw new SalusError('ENTRY_UNKNOWN', 'The node does not have this entry any more.')
    return { entry: await withBlob(node, found), record: await chain.recordOf(patient) }
  }

  async function settle(item: Known): Promise<IndexedEntry> {
    const isSettled = item.summary != null && !('code' in item.summary && UNSETTLED.test(item.summary.code))
    if (!isSettled) {
      const { entry, record } = await fetchAgain(item)
      summarise(item, () => open(entry, record))
    }
    const summary = item.summary ?? { code: 'ENTRY_UNKNOWN' }
    return { position: item.position, cid: item.cid, header: item.header, summary }
  }

  async function refreshed(): Promise<void> {
    const turn = reading.then(readOn)
    reading = turn.catch(() => undefined)
    await turn
  }

  return {
    async list({ after: from, limit }) {
      await refreshed()
      const later = known.filter(({ position }) => position > from)
      const entries: IndexedEntry[] = []
      for (const item of later.slice(0, limit)) entries.push(await settle(item))
      return { entries, next: later.length > limit ? (entries.at(-1)?.position ?? null) : null }
    },
    async refresh(retry) {
      await refreshed()
      for (const item of known) if (retry || item.summary == null) await settle(item)
    },
    peek({ after: from, limit }) {
      const later = known.filter(({ position }) => position > from)
      const entries = later.slice(0, limit).map(item => ({ ...item, summary: item.summary ?? NOT_FETCHED }))
      return { entries, next: later.length > limit ? (entries.at(-1)?.position ?? null) : null, asOf }
    },
    has: header => fetched.has(header.toString()),
    async open(name) {
      await refreshed()
      const named = known.filter(({ header, cid }) => toHex(header.entry) === name || cid.toString() === name)
      const item = named.sort((a, b) => b.header.revision - a.header.revision)[0]
      if (item == null) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
      const { entry, record } = await fetchAgain(item)
      const { content, compartment, author } = open(entry, record)
      const { type, recordedAtMs, body } = content
      const summary = { compartment, author, type, recordedAtMs, bodyBytes: body.length }
      return { position: item.position, cid: item.cid, header: item.header, summary, content }
    }
  }
}

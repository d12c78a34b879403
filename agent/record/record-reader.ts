/** Reads a record on from its source, verifies what is new, opens it and keeps it: what {@link createRecordIndex} answers from. */
import type { Author, ReceivedEntry } from '#core/agent/author.ts'
import { retiredBy, type KnownOfChain } from '#core/agent/log-facts.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { LogFacts } from '#core/log/facts.ts'
import { statementOf } from '#core/log/statement.ts'
import { cidOfCanonical } from '#core/record/cid.ts'
import type { Compartment } from '#core/record/compartment.ts'
import type { Content } from '#core/record/content.ts'
import { decodeEntry, type EntryHeader } from '#core/record/entry.ts'
import type { OpenedEntry } from '#core/record/seal-entry.ts'
import { searchableOf } from '#core/search/searchable.ts'
import type { AgentWorld } from '#agent/components.ts'
import { loadRecord, withNotices, type HeldRecord } from '#agent/record/held-record.ts'
import type { Journal } from '#agent/record/journal.ts'
import type { EntrySummary, KnownEntry } from '#agent/record/known-entry.ts'
import { namesErased } from '#agent/record/erased.ts'
import { createRecent } from '#agent/record/recent.ts'
import type { RecordSource } from '#agent/record/source.ts'
import type { StoredEntry } from '#node/http/client.ts'

/** An entry that opened, and who wrote it. */
export type OpenedByReader = Pick<OpenedEntry, 'content'> & {
  readonly compartment: Compartment
  readonly author: Author
}

/** Whose record is read, with what, and where it is kept. */
export interface RecordReaderInit {
  readonly patient: () => Promise<Uint8Array>
  readonly source: RecordSource
  /** What headers are judged by. */
  readonly facts: (known: KnownOfChain) => LogFacts
  /** Says with few words which keys there are: what did not open is tried again when they change. */
  readonly keyMark: () => string
  readonly open: (entry: ReceivedEntry, record: RecordOnChain) => OpenedByReader
  /** Entries that are none of the record, as backups are. */
  readonly isOther: (header: EntryHeader) => boolean
  readonly journal: () => Journal
}

/** A record that can be read on. */
export interface RecordReader {
  /** Takes up what lies on the disk; nothing where the chain cannot be asked what it counts for. */
  load(): Promise<void>
  /** What is in memory now. */
  held(): HeldRecord | undefined
  /** The record with everything that its source has now. @throws SalusError what the source refuses it with */
  refreshed(): Promise<HeldRecord>
  /** The record as it was read last; read now if it was not yet. */
  last(): Promise<HeldRecord>
  /** Fetches an entry anew and opens it. @throws SalusError `ENTRY_UNKNOWN`, and what opening throws */
  open(held: HeldRecord, name: string): Promise<OpenedByReader>
  /** Fetches an entry as it is sealed. @throws SalusError `ENTRY_UNKNOWN` */
  sealed(held: HeldRecord, name: string): Promise<ReceivedEntry>
  /** Opens and remembers what was not opened yet, or may open by now. */
  settle(held: HeldRecord, names: readonly string[]): Promise<void>
}

/** Codes that other keys or a newer block may overcome. */
const UNSETTLED = /^(?:GRANT_NO_KEY|DAY_NOT_COVERED|ENTRY_AUTHOR_UNPROVEN|ENTRY_TAG|GRANT_NO_RIGHT|BINDING_)/

/** An entry so few positions after the one that was fetched last is taken to be of a run: those behind it come along. */
const AHEAD = 100

/** Makes a reader; nothing is fetched before it is asked. */
export function createRecordReader(world: AgentWorld, init: RecordReaderInit): RecordReader {
  const { p, chain, log: events } = world
  const { source } = init
  let loading: Promise<HeldRecord> | undefined
  let current: HeldRecord | undefined
  let taking: Promise<void> | undefined
  let reading: Promise<unknown> = Promise.resolve()
  let record: RecordOnChain | undefined
  let journal: Journal | undefined
  const sealed = createRecent(world.clock)
  let fetchedAt = Number.NEGATIVE_INFINITY

  const rows = (): Journal => (journal ??= init.journal())
  const markOf = (): string => `${init.keyMark()}/${String(record?.grants.length)}/${String(record?.keyBundles.length)}`

  async function flush(held: HeldRecord): Promise<void> {
    try {
      await rows().write(held.takeChanges())
    } catch (error) {
      // What is in memory is no longer what is on the disk: take it up from there again.
      forget()
      throw error
    }
  }

  function forget(): void {
    loading = undefined
    current = undefined
  }

  /** Asks the chain what counts now, and takes the record up if it is not in memory. */
  async function judged(): Promise<{ held: HeldRecord; facts: LogFacts; known: RecordOnChain }> {
    record = await chain.recordOf(await init.patient())
    const facts = init.facts({ record, blockTimeS: await chain.headTimeS(), rotations: [] })
    const known = record
    loading ??= loadRecord(p, facts, rows())
    const held = await loading.catch((error: unknown) => {
      forget()
      throw error
    })
    held.touch(held.log.renew(withNotices(facts, held)))
    current = held
    return { held, facts, known }
  }

  async function readOn(): Promise<HeldRecord> {
    const { held, facts, known } = await judged()
    const peer = await source.name()
    if (held.cursor.peer !== peer) held.moveTo({ peer, after: 0, header: '', noticesAfter: 0 })
    await readNotices(held, known)
    held.touch(held.log.renew(withNotices(facts, held)))
    for (let from: number | null = held.cursor.after; from != null;) {
      const page = await source.page({ after: from })
      let after: number = from
      let { header } = held.cursor
      for (const stored of page.entries) {
        if (stored.position <= after) throw new SalusError('NODE_ANSWER', 'The node gives entries out of their order.')
        header = take(held, stored)
        after = stored.position
      }
      if (after !== held.cursor.after) held.moveTo({ ...held.cursor, after, header })
      await flush(held)
      from = page.next != null && after > from ? after : null
    }
    return held
  }

  /** Learns what the patient has had erased, and which tags were replaced. What is no word of the patient’s is passed over. */
  async function readNotices(held: HeldRecord, known: RecordOnChain): Promise<void> {
    const { target, patient, keyBundles } = known
    const network = networkIdOf(target.chainId, target.contracts.AccessGrants.address)
    for (let from: number | null = held.cursor.noticesAfter; from != null;) {
      const { notices, next, last } = await source.notices(from)
      for (const { kind, body } of notices) {
        if (kind === 'erasure') held.erase(namesErased(p, body, { network, patient, keyBundles }))
        if (kind === 'rotation') held.retire(retiredBy(p, body, known))
      }
      if (last !== held.cursor.noticesAfter) held.moveTo({ ...held.cursor, noticesAfter: last })
      from = next != null && next > from ? next : null
    }
  }

  /** Takes a header in, and gives its name. What is none, or of another record, is the node’s fault, and no reason to show less of the record. */
  function take(held: HeldRecord, stored: StoredEntry): string {
    const { position, header: headerBytes, evidence: evidenceBytes, blob } = stored
    const { name, code, settled } = held.log.add({ headerBytes, evidenceBytes })
    held.touch(settled)
    if (held.log.node(name) == null) {
      events.warn({ code }, 'a node gave what is no entry of the record')
      return name
    }
    // Others cannot tell it from entries, and may follow it: the log has it, and nobody is shown it.
    if (init.isOther(decodeEntry(headerBytes).header)) return name
    const before = held.known.get(name)
    const number = before?.number ?? held.lastNumber + 1
    if (before?.position !== position) held.keep({ ...before, name, number, position, headerBytes })
    const known = held.known.get(name)
    if (blob == null) return name
    const received = { headerBytes, slotBytes: stored.slot, evidenceBytes, blob }
    sealed.put(name, received)
    if (known?.opened == null) remember(held, name, received)
    return name
  }

  function remember(held: HeldRecord, name: string, received: ReceivedEntry): void {
    const known = held.known.get(name)
    if (known == null || record == null) return
    try {
      const opened = init.open(received, record)
      const { content, ...summary } = summaryOf(opened)
      const found = content == null ? null : searchableOf(content)
      const kind = found?.terms.find(term => term.startsWith('type:'))?.slice('type:'.length) ?? summary.type
      held.keep({ ...known, opened: { ...summary, kind } })
      if (found != null) held.search.put({ id: name, compartment: opened.compartment, ...found })
    } catch (error) {
      if (!isSalusError(error)) throw error
      held.keep({ ...known, opened: { code: error.code, tried: markOf() } })
    }
  }

  function isSettled({ opened }: KnownEntry): boolean {
    if (opened == null) return false
    return !('code' in opened) || !UNSETTLED.test(opened.code) || opened.tried === markOf()
  }

  async function settleOne(held: HeldRecord, name: string): Promise<void> {
    const known = held.known.get(name)
    if (known == null || isSettled(known)) return
    try {
      remember(held, name, await fetchSealed(held, name))
    } catch (error) {
      // Its blob may come yet; what cannot be asked for at all is no matter of this entry.
      if (!isSalusError(error) || !/^(?:BLOB_|ENTRY_UNKNOWN)/.test(error.code)) throw error
    }
  }

  async function fetchSealed(held: HeldRecord, name: string): Promise<ReceivedEntry> {
    const recent = sealed.get(name)
    if (recent != null) return recent
    const known = held.known.get(name)
    if (known == null) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
    const isRun = known.position > fetchedAt && known.position <= fetchedAt + AHEAD
    fetchedAt = known.position
    const { entries } = await source.page({ after: known.position - 1, ...(isRun ? {} : { limit: 1 }) })
    for (const { header, slot, evidence, blob } of entries) {
      if (blob == null) continue
      const received = { headerBytes: header, slotBytes: slot, evidenceBytes: evidence, blob }
      sealed.put(cidOfCanonical(header).toString(), received)
    }
    // By its bytes: a node that hands out another entry at this place is not believed.
    const found = entries.find(({ header }) => toHex(header) === toHex(known.headerBytes))
    if (found == null) throw new SalusError('ENTRY_UNKNOWN', 'The node does not have this entry any more.')
    const received = await source.whole(found)
    sealed.put(name, received)
    return received
  }

  async function refreshed(): Promise<HeldRecord> {
    const turn = reading.then(readOn)
    reading = turn.catch(() => undefined)
    return turn
  }

  async function takeUp(): Promise<void> {
    try {
      await judged()
    } catch (error) {
      if (!isSalusError(error) || !error.code.startsWith('CHAIN_')) throw error
    }
  }

  return {
    async load() {
      if (current != null) return
      taking ??= takeUp().finally(() => (taking = undefined))
      await taking
    },
    held: () => current,
    last: async () => current ?? refreshed(),
    refreshed,
    async open(held, name) {
      const received = await fetchSealed(held, name)
      return init.open(received, record ?? (await chain.recordOf(await init.patient())))
    },
    sealed: fetchSealed,
    async settle(held, names) {
      try {
        for (const name of names) await settleOne(held, name)
      } finally {
        // A node that has been asked enough for now does not undo what was opened.
        await flush(held)
      }
    }
  }
}

/** What is remembered of an opened entry, and what it says; null for a retraction. */
function summaryOf({ compartment, author, content }: OpenedByReader): Omit<EntrySummary, 'kind'> & {
  readonly content: Content | null
} {
  const statement = statementOf(content)
  const { type, recordedAtMs, body } = { ...content, ...statement?.content }
  const bodyBytes = statement != null && statement.content == null ? 0 : body.length
  const act = statement?.act ?? 'state'
  const about = statement?.about == null ? null : toHex(statement.about)
  const said = act === 'retract' ? null : { type, recordedAtMs, body }
  return {
    compartment,
    author,
    type,
    recordedAtMs,
    bodyBytes,
    act,
    reason: statement?.reason ?? '',
    about,
    content: said
  }
}

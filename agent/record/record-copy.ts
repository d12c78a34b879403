/** What is here of a record already, for whoever does not wait for a node (docs/specs/data-access.md). */
import { CID } from 'multiformats/cid'
import type { AsOf } from '#core/agent/freshness.ts'
import { viewOf, type IndexedEntry } from '#agent/record/indexed-entry.ts'
import type { RecordReader } from '#agent/record/record-reader.ts'

/** The copy of a record that an agent holds. */
export interface RecordCopy {
  /** Takes up what lies on the disk, without a question to a node; nothing where the chain cannot be asked. */
  load(): Promise<void>
  /**
   * Fetches what is new, with what it takes to say what each is.
   *
   * @throws SalusError what the node refuses the question with
   */
  refresh(): Promise<void>
  /** What is here now, without a question to anybody: the entries after a position, and of what point of the record they are. */
  peek(query: { readonly after: number; readonly limit: number }): {
    readonly entries: readonly IndexedEntry[]
    readonly next: number | null
    /** Null before anything was fetched from this node. */
    readonly asOf: AsOf | null
  }
  /** Whether an entry with this header was fetched. */
  has(header: CID): boolean
}

/** The copy that a reader keeps. */
export function createRecordCopy(reader: RecordReader): RecordCopy {
  return {
    load: async () => reader.load(),
    async refresh() {
      const held = await reader.refreshed()
      await reader.settle(
        held,
        held.inOrder().map(({ name }) => name)
      )
    },
    peek({ after, limit }) {
      const held = reader.held()
      if (held == null) return { entries: [], next: null, asOf: null }
      const { after: position, header } = held.cursor
      const later = held.inOrder().filter(({ number }) => number > after)
      const entries = later.slice(0, limit).map(each => viewOf(held, each))
      const next = later.length > limit ? (entries.at(-1)?.position ?? null) : null
      return { entries, next, asOf: header === '' ? null : { position, header: CID.parse(header) } }
    },
    has(header) {
      const held = reader.held()
      const name = header.toString()
      return held != null && (held.log.node(name) != null || held.erased.has(name))
    }
  }
}

/** Where a record is read from: a node, page by page. What a one-time claim fetched is another source (agent/clinician/claimed.ts). */
import type { ReceivedEntry } from '#core/agent/author.ts'
import type { AgentWorld } from '#agent/components.ts'
import { authorize, readPage, withBlob, type Reader } from '#agent/network/record.ts'
import type { Notice, StoredEntry } from '#node/http/client.ts'

/** Whose record is read, and who asks for it; `grant` is null where the patient asks. */
export interface Asker {
  readonly reader: Reader
  readonly patient: Uint8Array
  readonly grant: Uint8Array | null
}

/** Sealed entries of one record in a lasting order. */
export interface RecordSource {
  /** Whose positions these are: where it is another than before, reading begins again. */
  name(): Promise<string>
  /** Entries after a position, in their order. @throws SalusError what the source refuses it with */
  page(query: { readonly after: number; readonly limit?: number }): Promise<{
    readonly entries: readonly StoredEntry[]
    readonly next: number | null
  }>
  /** What the patient said of the record after a position, in its order. @throws as {@link RecordSource.page} */
  notices(after: number): Promise<{
    readonly notices: readonly Pick<Notice, 'kind' | 'body'>[]
    readonly next: number | null
    /** Position of the last that was looked at. */
    readonly last: number
  }>
  /** The entry with its blob. @throws SalusError `BLOB_*` */
  whole(stored: StoredEntry): Promise<ReceivedEntry>
}

/** Reads from the agent’s node, each page under a request signed for it. */
export function createNodeSource(world: AgentWorld, asker: () => Promise<Asker>): RecordSource {
  const { node } = world
  return {
    name: async () => (await node.status()).peerId,
    async page(query) {
      const { reader, patient, grant } = await asker()
      return readPage(world, node, reader, { patient, grant, ...query })
    },
    async notices(after) {
      const { reader, patient, grant } = await asker()
      const authorization = await authorize(world, node, reader, { patient, grant })
      const { notices, next } = await node.queryNotices({ authorization, after })
      return { notices, next, last: Math.max(after, next ?? 0, ...notices.map(({ position }) => position)) }
    },
    whole: async stored => withBlob(node, stored)
  }
}

import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { openTable, type Database } from '#node/store/database.ts'

const AREA = 'CURSOR'

/** Where reading a peer's log stopped. */
export interface SyncCursor {
  /** Identity of the log, 16 bytes, or null where it is not known yet. */
  readonly log: Uint8Array | null
  /** Position of the last message that was read; 0 for none. */
  readonly after: number
}

/** Cursors of all peers, kept over restarts. One that is lost with the power only makes some messages come again. */
export interface SyncCursors {
  read(peer: string): Promise<SyncCursor>
  write(peer: string, cursor: SyncCursor): Promise<void>
}

/** The cursors in a database. */
export function createSyncCursors(db: Database): SyncCursors {
  const table = openTable(db, 'sync')
  return {
    async read(peer) {
      const bytes = await table.get(peer)
      if (bytes == null) return { log: null, after: 0 }
      const map = readMap(decodeCanonical(bytes, { area: AREA, maxBytes: 64 }), AREA, ['log', 'after'])
      return { log: readBytes(map['log'], AREA, 'log', 16), after: readUint(map['after'], AREA, 'after') }
    },
    async write(peer, { log, after }) {
      await table.put(peer, encodeCanonical({ log, after }))
    }
  }
}

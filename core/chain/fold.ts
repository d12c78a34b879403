/** What projecting one event reads and writes. */
import { readRecord, recordKey, type RecordTypes, type StateView } from '#core/chain/records.ts'

/** The state while a block is projected. */
export interface Fold {
  readonly state: StateView
  /** Time of the block, seconds since 1970. */
  readonly blockTimeS: number
  readonly write: <K extends keyof RecordTypes>(kind: K, id: string, record: RecordTypes[K]) => void
  /** Changes an existing record; the contracts emit no event about a thing before the one that makes it. */
  readonly update: <K extends keyof RecordTypes>(kind: K, id: string, change: Partial<RecordTypes[K]>) => void
}

/** A fold over a state that writes into a map: text by key. */
export function foldInto(changes: Map<string, string>, state: StateView, blockTimeS: number): Fold {
  const overlay: StateView = { get: key => changes.get(key) ?? state.get(key) }
  const fold: Fold = {
    state: overlay,
    blockTimeS,
    write(kind, id, record) {
      changes.set(recordKey(kind, id), JSON.stringify(record))
    },
    update(kind, id, change) {
      const record = readRecord(overlay, kind, id)
      if (record != null) fold.write(kind, id, { ...record, ...change })
    }
  }
  return fold
}

/** Which blocks the disk has changed: they stay where they are, and count as missing until another copy is written over them. */
import { SalusError } from '#core/error.ts'
import { openTable, type Database } from '#node/store/database.ts'
import type { Change, SyncWriter } from '#node/store/sync-writer.ts'

/** Names of damaged blocks, kept over restarts. */
export interface DamagedBlocks {
  /** Reads those of earlier starts. */
  start(): Promise<void>
  has(name: string): boolean
  /** The oldest ones first. */
  names(): readonly string[]
  /**
   * Notes one that is damaged; on the disk when this resolves, counted at once.
   *
   * @throws SalusError `STORE_DAMAGED` where there are too many to be single faults; `STORE_WRITE_FAILED`
   */
  note(name: string): Promise<void>
  /** Forgets one that was written anew or is not kept any more: the change to be written with that. */
  forget(name: string): Change
  /** The change of {@link DamagedBlocks.forget} is on the disk. */
  forgot(name: string): void
}

/** Most that are kept count of; a disk with more of them is to be replaced. */
const MAX_DAMAGED = 65_536

/** Those of a database. */
export function createDamagedBlocks(db: Database, writer: SyncWriter): DamagedBlocks {
  const table = openTable(db, 'blocks-damaged')
  const known = new Set<string>()

  return {
    async start() {
      for await (const name of table.keys({ limit: MAX_DAMAGED })) known.add(name)
    },
    has: name => known.has(name),
    names: () => [...known],
    async note(name) {
      if (known.has(name)) return
      if (known.size >= MAX_DAMAGED) {
        throw new SalusError('STORE_DAMAGED', 'The disk has changed too much; restore a backup to another disk.')
      }
      known.add(name)
      await writer.write(
        async changes => {
          changes.push({ type: 'put', table, key: name, value: new Uint8Array() })
          return Promise.resolve()
        },
        { frees: true }
      )
    },
    forget: name => ({ type: 'del', table, key: name }),
    forgot: name => {
      known.delete(name)
    }
  }
}

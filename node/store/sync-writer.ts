import { SalusError } from '#core/error.ts'
import type { Database, Table } from '#node/store/database.ts'
import { failedWrite, type Disk } from '#node/store/disk.ts'

/** One change of a {@link Table}. */
export type Change =
  | { readonly type: 'put'; readonly table: Table; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly table: Table; readonly key: string }

/** Writes groups of changes so that each is on the disk when its promise resolves. */
export interface SyncWriter {
  /**
   * Writes changes together. What is written at the same time shares one flush of the disk (group commit).
   *
   * @param plan - called when the group is put together, after every group before it was written; it may read the tables
   * @param options - `frees`: it takes away more than it adds, and is done on a full disk as well
   * @throws SalusError `STORE_BUSY` where too many writes wait; `STORE_FULL`, `STORE_WRITE_FAILED` where the disk refuses
   */
  write<T>(plan: (group: Change[]) => Promise<T>, options?: { readonly frees?: boolean }): Promise<T>
  /** Waits until nothing is waiting; later writes are refused with `STORE_CLOSED`. */
  stop(): Promise<void>
}

/** What the writer may be told. */
export interface SyncWriterInit {
  /** Most writes that wait, 10,000 unless told. */
  readonly maxWaiting?: number
  /** Most writes in one flush, 256 unless told. */
  readonly maxGroup?: number
  /** Watches the disk, where somebody does. */
  readonly disk?: Pick<Disk, 'refuseIfFull'>
}

interface Waiting {
  readonly plan: (group: Change[]) => Promise<() => void>
  readonly reject: (error: unknown) => void
}

/** A {@link SyncWriter} over a database. */
export function createSyncWriter(
  db: Database,
  { maxWaiting = 10_000, maxGroup = 256, disk }: SyncWriterInit = {}
): SyncWriter {
  const queue: Waiting[] = []
  let draining: Promise<void> | undefined
  let stopped = false

  async function drain(): Promise<void> {
    // Let everyone who writes in this turn of the loop join the first group.
    await Promise.resolve()
    for (let group = queue.splice(0, maxGroup); group.length > 0; group = queue.splice(0, maxGroup)) {
      await writeGroup(group)
    }
    draining = undefined
  }

  async function writeGroup(group: readonly Waiting[]): Promise<void> {
    const changes: Change[] = []
    const planned: { done: () => void; reject: (error: unknown) => void }[] = []
    for (const { plan, reject } of group) {
      try {
        planned.push({ done: await plan(changes), reject })
      } catch (error) {
        reject(error)
      }
    }
    try {
      if (changes.length > 0) await db.batch(changes.map(toOperation), { sync: true })
      for (const { done } of planned) done()
    } catch (cause) {
      const error = failedWrite(cause)
      for (const { reject } of planned) reject(error)
    }
  }

  return {
    async write(plan, { frees = false } = {}) {
      if (!frees) disk?.refuseIfFull()
      if (stopped) throw new SalusError('STORE_CLOSED', 'The node is stopping; send it again after it has started.')
      if (queue.length >= maxWaiting)
        throw new SalusError('STORE_BUSY', 'Too many writes are waiting; try again later.')
      return await new Promise((resolve, reject) => {
        queue.push({
          reject,
          plan: async changes => {
            const result = await plan(changes)
            return () => resolve(result)
          }
        })
        draining ??= drain()
      })
    },
    async stop() {
      stopped = true
      await draining
    }
  }
}

/** A change as an operation of the whole database. */
function toOperation(change: Change) {
  return change.type === 'put'
    ? { type: change.type, sublevel: change.table, key: change.key, value: change.value }
    : { type: change.type, sublevel: change.table, key: change.key }
}

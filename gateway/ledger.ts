/** The state of a gateway on the disk: a snapshot and the journal of changes since. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeChange, decodeState, encodeChange, encodeState } from '#gateway/state-codec.ts'
import { applyChange, initialState, type Change, type GatewayState } from '#gateway/state.ts'
import { openDatabase } from '#node/store/database.ts'
import { realDisk, type GatewayDisk } from '#gateway/disk.ts'
import { openJournal, recordsOf, type Journal } from '#gateway/journal.ts'

const SNAPSHOT = 'state'
const DIGEST_BYTES = 32
/** A journal above this is replaced by a snapshot once its readings are in a batch: what is read on opening stays small. */
const LARGE_BYTES = 2 ** 20
const JOURNAL = /^journal-(\d+)$/

/** Durable state. */
export interface Ledger {
  /** The state with every change that was recorded, durable or about to be. */
  readonly state: GatewayState
  /** Records a change; durable when the promise resolves. */
  record(change: Change): Promise<void>
  /** Replaces the journal so far by a snapshot, so that it stays short; changes wait meanwhile. */
  compact(): Promise<void>
  /** {@link compact}, if the journal has grown enough to be worth it. */
  compactIfLarge(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the state of a gateway, for this process alone until it is closed: two over one directory would sign different
 * batches under one number. What a damaged tail of the journal lost is noted as a change of its own.
 *
 * @throws SalusError `GATEWAY_IN_USE` while another has it open; `GATEWAY_STATE_LOST` if journals are later than the snapshot
 * @throws SalusError `JOURNAL_DIGEST`, `JOURNAL_*`, `READING_*` if snapshot or journal are of another version or damaged beyond their tail
 */
export async function openLedger(
  directory: string,
  disk: GatewayDisk = realDisk,
  lockFolder: LockFolder = lockDirectory
): Promise<Ledger> {
  await disk.makeFolder(directory)
  const lock = await lockFolder(directory)
  try {
    return await openLocked(disk, directory, lock)
  } catch (error) {
    await lock.close()
    throw error
  }
}

/**
 * The state as it lies on the disk, for whoever only looks: nothing is locked, cut off or written.
 *
 * @throws SalusError as {@link openLedger}, without `GATEWAY_IN_USE`
 */
export async function readLedger(directory: string, disk: GatewayDisk = realDisk): Promise<GatewayState> {
  const snapshot = await disk.readIfThere(join(directory, SNAPSHOT))
  const { state, journal } = snapshot == null ? { state: initialState(), journal: 1 } : decodeState(checked(snapshot))
  const bytes = (await disk.readIfThere(journalPath(directory, journal))) ?? new Uint8Array()
  return recordsOf(bytes).reduce((before, record) => applyChange(before, decodeChange(record)), state)
}

/** Keeps a folder for this process until it is closed. */
export type LockFolder = (directory: string) => Promise<{ close(): Promise<void> }>

async function openLocked(
  disk: GatewayDisk,
  directory: string,
  lock: Awaited<ReturnType<LockFolder>>
): Promise<Ledger> {
  const snapshot = await disk.readIfThere(join(directory, SNAPSHOT))
  let { state, journal: number } =
    snapshot == null ? { state: initialState(), journal: 1 } : decodeState(checked(snapshot))
  await requireNewest(disk, directory, number)
  let journal: Journal = await openJournal(journalPath(directory, number), disk)
  await removeOtherJournals(disk, directory, number)
  for (const bytes of journal.records) state = applyChange(state, decodeChange(bytes))

  let compacting: Promise<void> | undefined

  async function startNextJournal(): Promise<void> {
    await journal.close()
    number++
    // Should the process end here, the next journal begins empty and the old one is not looked at again.
    await disk.removeDurably(journalPath(directory, number))
    const snapshot = encodeState(state, number)
    await disk.writeDurably(join(directory, SNAPSHOT), concat(digestOf(snapshot), snapshot))
    journal = await openJournal(journalPath(directory, number), disk)
    await removeOtherJournals(disk, directory, number)
  }

  const ledger: Ledger = {
    get state() {
      return state
    },
    async record(change) {
      if (compacting != null) await compacting
      // From here on nothing waits: the order of changes is the order of records. What the journal refuses changes nothing.
      const durable = journal.append(encodeChange(change))
      state = applyChange(state, change)
      await durable
    },
    async compact() {
      compacting ??= startNextJournal().finally(() => (compacting = undefined))
      await compacting
    },
    async compactIfLarge() {
      if (journal.sizeBytes > LARGE_BYTES) await ledger.compact()
    },
    async close() {
      try {
        await compacting
        await journal.close()
      } finally {
        await lock.close()
      }
    }
  }
  if (journal.lostBytes > 0) await ledger.record({ type: 'lost', lostBytes: journal.lostBytes })
  return ledger
}

/** LevelDB's own lock: the system frees it however the process ends. */
const lockDirectory: LockFolder = async directory => {
  try {
    return await openDatabase(join(directory, 'lock'))
  } catch (cause) {
    if (!isSalusError(cause, 'STORE_LOCKED')) throw cause
    throw new SalusError(
      'GATEWAY_IN_USE',
      `Another gateway runs over ${directory}; stop it or name another directory.`,
      {
        cause
      }
    )
  }
}

/** The snapshot behind its digest: rotten bits must not pass for a state. */
function checked(file: Uint8Array): Uint8Array {
  const snapshot = file.subarray(DIGEST_BYTES)
  if (!equalBytes(digestOf(snapshot), file.subarray(0, DIGEST_BYTES))) {
    throw new SalusError('JOURNAL_DIGEST', 'The gateway’s state file is damaged; restore it from a backup.')
  }
  return snapshot
}

function digestOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

function journalPath(directory: string, number: number): string {
  return join(directory, `journal-${String(number)}`)
}

async function journalsIn(disk: GatewayDisk, directory: string): Promise<number[]> {
  const names = await disk.names(directory)
  return names.flatMap(name => JOURNAL.exec(name)?.[1] ?? []).map(Number)
}

/** A journal begins with the snapshot that names it: one later than the snapshot tells that a later snapshot was there. */
async function requireNewest(disk: GatewayDisk, directory: string, number: number): Promise<void> {
  if ((await journalsIn(disk, directory)).every(each => each <= number)) return
  throw new SalusError(
    'GATEWAY_STATE_LOST',
    'The directory holds a journal later than its state; restore the state file or make a new gateway.'
  )
}

async function removeOtherJournals(disk: GatewayDisk, directory: string, keep: number): Promise<void> {
  for (const number of await journalsIn(disk, directory)) {
    if (number !== keep) await disk.removeDurably(journalPath(directory, number))
  }
}

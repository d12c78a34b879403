/** The state of a gateway on the disk: a snapshot and the journal of changes since. */
import { createHash } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { applyChange, decodeChange, decodeState, encodeChange, encodeState, initialState } from '#gateway/state.ts'
import type { Change, GatewayState } from '#gateway/state.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { openJournal, type Journal } from '#gateway/journal.ts'

const SNAPSHOT = 'state'
const DIGEST_BYTES = 32
const JOURNAL = /^journal-(\d+)$/

/** Durable state. */
export interface Ledger {
  /** The state with every change that was recorded, durable or about to be. */
  readonly state: GatewayState
  /** Records a change; durable when the promise resolves. */
  record(change: Change): Promise<void>
  /** Replaces the journal so far by a snapshot, so that it stays short; changes wait meanwhile. */
  compact(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the state of a gateway, for this process alone until it is closed: two over one directory would sign different
 * batches under one number. What a damaged tail of the journal lost is noted as a change of its own.
 *
 * @throws SalusError `GATEWAY_IN_USE` while another has it open; `GATEWAY_STATE_LOST` if journals are later than the snapshot
 * @throws SalusError `JOURNAL_DIGEST`, `JOURNAL_*`, `READING_*` if snapshot or journal are of another version or damaged beyond their tail
 */
export async function openLedger(directory: string): Promise<Ledger> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const lock = await lockDirectory(directory)
  try {
    return await openLocked(directory, lock)
  } catch (error) {
    await lock.close()
    throw error
  }
}

async function openLocked(directory: string, lock: Database): Promise<Ledger> {
  const snapshot = await readIfThere(join(directory, SNAPSHOT))
  let { state, journal: number } =
    snapshot == null ? { state: initialState(), journal: 1 } : decodeState(checked(snapshot))
  await requireNewest(directory, number)
  let journal: Journal = await openJournal(journalPath(directory, number))
  await removeOtherJournals(directory, number)
  for (const bytes of journal.records) state = applyChange(state, decodeChange(bytes))

  let compacting: Promise<void> | undefined

  async function startNextJournal(): Promise<void> {
    await journal.close()
    number++
    // Should the process end here, the next journal begins empty and the old one is not looked at again.
    await removeDurably(journalPath(directory, number))
    const snapshot = encodeState(state, number)
    await writeDurably(join(directory, SNAPSHOT), concat(digestOf(snapshot), snapshot))
    journal = await openJournal(journalPath(directory, number))
    await removeOtherJournals(directory, number)
  }

  const ledger: Ledger = {
    get state() {
      return state
    },
    async record(change) {
      if (compacting != null) await compacting
      // From here to the journal nothing waits: the order of changes is the order of records.
      state = applyChange(state, change)
      await journal.append(encodeChange(change))
    },
    async compact() {
      compacting ??= startNextJournal().finally(() => (compacting = undefined))
      await compacting
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
async function lockDirectory(directory: string): Promise<Database> {
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

async function journalsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names.flatMap(name => JOURNAL.exec(name)?.[1] ?? []).map(Number)
}

/** A journal begins with the snapshot that names it: one later than the snapshot tells that a later snapshot was there. */
async function requireNewest(directory: string, number: number): Promise<void> {
  if ((await journalsIn(directory)).every(each => each <= number)) return
  throw new SalusError(
    'GATEWAY_STATE_LOST',
    'The directory holds a journal later than its state; restore the state file or make a new gateway.'
  )
}

async function removeOtherJournals(directory: string, keep: number): Promise<void> {
  for (const number of await journalsIn(directory)) {
    if (number !== keep) await removeDurably(journalPath(directory, number))
  }
}

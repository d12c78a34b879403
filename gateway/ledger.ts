/** The state of a gateway on the disk: a snapshot and the journal of changes since. */
import { createHash } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { concat, equalBytes } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { applyChange, decodeChange, decodeState, encodeChange, encodeState, initialState } from '#gateway/state.ts'
import type { Change, GatewayState } from '#gateway/state.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'
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
 * Opens the state of a gateway. What a damaged tail of the journal lost is noted as a change of its own.
 *
 * @throws SalusError `JOURNAL_DIGEST`, `JOURNAL_*`, `READING_*` if snapshot or journal are of another version or damaged beyond their tail
 */
export async function openLedger(directory: string): Promise<Ledger> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const snapshot = await readIfThere(join(directory, SNAPSHOT))
  let { state, journal: number } =
    snapshot == null ? { state: initialState(), journal: 1 } : decodeState(checked(snapshot))
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
      await compacting
      await journal.close()
    }
  }
  if (journal.lostBytes > 0) await ledger.record({ type: 'lost', lostBytes: journal.lostBytes })
  return ledger
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

async function removeOtherJournals(directory: string, keep: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const number = JOURNAL.exec(name)?.[1]
    if (number != null && Number(number) !== keep) await removeDurably(join(directory, name))
  }
}

/** Checksums of the messages in the log: LevelDB does not check what it reads, and not every byte of a message is signed. */
import { createHash } from 'node:crypto'
import { openTable, type Database, type Table } from '#node/store/database.ts'

/** Bytes of a checksum: a disk errs, it does not forge. */
const SUM_BYTES = 16

const PAGE = 512

/** The table of checksums, by the key of the message's position. */
export function openSums(db: Database): Table {
  return openTable(db, 'log-sum')
}

/** The checksum of a message. */
export function sumOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest()).subarray(0, SUM_BYTES)
}

/** Makes the checksums of a log that has none yet. */
export async function addMissingSums(db: Database): Promise<void> {
  const log = openTable(db, 'log')
  const sums = openSums(db)
  let batch: { type: 'put'; key: string; value: Uint8Array }[] = []
  for await (const [key, bytes] of log.iterator()) {
    batch.push({ type: 'put', key, value: sumOf(bytes) })
    if (batch.length < PAGE) continue
    await sums.batch(batch)
    batch = []
  }
  await sums.batch(batch)
}

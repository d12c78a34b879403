/** Checksums of the messages in the log: LevelDB does not check what it reads, and not every byte of a message is signed. */
import { createHash } from 'node:crypto'
import { openTable, type Database, type Table } from '#node/store/database.ts'

/** Bytes of a checksum: a disk errs, it does not forge. */
const SUM_BYTES = 16

const MAX_WORN_BITS = 16

const PAGE = 512

/** The table of checksums, by the key of the message's position. */
export function openSums(db: Database): Table {
  return openTable(db, 'log-sum')
}

/** The checksum of a message. */
export function sumOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest()).subarray(0, SUM_BYTES)
}

/**
 * Whether it is the checksum that the disk has changed, not the message: the checksum of other bytes differs from this message's in
 * about 64 of its 128 bits, and in 16 or fewer with a probability below 2^-58.
 */
export function isWornSum(sum: Uint8Array, message: Uint8Array): boolean {
  const right = sumOf(message)
  if (sum.length !== right.length) return false
  let differing = 0
  for (const [i, byte] of right.entries()) {
    for (let bits = byte ^ (sum[i] ?? 0); bits > 0; bits &= bits - 1) differing++
  }
  return differing <= MAX_WORN_BITS
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

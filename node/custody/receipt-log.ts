/** The node's append-only log of receipts (docs/specs/receipts.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { leafHash } from '#core/batch/merkle.ts'
import { appendLeaf, createTree, rangeOf, rangeRoot, subtreeRoot, type CompactRange } from '#core/batch/tree.ts'
import { concat } from '#core/encoding/bytes.ts'
import { receiptLogOrigin } from '#core/receipts/origin.ts'
import { signCheckpoint } from '#core/tlog/checkpoint.ts'
import { TILE_WIDTH, encodeBundle, type TileName } from '#core/receipts/tiles.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { openTable, type Database } from '#node/store/database.ts'
import type { Change, SyncWriter } from '#node/store/sync-writer.ts'

/** What a log needs. */
export interface ReceiptLogComponents {
  readonly p: Primitives
  readonly db: Database
  /** Writes receipts together with what they are receipts of. */
  readonly writer: SyncWriter
  readonly network: Uint8Array
  /** Signs checkpoints. */
  readonly keys: Pick<AgentKeys, 'signSeed' | 'bundle'>
}

/** An append-only log: a receipt that has a number is on the disk. */
export interface ReceiptLog {
  readonly origin: string
  /**
   * Appends a receipt, and makes other changes in the same write: all are on the disk when this resolves, or none.
   *
   * @param also - adds the other changes; what it throws keeps the receipt from being written. `group`: what is about to be written before
   * @returns the receipt's number, from 0
   * @throws SalusError `STORE_BUSY`, `STORE_CLOSED`, `STORE_WRITE_FAILED`
   */
  append(receipt: Uint8Array, also?: (changes: Change[], group: readonly Change[]) => Promise<void>): Promise<number>
  /** Leaves that are on the disk. */
  size(): number
  /** The tree of the first `size` leaves, in short. */
  range(): CompactRange
  root(): Uint8Array
  /** A signed checkpoint of all that is on the disk. */
  checkpoint(): string
  /**
   * A tile or a bundle of entries.
   *
   * @throws SalusError `TILE_UNKNOWN` if the log is too short for it
   */
  tile(name: TileName): Promise<Uint8Array>
}

const DIGITS = 14

/** Opens the log: hashes every receipt anew, so that a changed one is noticed by whoever compares checkpoints. */
export async function openReceiptLog({ p, db, writer, network, keys }: ReceiptLogComponents): Promise<ReceiptLog> {
  const table = openTable(db, 'receipts')
  await table.open()
  const tree = createTree()
  for await (const bytes of table.values()) appendLeaf(p, tree, leafHash(p, bytes))
  /** Numbers that the group that is being put together has given out so far. */
  let group: { readonly changes: Change[]; next: number } | undefined
  /** Written, but a lower number is not yet in the tree. */
  const written = new Map<number, Uint8Array>()
  const origin = receiptLogOrigin(network, keys.bundle.sign)

  /** Receipts on the disk. */
  async function count(): Promise<number> {
    const [newest] = await table.keys({ reverse: true, limit: 1 }).all()
    return newest == null ? 0 : Number.parseInt(newest, 16) + 1
  }

  async function stored(first: number, count: number): Promise<Uint8Array[]> {
    return await table.values({ gte: toKey(first), limit: count }).all()
  }

  return {
    origin,
    async append(receipt, also) {
      const index = await writer.write(async changes => {
        // Read anew for each group: one that was not written leaves no hole.
        if (group?.changes !== changes) group = { changes, next: await count() }
        const mine: Change[] = []
        await also?.(mine, changes)
        const number = group.next++
        changes.push(...mine, { type: 'put', table, key: toKey(number), value: receipt })
        return number
      })
      written.set(index, leafHash(p, receipt))
      for (let leaf = written.get(tree.size); leaf != null; leaf = written.get(tree.size)) {
        written.delete(tree.size)
        appendLeaf(p, tree, leaf)
      }
      return index
    },
    size: () => tree.size,
    range: () => rangeOf(tree),
    root: () => rangeRoot(p, rangeOf(tree)),
    checkpoint: () => signCheckpoint(p, { origin, size: tree.size, root: rangeRoot(p, rangeOf(tree)) }, keys.signSeed),
    async tile({ level, index, width }) {
      const each = level === 'entries' ? 1 : TILE_WIDTH ** level
      const first = index * TILE_WIDTH
      if (!((first + width) * each <= tree.size)) throw new SalusError('TILE_UNKNOWN', 'The log has no such tile yet.')
      if (level === 'entries') return encodeBundle(await stored(first, width))
      return concat(...Array.from({ length: width }, (_, i) => subtreeRoot(p, tree, (first + i) * each, each)))
    }
  }
}

/** Order of keys is order of numbers. */
function toKey(number: number): string {
  return number.toString(16).padStart(DIGITS, '0')
}

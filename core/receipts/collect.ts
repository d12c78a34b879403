/** Collecting the receipts of one node: who opened what, and when (docs/specs/receipts.md). */
import { SalusError, isSalusError } from '#core/error.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { readCheckpoint, type LogKey } from '#core/tlog/checkpoint.ts'
import { UNFOLLOWED, beginToFollow, type FollowedLog, type LogAnchor } from '#core/receipts/follow.ts'
import { decodeReceipt, openReceipt, type ReceiptContent } from '#core/receipts/receipt.ts'
import { TILE_WIDTH, bundlesFrom, decodeBundle, type TileName } from '#core/receipts/tiles.ts'

/** How a log is asked; what it answers is checked. */
export interface LogSource {
  /** The newest checkpoint. */
  checkpoint(): Promise<string>
  /** A bundle of entries. */
  tile(name: TileName): Promise<Uint8Array>
}

/** A receipt that opened. */
export interface OwnReceipt extends ReceiptContent {
  /** Number in the log, from 0. */
  readonly number: number
}

/** A log as followed so far, and the receipts among the new ones that are the reader's. */
export interface Collected {
  readonly followed: FollowedLog
  readonly receipts: readonly OwnReceipt[]
}

/** The most receipts that anybody keeps of one log; a node that writes more wants to fill a memory. */
export const MAX_OWN_RECEIPTS = 65_536

/** What is followed, by whom, and what the chain has of it. */
interface Reading {
  readonly key: LogKey
  readonly keys: Pick<AgentKeys, 'kemSecrets'>
  readonly anchor?: LogAnchor | undefined
  /** The most receipts of the reader that are taken, {@link MAX_OWN_RECEIPTS} unless told. */
  readonly maxOwn?: number
}

/**
 * Reads the receipts that a log has since it was last followed. One bundle is in memory at a time, and the reader's own receipts.
 *
 * @param keys - of the patient or the auditor
 * @throws SalusError `CHECKPOINT_*`, `ENTRY_BUNDLE_MALFORMED`, `RECEIPTS_TRUNCATED`, `RECEIPTS_ENTRIES`, `RECEIPTS_TOO_MANY`, `RECEIPT_*`;
 * `RECEIPTS_FORKED` where the log leads to its checkpoint from the beginning, but not from where it was left; whatever `source` throws
 */
export async function collectReceipts(
  p: Primitives,
  source: LogSource,
  before: FollowedLog,
  of: Reading
): Promise<Collected> {
  const note = await source.checkpoint()
  try {
    return await follow(p, source, before, note, of)
  } catch (error) {
    if (!isSalusError(error, 'RECEIPTS_ENTRIES') || before.range.size === 0) throw error
    // Throws where the log is not even whole in itself; if it is, it is another one than was seen before.
    await follow(p, source, UNFOLLOWED, note, { key: of.key, keys: { kemSecrets: [] } }).catch((cause: unknown) => {
      if (!isSalusError(cause) || !cause.code.startsWith('RECEIPT_')) throw cause
    })
    throw new SalusError('RECEIPTS_FORKED', 'The log shows another history than before: its node rewrote receipts.')
  }
}

async function follow(
  p: Primitives,
  source: LogSource,
  before: FollowedLog,
  note: string,
  { key, keys, anchor, maxOwn = MAX_OWN_RECEIPTS }: Reading
): Promise<Collected> {
  const { size } = readCheckpoint(p, note, key)
  const first = before.range.size
  const following = beginToFollow(p, before, { note, anchor }, key)
  const receipts: OwnReceipt[] = []
  /** What is no receipt; told after the log itself was judged. */
  let wrong: Error | undefined
  let number = first
  for (const name of bundlesFrom(first, size)) {
    const bundle = decodeBundle(await source.tile(name), name.width)
    for (const bytes of bundle.slice(Math.max(0, first - name.index * TILE_WIDTH))) {
      following.take(bytes)
      try {
        const content = await openReceipt(p, decodeReceipt(bytes), keys)
        if (content != null) receipts.push({ number, ...content })
      } catch (error) {
        if (!(error instanceof Error)) throw error
        wrong ??= error
      }
      number++
    }
    if (receipts.length > maxOwn) {
      throw new SalusError(
        'RECEIPTS_TOO_MANY',
        'The log has more receipts for this reader than anybody reads in a life.'
      )
    }
  }
  const followed = following.end()
  if (wrong != null) throw wrong
  return { followed, receipts }
}

/** Collecting the receipts of one node: who opened what, and when (docs/specs/receipts.md). */
import { SalusError, isSalusError } from '#core/error.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { readCheckpoint, type LogKey } from '#core/receipts/checkpoint.ts'
import { UNFOLLOWED, followLog, type FollowedLog, type LogAnchor } from '#core/receipts/follow.ts'
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

/**
 * Reads the receipts that a log has since it was last followed.
 *
 * @param keys - of the patient or the auditor
 * @throws SalusError `CHECKPOINT_*`, `ENTRY_BUNDLE_MALFORMED`, `RECEIPTS_TRUNCATED`, `RECEIPTS_ENTRIES`; `RECEIPTS_FORKED` where the log
 * leads to its checkpoint from the beginning, but not from where it was left; whatever `source` throws
 */
export async function collectReceipts(
  p: Primitives,
  source: LogSource,
  before: FollowedLog,
  of: { readonly key: LogKey; readonly keys: Pick<AgentKeys, 'kemSecrets'>; readonly anchor?: LogAnchor | undefined }
): Promise<Collected> {
  const { key, anchor } = of
  const note = await source.checkpoint()
  const { size } = readCheckpoint(p, note, key)
  const first = before.range.size
  const entries = await entriesFrom(source, first, size)
  let followed: FollowedLog
  try {
    followed = followLog(p, before, { note, entries, anchor }, key)
  } catch (error) {
    if (!isSalusError(error, 'RECEIPTS_ENTRIES') || first === 0) throw error
    // Throws where the log is not even whole in itself; if it is, it is another one than was seen before.
    followLog(p, UNFOLLOWED, { note, entries: await entriesFrom(source, 0, size) }, key)
    throw new SalusError('RECEIPTS_FORKED', 'The log shows another history than before: its node rewrote receipts.')
  }
  const receipts: OwnReceipt[] = []
  for (const [i, bytes] of entries.entries()) {
    const content = await openReceipt(p, decodeReceipt(bytes), of.keys)
    if (content != null) receipts.push({ number: first + i, ...content })
  }
  return { followed, receipts }
}

async function entriesFrom(source: LogSource, first: number, size: number): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (const name of bundlesFrom(first, size)) {
    const bundle = decodeBundle(await source.tile(name), name.width)
    entries.push(...bundle.slice(Math.max(0, first - name.index * TILE_WIDTH)))
  }
  return entries
}

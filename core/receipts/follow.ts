/** Following a node's log of receipts, and catching it where it takes something back (docs/specs/receipts.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { leafHash } from '#core/batch/merkle.ts'
import { EMPTY_RANGE, appendLeaf, createTree, rangeOf, rangeRoot, type CompactRange } from '#core/batch/tree.ts'
import { readCheckpoint, type Checkpoint, type LogKey } from '#core/tlog/checkpoint.ts'

/** How far a log was followed: all that is needed to see that it only grows. */
export interface FollowedLog {
  readonly range: CompactRange
  /** The signed checkpoint of that size; null before the first. Together with a later one that contradicts it, it convicts the log. */
  readonly note: string | null
}

/** A log that was not looked at yet. */
export const UNFOLLOWED: FollowedLog = { range: EMPTY_RANGE, note: null }

/** What the chain says of a log: its newest anchor. */
export interface LogAnchor {
  readonly treeSize: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/** A log that is being followed, entry by entry. */
export interface Following {
  /** Takes the next entry. @throws SalusError `RECEIPTS_FORKED` (another history than the chain has it) */
  take(entry: Uint8Array): void
  /** The log as followed to its checkpoint. @throws SalusError `RECEIPTS_FORKED`, `RECEIPTS_ENTRIES` as {@link followLog} */
  end(): FollowedLog
}

/**
 * Begins to follow a log from where it was left.
 *
 * @throws SalusError `CHECKPOINT_*`, `RECEIPTS_TRUNCATED`, `RECEIPTS_FORKED` as {@link followLog}
 */
export function beginToFollow(
  p: Primitives,
  before: FollowedLog,
  { note, anchor }: { readonly note: string; readonly anchor?: LogAnchor | undefined },
  key: LogKey
): Following {
  const checkpoint = readCheckpoint(p, note, key)
  refuseShorter(checkpoint, before.range, anchor)
  const tree = createTree(before.range)
  const checkAnchor = (): void => {
    if (anchor == null || anchor.treeSize === 0 || anchor.treeSize !== tree.size) return
    if (!equalBytes(rangeRoot(p, rangeOf(tree)), anchor.root)) throw forked('the chain')
  }
  checkAnchor()
  return {
    take(entry) {
      appendLeaf(p, tree, leafHash(p, entry))
      checkAnchor()
    },
    end() {
      const range = rangeOf(tree)
      const isWhole = range.size === checkpoint.size && equalBytes(rangeRoot(p, range), checkpoint.root)
      if (isWhole) return { range, note }
      // Without new entries nothing but the past can differ.
      if (checkpoint.size === before.range.size && before.range.size > 0) throw forked('before')
      throw new SalusError(
        'RECEIPTS_ENTRIES',
        'These entries do not continue what was seen to this checkpoint: fetch them again; if that does not help, the log was forked.'
      )
    }
  }
}

/**
 * Follows a log from where it was left: checks that it still begins with everything that was seen, and that what the chain has of it
 * lies on the way.
 *
 * @param entries - the entries from `before.range.size` on, up to the checkpoint's size
 * @throws SalusError `CHECKPOINT_*`; `RECEIPTS_TRUNCATED` (smaller than before, or than the chain has it), `RECEIPTS_FORKED` (another
 * history than before, or than the chain has it), `RECEIPTS_ENTRIES` (the entries are not those of the checkpoint)
 */
export function followLog(
  p: Primitives,
  before: FollowedLog,
  seen: { readonly note: string; readonly entries: readonly Uint8Array[]; readonly anchor?: LogAnchor | undefined },
  key: LogKey
): FollowedLog {
  const following = beginToFollow(p, before, seen, key)
  for (const entry of seen.entries) following.take(entry)
  return following.end()
}

/** A log never gets shorter, neither than it was seen nor than it was anchored. */
function refuseShorter({ size }: Checkpoint, { size: seen }: CompactRange, anchor: LogAnchor | undefined): void {
  if (size >= seen && size >= (anchor?.treeSize ?? 0)) return
  throw new SalusError('RECEIPTS_TRUNCATED', 'The log has fewer entries than it had: its node took receipts back.')
}

function forked(than: string): SalusError {
  return new SalusError('RECEIPTS_FORKED', `The log shows another history than ${than}: its node rewrote receipts.`)
}

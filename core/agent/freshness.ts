/** Whether a copy of a record is as new as the record at a node: by signed headers, never by clocks (docs/specs/data-access.md). */
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeEntry, verifyEntry } from '#core/record/entry.ts'

/** How new an answer is. */
export type Freshness = 'current' | 'stale'

/** A point of a record: the newest entry up to it. */
export interface AsOf {
  /** Its place at the node. */
  readonly position: number
  /** Name of its signed header. */
  readonly header: CID
}

/** The newest entry of a record at a node, or that there is none. */
export type MasterHead = { readonly position: number; readonly header: Uint8Array } | null

/**
 * Reads what a node says is the newest entry of a record.
 *
 * @throws SalusError `HEAD_SIGNATURE` if nobody signed it, and as `decodeEntry` for one of another network or patient
 */
export function readMasterHead(
  p: Primitives,
  head: MasterHead,
  of: { readonly network: Uint8Array; readonly patient: Uint8Array }
): AsOf | null {
  if (head == null) return null
  const entry = decodeEntry(head.header, of)
  if (!verifyEntry(p, entry)) throw new SalusError('HEAD_SIGNATURE', 'Refused: nobody signed this head of the record.')
  return { position: head.position, header: entry.cid }
}

/**
 * Judges a copy: it is current if it holds the header that the node has last.
 *
 * @param master - undefined where the node could not be asked: then nothing says that the copy is current
 */
export function judgeFreshness(
  copy: { readonly has: (header: CID) => boolean },
  master: AsOf | null | undefined
): Freshness {
  if (master === undefined) return 'stale'
  return master === null || copy.has(master.header) ? 'current' : 'stale'
}

/**
 * Proof files: that an entry is in a log whose head was signed, and cosigned by witnesses (docs/specs/tlog-proof.md).
 *
 * @see https://c2sp.org/tlog-proof
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { MAX_PROOF_HASHES, verifyInclusion } from '#core/batch/merkle.ts'
import { fromBase64, toBase64 } from '#core/tlog/base64.ts'
import { parseCheckpointNote, readCheckpoint, type Checkpoint, type LogKey } from '#core/tlog/checkpoint.ts'
import { requireQuorum, type Cosigned, type WitnessKey } from '#core/tlog/cosignature.ts'

const FIRST_LINE = 'c2sp.org/tlog-proof@v1'

/** The most characters of a proof file. */
export const MAX_TLOG_PROOF_LENGTH = 65_536

/** A proof file's parts. */
export interface TlogProof {
  /** What the application puts beside it; null without. Not authenticated by itself. */
  readonly extra: Uint8Array | null
  /** Index of the entry in the log, from 0. */
  readonly index: number
  /** From the leaf upwards. */
  readonly path: readonly Uint8Array[]
  /** The signed note, as the log and its witnesses made it. */
  readonly checkpoint: string
}

/** What a verifier trusts. */
export interface TlogPolicy {
  readonly log: LogKey
  readonly witnesses: readonly WitnessKey[]
  /** How many of the witnesses must have cosigned. */
  readonly quorum: number
}

/** Text of a proof file. */
export function encodeTlogProof({ extra, index, path, checkpoint }: TlogProof): string {
  const lines = [
    FIRST_LINE,
    ...(extra == null ? [] : [`extra ${toBase64(extra)}`]),
    `index ${String(index)}`,
    ...path.map(toBase64)
  ]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/**
 * Reads a proof file; nothing is checked but its form.
 *
 * @throws SalusError `TLOG_PROOF_MALFORMED`
 */
export function decodeTlogProof(text: string): TlogProof {
  const end = text.length > MAX_TLOG_PROOF_LENGTH ? -1 : text.indexOf('\n\n')
  const lines = text.slice(0, Math.max(end, 0)).split('\n')
  if (lines.shift() !== FIRST_LINE) malformed()
  const extra = lines[0]?.startsWith('extra ') === true ? bytesOf(lines.shift()?.slice(6)) : null
  const [, index] = /^index (0|[1-9][0-9]{0,14})$/.exec(lines.shift() ?? '') ?? []
  const path = lines.map(line => bytesOf(line, 32))
  if (index == null || path.length > MAX_PROOF_HASHES) malformed()
  return { extra, index: Number(index), path, checkpoint: text.slice(end + 2) }
}

/**
 * Checks that a leaf is in the log as the proof says, and that log and witnesses stand for it.
 *
 * @param leaf - hash of the entry's leaf
 * @throws SalusError `CHECKPOINT_MALFORMED`, `CHECKPOINT_ORIGIN` (of another log than trusted), `CHECKPOINT_SIGNATURE`,
 * `COSIGNATURE_FORGED`, `COSIGNATURE_QUORUM`; `TLOG_PROOF_INCLUSION` if the leaf is not at that place of the log
 */
export function verifyTlogProof(
  p: Primitives,
  { index, path, checkpoint: text }: TlogProof,
  leaf: Uint8Array,
  { log, witnesses, quorum }: TlogPolicy
): { readonly checkpoint: Checkpoint; readonly cosigned: readonly Cosigned[] } {
  const checkpoint = readCheckpoint(p, text, log)
  const cosigned = requireQuorum(p, parseCheckpointNote(text), witnesses, quorum)
  const { size, root } = checkpoint
  if (!verifyInclusion(p, { leaf, index, size, path, root })) {
    throw new SalusError(
      'TLOG_PROOF_INCLUSION',
      'Refused: this entry is not at that place of the log: changed, exchanged or moved.'
    )
  }
  return { checkpoint, cosigned }
}

function bytesOf(text: string | undefined, length?: number): Uint8Array {
  const bytes = text == null || text === '' ? undefined : fromBase64(text)
  if (bytes == null || (length != null && bytes.length !== length)) malformed()
  return bytes
}

function malformed(): never {
  throw new SalusError('TLOG_PROOF_MALFORMED', 'Refused: this is no proof file of a log.')
}

/**
 * What a witness decides: it cosigns a log's head only if that continues the last one it cosigned (docs/specs/cosignature.md).
 *
 * @see https://c2sp.org/tlog-witness
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { emptyRoot, verifyConsistency } from '#core/batch/merkle.ts'
import { fromBase64, toBase64 } from '#core/tlog/base64.ts'
import {
  parseCheckpointNote,
  readCheckpointText,
  requireSignedBy,
  type Checkpoint,
  type LogKey
} from '#core/tlog/checkpoint.ts'
import type { Note } from '#core/tlog/signed-note.ts'

/** The most hashes of a consistency proof, as C2SP bounds them. */
const MAX_HASHES = 63

/** The most characters of a request. */
export const MAX_REQUEST_LENGTH = 16_384

/** What a log asks of a witness. */
export interface WitnessRequest {
  /** Size that the log thinks the witness cosigned last. */
  readonly oldSize: number
  readonly path: readonly Uint8Array[]
  /** The log's signed checkpoint. */
  readonly checkpoint: string
}

/** The last head of a log that a witness cosigned. */
export interface WitnessedHead {
  readonly size: number
  readonly root: Uint8Array
}

/** An answer: cosign this, or an HTTP status, with the size that the witness has where it is 409. */
export type WitnessDecision =
  | { readonly status: 200; readonly note: Note; readonly checkpoint: Checkpoint }
  | { readonly status: 409; readonly size: number }
  | { readonly status: 400 | 403 | 404 | 422 }

/** The body of a request. */
export function encodeWitnessRequest({ oldSize, path, checkpoint }: WitnessRequest): string {
  return `${[`old ${String(oldSize)}`, ...path.map(toBase64)].join('\n')}\n\n${checkpoint}`
}

/**
 * Decides on a request.
 *
 * @param logs - keys of the logs that the witness serves, by origin
 * @param latest - the head of a log that it cosigned last; what is returned must still hold when the new one is stored
 */
export function decideWitness(
  p: Primitives,
  body: string,
  { logs, latest }: { readonly logs: readonly LogKey[]; readonly latest: (origin: string) => WitnessedHead | undefined }
): WitnessDecision {
  const request = readRequest(body)
  if (request == null) return { status: 400 }
  const { oldSize, path, note, checkpoint } = request
  const log = logs.find(({ origin }) => origin === checkpoint.origin)
  if (log == null) return { status: 404 }
  if (!isSigned(p, note, log)) return { status: 403 }
  const { size, root } = checkpoint
  if (oldSize > size) return { status: 400 }
  const before = latest(log.origin) ?? { size: 0, root: emptyRoot(p) }
  if (oldSize !== before.size) return { status: 409, size: before.size }
  const continues = verifyConsistency(p, { firstSize: before.size, firstRoot: before.root, size, root, path })
  const isEmptyRight = size > 0 || equalBytes(root, emptyRoot(p))
  return continues && isEmptyRight ? { status: 200, note, checkpoint } : { status: 422 }
}

function isSigned(p: Primitives, note: Note, log: LogKey): boolean {
  try {
    requireSignedBy(p, note, log)
    return true
  } catch (error) {
    if (isSalusError(error)) return false
    throw error
  }
}

interface ReadRequest extends Omit<WitnessRequest, 'checkpoint'> {
  readonly note: Note
  readonly checkpoint: Checkpoint
}

function readRequest(body: string): ReadRequest | undefined {
  const end = body.length > MAX_REQUEST_LENGTH ? -1 : body.indexOf('\n\n')
  const [first = '', ...lines] = body.slice(0, Math.max(end, 0)).split('\n')
  const [, old] = /^old (0|[1-9][0-9]{0,14})$/.exec(first) ?? []
  const path = lines.flatMap(line => fromBase64(line) ?? [])
  if (old == null || path.length !== lines.length || path.some(({ length }) => length !== 32)) return undefined
  if (path.length > MAX_HASHES) return undefined
  try {
    const note = parseCheckpointNote(body.slice(end + 2))
    return { oldSize: Number(old), path, note, checkpoint: readCheckpointText(note.text) }
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}

/**
 * Checkpoints: the head of a log as a signed note (docs/specs/checkpoint.md).
 *
 * @see https://c2sp.org/tlog-checkpoint
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { fromBase64, toBase64 } from '#core/tlog/base64.ts'
import { noteKeyId, parseNote, signatureLine, signaturesBy, type Note, type NoteKey } from '#core/tlog/signed-note.ts'

/** The most characters that a checkpoint may have, its cosignatures included. */
export const MAX_CHECKPOINT_LENGTH = 4096

/** A log's head. */
export interface Checkpoint {
  /** Name of the log. */
  readonly origin: string
  /** Leaves in the tree. */
  readonly size: number
  /** Root of the tree, 32 bytes. */
  readonly root: Uint8Array
}

/** Who signs a log's checkpoints; the name of the key is the log's. */
export interface LogKey {
  readonly origin: string
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
}

/** The key as notes name it. */
export function noteKeyOf({ origin, publicKey }: LogKey): NoteKey {
  return { name: origin, type: 1, publicKey }
}

/** A signed checkpoint, as it is served. */
export function signCheckpoint(p: Primitives, { origin, size, root }: Checkpoint, signSeed: Uint8Array): string {
  const text = `${origin}\n${String(size)}\n${toBase64(root)}\n`
  const id = noteKeyId(p, noteKeyOf({ origin, publicKey: p.ed25519PublicKey(signSeed) }))
  return `${text}\n${signatureLine(origin, id, p.ed25519Sign(signSeed, utf8(text)))}`
}

/**
 * Reads the text of a note as a checkpoint; lines behind the third are passed over.
 *
 * @throws SalusError `CHECKPOINT_MALFORMED`
 */
export function readCheckpointText(text: string): Checkpoint {
  const match = /^([^\n]+)\n(0|[1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/.exec(text)
  const [, origin, size, encoded] = match ?? []
  const root = encoded == null ? undefined : fromBase64(encoded)
  if (origin == null || root == null) malformed()
  return { origin, size: Number(size), root }
}

/**
 * Reads a checkpoint and checks the log's signature; signatures of others are passed over.
 *
 * @throws SalusError `CHECKPOINT_MALFORMED`, `CHECKPOINT_ORIGIN` (of another log), `CHECKPOINT_SIGNATURE`
 */
export function readCheckpoint(p: Primitives, text: string, key: LogKey): Checkpoint {
  const note = parseCheckpointNote(text)
  const checkpoint = readCheckpointText(note.text)
  if (checkpoint.origin !== key.origin) {
    throw new SalusError('CHECKPOINT_ORIGIN', 'Refused: this is a checkpoint of another log.')
  }
  requireSignedBy(p, note, key)
  return checkpoint
}

/**
 * The note of a checkpoint, nothing checked but its form.
 *
 * @throws SalusError `CHECKPOINT_MALFORMED`
 */
export function parseCheckpointNote(text: string): Note {
  if (text.length > MAX_CHECKPOINT_LENGTH) malformed()
  try {
    return parseNote(text)
  } catch (cause) {
    if (!isSalusError(cause)) throw cause
    malformed(cause)
  }
}

/**
 * Holds a note to be signed by a log. A signature that names the log's key and is not by it spoils the note.
 *
 * @throws SalusError `CHECKPOINT_SIGNATURE`
 */
export function requireSignedBy(p: Primitives, note: Note, key: LogKey): void {
  const claimed = signaturesBy(p, note, noteKeyOf(key))
  const message = utf8(note.text)
  if (claimed.length === 0 || !claimed.every(({ bytes }) => p.ed25519Verify(key.publicKey, message, bytes))) {
    throw new SalusError('CHECKPOINT_SIGNATURE', 'Refused: the log did not sign this checkpoint.')
  }
}

function malformed(cause?: unknown): never {
  throw new SalusError('CHECKPOINT_MALFORMED', 'Refused: this is no checkpoint of a log.', { cause })
}

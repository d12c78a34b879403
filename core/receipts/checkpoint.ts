/**
 * Checkpoints of a log: C2SP signed notes of one Ed25519 key (docs/specs/receipts.md).
 *
 * @see https://c2sp.org/tlog-checkpoint; https://c2sp.org/signed-note
 */
import { base64pad } from 'multiformats/bases/base64'
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import type { Primitives } from '#core/crypto/primitives.ts'

const ED25519 = 1
const KEY_ID_BYTES = 4

/** The most characters that a checkpoint may have. */
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

/** Who signs a log's checkpoints. */
export interface LogKey {
  readonly origin: string
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
}

/** Name of a node's log of receipts: the network, and the signing key of the log. */
export function receiptLogOrigin(network: Uint8Array, publicKey: Uint8Array): string {
  return `salus/${hexOf(network.subarray(0, 4))}/receipts/${hexOf(publicKey)}`
}

function textOf({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${String(size)}\n${base64pad.baseEncode(root)}\n`
}

function keyIdOf(p: Primitives, { origin, publicKey }: LogKey): Uint8Array {
  return p.sha256(concat(utf8(`${origin}\n`), Uint8Array.of(ED25519), publicKey)).slice(0, KEY_ID_BYTES)
}

/** A signed checkpoint, as it is served. */
export function signCheckpoint(p: Primitives, checkpoint: Checkpoint, signSeed: Uint8Array): string {
  const { origin } = checkpoint
  const text = textOf(checkpoint)
  const id = keyIdOf(p, { origin, publicKey: p.ed25519PublicKey(signSeed) })
  const signature = base64pad.baseEncode(concat(id, p.ed25519Sign(signSeed, utf8(text))))
  return `${text}\n— ${origin} ${signature}\n`
}

/**
 * Reads a checkpoint and checks the log's signature; signatures of others are passed over.
 *
 * @throws SalusError `CHECKPOINT_MALFORMED`, `CHECKPOINT_ORIGIN` (of another log), `CHECKPOINT_SIGNATURE`
 */
export function readCheckpoint(p: Primitives, note: string, key: LogKey): Checkpoint {
  const end = note.length > MAX_CHECKPOINT_LENGTH ? -1 : note.lastIndexOf('\n\n')
  const match = /^([^\n]+)\n(0|[1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/.exec(note.slice(0, end + 1))
  const [text, origin, size, root] = match ?? []
  if (end < 0 || text == null || origin == null || root == null) {
    throw new SalusError('CHECKPOINT_MALFORMED', 'Refused: this is no checkpoint of a log.')
  }
  if (origin !== key.origin) throw new SalusError('CHECKPOINT_ORIGIN', 'Refused: this is a checkpoint of another log.')
  const id = keyIdOf(p, key)
  const isSigned = note
    .slice(end + 2)
    .split('\n')
    .some(line => isSignature(line, id))
  if (!isSigned) throw new SalusError('CHECKPOINT_SIGNATURE', 'Refused: the log did not sign this checkpoint.')
  return { origin, size: Number(size), root: base64pad.baseDecode(root) }

  function isSignature(line: string, keyId: Uint8Array): boolean {
    const [, name, encoded] = /^— ([^\n ]+) ([A-Za-z0-9+/]{90,92}={0,2})$/.exec(line) ?? []
    if (name !== key.origin || encoded == null) return false
    const bytes = decodeBase64(encoded)
    if (bytes?.length !== KEY_ID_BYTES + 64 || !equalBytes(bytes.subarray(0, KEY_ID_BYTES), keyId)) return false
    return p.ed25519Verify(key.publicKey, utf8(text ?? ''), bytes.subarray(KEY_ID_BYTES))
  }
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return base64pad.baseDecode(text)
  } catch {
    return undefined
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

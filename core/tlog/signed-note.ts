/**
 * Notes: text that several keys signed (docs/specs/checkpoint.md).
 *
 * @see https://c2sp.org/signed-note
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, equalBytes, toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { fromBase64, toBase64 } from '#core/tlog/base64.ts'

/** Bytes of a key id in front of a signature. */
export const KEY_ID_BYTES = 4

/** The most characters of a note that are looked at. */
export const MAX_NOTE_LENGTH = 16_384

/** The most signatures of one note; C2SP asks for at least 16. */
const MAX_SIGNATURES = 64

/** Types of signature that are read: Ed25519 over the text, and timestamped Ed25519 of a witness. */
export type NoteKeyType = 1 | 4

/** A key that signs notes. */
export interface NoteKey {
  /** Name beside the signature: no spaces, no plus. */
  readonly name: string
  readonly type: NoteKeyType
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
}

/** One signature line. */
export interface NoteSignature {
  readonly name: string
  /** First four bytes of a hash of name, type and key. */
  readonly keyId: Uint8Array
  /** What stands behind the key id. */
  readonly bytes: Uint8Array
}

/** A note as read; nothing in it is true before a signature was checked. */
export interface Note {
  /** The signed text, with its last newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** SHA-256(name ‖ 0x0a ‖ type ‖ key), first four bytes. */
export function noteKeyId(p: Pick<Primitives, 'sha256'>, { name, type, publicKey }: NoteKey): Uint8Array {
  return p.sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, KEY_ID_BYTES)
}

/** Tells whether a text may be the name of a key. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= 256 && !/[\s+\p{Cc}\p{Z}]/u.test(name)
}

/** The line by which a key signs, with its newline. */
export function signatureLine(name: string, keyId: Uint8Array, bytes: Uint8Array): string {
  return `— ${name} ${toBase64(concat(keyId, bytes))}\n`
}

/**
 * Reads a note.
 *
 * @throws SalusError `NOTE_MALFORMED` if it has no text, no signature, too many, or a character that no note may have
 */
export function parseNote(note: string): Note {
  const end = note.length > MAX_NOTE_LENGTH ? -1 : note.lastIndexOf('\n\n')
  if (end < 1 || !note.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f\ufffd]/.test(note)) malformed()
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) malformed()
  return { text: note.slice(0, end + 1), signatures: lines.map(readSignature) }
}

function readSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? []
  const bytes = encoded == null ? undefined : fromBase64(encoded)
  if (name == null || !isKeyName(name) || bytes == null || bytes.length <= KEY_ID_BYTES) malformed()
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), bytes: bytes.slice(KEY_ID_BYTES) }
}

/** The signatures of a note that claim to be by a key. */
export function signaturesBy(p: Pick<Primitives, 'sha256'>, note: Note, key: NoteKey): NoteSignature[] {
  const id = noteKeyId(p, key)
  return note.signatures.filter(({ name, keyId }) => name === key.name && equalBytes(keyId, id))
}

/** A key as text: name, key id and key, by plus. */
export function encodeVerifierKey(p: Pick<Primitives, 'sha256'>, key: NoteKey): string {
  const id = toHex(noteKeyId(p, key)).slice(2)
  return `${key.name}+${id}+${toBase64(concat(Uint8Array.of(key.type), key.publicKey))}`
}

/**
 * Reads a key as text.
 *
 * @throws SalusError `NOTE_KEY` if it is none, of an unknown type, or its id is that of another key
 */
export function decodeVerifierKey(p: Pick<Primitives, 'sha256'>, text: string): NoteKey {
  const [, name, id, encoded] = /^([^+]{1,256})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text) ?? []
  const bytes = encoded == null ? undefined : fromBase64(encoded)
  const type = bytes?.[0]
  if (name != null && isKeyName(name) && bytes?.length === 33 && (type === 1 || type === 4)) {
    const key: NoteKey = { name, type, publicKey: bytes.slice(1) }
    if (id === toHex(noteKeyId(p, key)).slice(2)) return key
  }
  throw new SalusError('NOTE_KEY', 'This is no key of a log or witness; it has the form name+8 digits+base64.')
}

function malformed(): never {
  throw new SalusError('NOTE_MALFORMED', 'Refused: this is no signed note.')
}

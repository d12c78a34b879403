/**
 * The message envelope: what travels in gossip, submit and sync, and what a node keeps in its log
 * (docs/specs/message.md, vectors in test/vectors/message.json). The envelope names the network and frames its parts; the
 * parts have formats, signatures and checks of their own.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import type { CID } from 'multiformats/cid'
import { MAX_GLASS_RECORD_BYTES } from '#core/custody/break-glass.ts'
import { MAX_ERASURE_BYTES } from '#core/custody/erasure.ts'
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_CAPSULE_BYTES } from '#core/grant/capsule.ts'
import { MAX_ROTATION_BYTES } from '#core/grant/rotation.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { MAX_ENTRY_BYTES } from '#core/record/entry.ts'
import { MAX_SLOT_BYTES } from '#core/record/slot.ts'

const AREA = 'MESSAGE'

/** Most bytes of an envelope; below gossip's limit of 64 KiB with room for its own fields. */
export const MAX_MESSAGE_BYTES: number = 60 * 1024

/** Most bytes of a blob that travels inside the envelope; larger ones are fetched by CID. */
export const MAX_INLINE_BLOB_BYTES: number = 32 * 1024

/** Bounds of the parts of an envelope, in bytes. */
const MAX_PART_BYTES: Record<'header' | 'slot' | 'evidence' | 'capsule' | 'rotation' | 'erasure' | 'record', number> = {
  header: MAX_ENTRY_BYTES,
  slot: MAX_SLOT_BYTES,
  evidence: MAX_EVIDENCE_BYTES,
  capsule: MAX_CAPSULE_BYTES,
  rotation: MAX_ROTATION_BYTES,
  erasure: MAX_ERASURE_BYTES,
  record: MAX_GLASS_RECORD_BYTES
}

/** A new or revised entry: signed header, erasable slot, the author's key bundle, and the blob where it is small. */
export interface EntryMessage {
  readonly kind: 'entry'
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  readonly header: Uint8Array
  readonly slot: Uint8Array
  readonly evidence: Uint8Array
  /** Ciphertext, at most 32 KiB, or null where it is fetched by the CID in the header. */
  readonly blob: Uint8Array | null
}

/** A grant's capsule; it holds the patient's key bundle that checks its signature. */
export interface CapsuleMessage {
  readonly kind: 'capsule'
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  readonly capsule: Uint8Array
}

/** The patient's notice that compartment tags are retired; it holds the key bundle that checks its signature. */
export interface RotationMessage {
  readonly kind: 'rotation'
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  readonly rotation: Uint8Array
}

/** The patient's word that entries are to be erased; it holds the key bundle that checks its signature. */
export interface ErasureMessage {
  readonly kind: 'erasure'
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  readonly erasure: Uint8Array
}

/** A record of an emergency that was declared without a network, passed on once there is one. */
export interface GlassMessage {
  readonly kind: 'glass'
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  readonly record: Uint8Array
}

/** Everything that peers send each other about records. */
export type Message = EntryMessage | CapsuleMessage | RotationMessage | ErasureMessage | GlassMessage

/**
 * The canonical bytes of a message.
 *
 * @throws SalusError `MESSAGE_OVERSIZE` above {@link MAX_MESSAGE_BYTES}; `MESSAGE_SHAPE` if a part is out of bounds
 */
export function encodeMessage(message: Message): Uint8Array {
  const bytes = encodeCanonical({ v: 1, ...message })
  decodeMessage(bytes, message.network)
  return bytes
}

/**
 * Reads a message of a network. The parts are only framed: their own decoders and checks come after.
 *
 * @param bytes - at most {@link MAX_MESSAGE_BYTES}
 * @param network - network identifier, 32 bytes
 * @throws SalusError `MESSAGE_OVERSIZE`, `MESSAGE_TRUNCATED`, `MESSAGE_DUPLICATE_KEY`, `MESSAGE_TRAILING`,
 * `MESSAGE_MALFORMED`, `MESSAGE_NOT_CANONICAL`; `MESSAGE_SHAPE` for wrong, missing or unknown fields;
 * `MESSAGE_VERSION`, `MESSAGE_NETWORK`, `MESSAGE_KIND` for a version, network or kind that is not ours
 */
export function decodeMessage(bytes: Uint8Array, network: Uint8Array): Message {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_MESSAGE_BYTES })
  // Version, network and kind first: they decide which fields are expected.
  readVersion(value, AREA)
  const all = ['v', 'network', 'kind', 'evidence', 'header', 'slot', 'blob', 'capsule', 'rotation', 'erasure', 'record']
  const head = readMap(value, AREA, ['v', 'network', 'kind'], all)
  const ours = readBytes(head['network'], AREA, 'network', 32)
  if (!equalBytes(ours, network)) {
    throw new SalusError('MESSAGE_NETWORK', 'Refused: the message belongs to another network (chain or deployment).')
  }
  const kind = readText(head['kind'], AREA, 'kind', 16)
  switch (kind) {
    case 'entry':
      return {
        kind,
        network: ours,
        ...readParts(value, ['header', 'slot', 'evidence'], ['blob']),
        blob:
          head['blob'] === null ? null : readBytes(head['blob'], AREA, 'blob', { min: 1, max: MAX_INLINE_BLOB_BYTES })
      }
    case 'capsule':
      return { kind, network: ours, ...readParts(value, ['capsule']) }
    case 'rotation':
      return { kind, network: ours, ...readParts(value, ['rotation']) }
    case 'erasure':
      return { kind, network: ours, ...readParts(value, ['erasure']) }
    case 'glass':
      return { kind, network: ours, ...readParts(value, ['record']) }
    default:
      throw new SalusError('MESSAGE_KIND', 'Refused: this node does not know this kind of message.')
  }
}

/** Exactly the named byte strings, and others that the caller reads. */
function readParts<Part extends keyof typeof MAX_PART_BYTES>(
  value: unknown,
  parts: readonly Part[],
  others: readonly string[] = []
): Record<Part, Uint8Array> {
  const map = readMap(value, AREA, ['v', 'network', 'kind', ...parts, ...others])
  const read = parts.map(part => [part, readBytes(map[part], AREA, part, { min: 1, max: MAX_PART_BYTES[part] })])
  return Object.fromEntries(read) as Record<Part, Uint8Array>
}

/**
 * The key under which a message is kept and told apart from others: kind and SHA-256 of the signed part. A slot,
 * evidence or blob beside it does not make another message: the same entry sent twice is one message.
 */
export function messageKey(message: Message): string {
  switch (message.kind) {
    case 'entry':
      return keyOf(message.kind, message.header)
    case 'capsule':
      return keyOf(message.kind, message.capsule)
    case 'rotation':
      return keyOf(message.kind, message.rotation)
    case 'erasure':
      return keyOf(message.kind, message.erasure)
    case 'glass':
      return keyOf(message.kind, message.record)
  }
}

/** Key of the message of an entry, by the name of its header: both are its SHA-256. */
export function entryKeyOf(header: CID): string {
  return `entry:${toHex(header.multihash.digest).slice(2)}`
}

/** Key of a message with this kind and signed part. */
function keyOf(kind: Message['kind'], signedPart: Uint8Array): string {
  return `${kind}:${toHex(sha256(signedPart)).slice(2)}`
}

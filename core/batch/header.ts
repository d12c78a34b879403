/** The signed header of a batch: what the gateway states about a span of its tree (docs/specs/batch.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'

const AREA = 'BATCH'
const VERSION = 1
const SIGNING_LABEL = 'salus/batch/1'
const MAX_GAPS = 64
const FIELDS = [
  'v',
  'network',
  'gateway',
  'signerSalt',
  'patient',
  'certificate',
  'sequence',
  'previous',
  'treeFrom',
  'treeTo',
  'root',
  'fromMs',
  'toMs',
  'count',
  'timeQuality',
  'gaps'
]

/** Most bytes of an encoded header. */
export const MAX_HEADER_BYTES = 8192

/** Readings of a device that the gateway knows it does not have. */
export interface Gap {
  readonly device: string
  /** First and last missing sequence number of the device. */
  readonly fromSequence: number
  readonly toSequence: number
  /** Why, in a word: `device` (never arrived) or `journal` (lost with a damaged journal). */
  readonly reason: string
}

/** Whether the gateway's clock was synchronised over the whole batch. */
export type TimeQuality = 'synchronised' | 'unsynchronised'

/** What a gateway signs per batch. Sizes count leaves of the gateway's one tree; a batch opens with a leaf of its own. */
export interface BatchHeader {
  readonly network: Uint8Array
  /** Gateway id, 32 bytes. */
  readonly gateway: Uint8Array
  /** Salt of the gateway id, 32 bytes: with it the address that signs for the gateway gives the id. */
  readonly signerSalt: Uint8Array
  /** Patient pseudonym, 32 bytes: a batch holds readings of one patient. */
  readonly patient: Uint8Array
  /** Digest of the gateway's key bundle, as registered on the chain. */
  readonly certificate: Uint8Array
  /** Exact number of the batch, from 1. */
  readonly sequence: number
  /** {@link headerDigest} of the batch before; null for the first. */
  readonly previous: Uint8Array | null
  readonly treeFrom: number
  readonly treeTo: number
  /** Root of the tree at `treeTo`. */
  readonly root: Uint8Array
  /** The span of time that the batch speaks for, milliseconds since 1970; silent spans too. */
  readonly fromMs: number
  readonly toMs: number
  /** Number of readings: `treeTo - treeFrom - 1`. */
  readonly count: number
  readonly timeQuality: TimeQuality
  readonly gaps: readonly Gap[]
}

/** A header as it travels: canonical bytes and the gateway's Ed25519 signature over them. */
export interface SignedHeader {
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** Signs a header with the seed of the gateway's Ed25519 key. Deterministic: the same header gives the same bytes. */
export function signHeader(p: Primitives, header: BatchHeader, signSeed: Uint8Array): SignedHeader {
  const bytes = encodeCanonical({ v: VERSION, ...header })
  return { bytes, signature: p.ed25519Sign(signSeed, signingInput(SIGNING_LABEL, bytes)) }
}

/** Whether the signature is by the holder of an Ed25519 public key. */
export function verifyHeader(p: Primitives, { bytes, signature }: SignedHeader, signKey: Uint8Array): boolean {
  return p.ed25519Verify(signKey, signingInput(SIGNING_LABEL, bytes), signature)
}

/** What the next header names as `previous`: SHA-256 of the header's bytes. */
export function headerDigest(p: Pick<Primitives, 'sha256'>, bytes: Uint8Array): Uint8Array {
  return p.sha256(bytes)
}

/** Whose batch is expected; what is left out is not compared. */
export interface ExpectedBatch {
  readonly network?: Uint8Array
  readonly patient?: Uint8Array
  readonly gateway?: Uint8Array
}

/**
 * Reads a header; the signature is checked apart by {@link verifyHeader}.
 *
 * @throws SalusError `BATCH_*` of the canonical decoder, `BATCH_VERSION`, `BATCH_SHAPE`, `BATCH_COUNT`; `BATCH_NETWORK`,
 * `BATCH_PATIENT`, `BATCH_GATEWAY` where another was expected
 */
export function decodeHeader(bytes: Uint8Array, expected: ExpectedBatch = {}): BatchHeader {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_HEADER_BYTES })
  if (readMap(value, AREA, ['v'], FIELDS)['v'] !== VERSION) {
    throw new SalusError('BATCH_VERSION', 'Refused: this batch has another version; use a newer Salus.')
  }
  const map = readMap(value, AREA, FIELDS)
  const header: BatchHeader = {
    network: readBytes(map['network'], AREA, 'network', 32),
    gateway: readBytes(map['gateway'], AREA, 'gateway', 32),
    signerSalt: readBytes(map['signerSalt'], AREA, 'signerSalt', 32),
    patient: readBytes(map['patient'], AREA, 'patient', 32),
    certificate: readBytes(map['certificate'], AREA, 'certificate', 32),
    sequence: readUint(map['sequence'], AREA, 'sequence', MAX_INTEGER),
    previous: map['previous'] === null ? null : readBytes(map['previous'], AREA, 'previous', 32),
    treeFrom: readUint(map['treeFrom'], AREA, 'treeFrom', MAX_INTEGER),
    treeTo: readUint(map['treeTo'], AREA, 'treeTo', MAX_INTEGER),
    root: readBytes(map['root'], AREA, 'root', 32),
    fromMs: readUint(map['fromMs'], AREA, 'fromMs', MAX_INTEGER),
    toMs: readUint(map['toMs'], AREA, 'toMs', MAX_INTEGER),
    count: readUint(map['count'], AREA, 'count', MAX_INTEGER),
    timeQuality: readTimeQuality(map['timeQuality']),
    gaps: readList(map['gaps'], AREA, 'gaps', MAX_GAPS, readGap)
  }
  requirePlausible(header)
  requireExpected(header, expected)
  return header
}

function readTimeQuality(value: unknown): TimeQuality {
  if (value === 'synchronised' || value === 'unsynchronised') return value
  throw new SalusError('BATCH_SHAPE', 'Refused: field "timeQuality" must be synchronised or unsynchronised.')
}

function readGap(value: unknown): Gap {
  const map = readMap(value, AREA, ['device', 'fromSequence', 'toSequence', 'reason'])
  return {
    device: readText(map['device'], AREA, 'device', 32),
    fromSequence: readUint(map['fromSequence'], AREA, 'fromSequence', MAX_INTEGER),
    toSequence: readUint(map['toSequence'], AREA, 'toSequence', MAX_INTEGER),
    reason: readText(map['reason'], AREA, 'reason', 16)
  }
}

function requirePlausible({ sequence, previous, treeFrom, treeTo, count, fromMs, toMs }: BatchHeader): void {
  if (treeTo !== treeFrom + 1 + count) {
    throw new SalusError('BATCH_COUNT', 'Refused: the number of readings does not fit the span of the tree.')
  }
  const first = sequence === 1
  if (sequence === 0 || first !== (previous === null) || (first && treeFrom !== 0) || fromMs > toMs) {
    throw new SalusError('BATCH_SHAPE', 'Refused: the batch header contradicts itself.')
  }
}

function requireExpected(header: BatchHeader, { network, patient, gateway }: ExpectedBatch): void {
  if (network != null && !equalBytes(header.network, network)) {
    throw new SalusError('BATCH_NETWORK', 'Refused: the batch belongs to another network (chain or deployment).')
  }
  if (patient != null && !equalBytes(header.patient, patient)) {
    throw new SalusError('BATCH_PATIENT', 'Refused: the batch belongs to another patient.')
  }
  if (gateway != null && !equalBytes(header.gateway, gateway)) {
    throw new SalusError('BATCH_GATEWAY', 'Refused: the batch is of another gateway.')
  }
}

/** A batch: readings of one patient, made leaves of the gateway's tree, signed, and packed for sealing (docs/specs/batch.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap } from '#core/encoding/shape.ts'
import { atOnce, type InSteps } from '#core/encoding/steps.ts'
import { SalusError } from '#core/error.ts'
import {
  decodeHeader,
  headerDigest,
  MAX_HEADER_BYTES,
  signHeader,
  verifyHeader,
  type BatchHeader,
  type ExpectedBatch,
  type Gap,
  type SignedHeader
} from '#core/batch/header.ts'
import { BATCH_SECRET_BYTES, leafSalt, openingLeaf, readingLeaf, saltKey } from '#core/batch/leaf.ts'
import { MAX_PROOF_HASHES } from '#core/batch/merkle.ts'
import { encodeReading, READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import { encodeRecord, MAX_BATCH_RECORDS, type BatchRecord } from '#core/batch/record.ts'
import {
  groupByStream,
  MAX_BATCH_READINGS,
  MAX_STREAMS,
  packStream,
  readPackedStream,
  type PackedStream,
  unpackStream
} from '#core/batch/streams.ts'
import { countRecords, packRecordsInSteps, unpackRecordsInSteps } from '#core/signal/packed-records.ts'
import { appendLeaf, createTree, rangeOf, rangeRoot, type CompactRange, type Tree } from '#core/batch/tree.ts'

const AREA = 'BATCH'
/** A batch without records is of the first version: older readers go on reading it. */
const VERSION = 1
const VERSION_WITH_RECORDS = 2
const FIELDS = ['v', 'header', 'signature', 'secret', 'peaks', 'streams']
/** Leaves that are made between two pauses of {@link buildBatchInSteps} and {@link decodeBatchInSteps}: about a millisecond. */
const STEP_LEAVES = 128

/** Media type of a batch as the content of an entry. */
export const BATCH_TYPE = 'application/vnd.salus.batch'

/** Most bytes of an encoded batch. */
export const MAX_BATCH_BYTES: number = 8 * 1024 * 1024

/** Who makes batches, and for whom. */
export interface BatchAuthor {
  readonly network: Uint8Array
  readonly gateway: Uint8Array
  readonly signerSalt: Uint8Array
  readonly patient: Uint8Array
  readonly certificate: Uint8Array
  /** Seed of the gateway's Ed25519 key. */
  readonly signSeed: Uint8Array
}

/** What goes into the next batch. */
export interface BatchInput {
  readonly sequence: number
  /** Bytes of the header before; null for the first batch. */
  readonly previous: Uint8Array | null
  /** At most 131,072, in order of arrival; none makes a batch that proves silence. */
  readonly readings: readonly Reading[]
  /** At most 4,096; their leaves follow those of the readings. */
  readonly records?: readonly BatchRecord[]
  /** 32 random bytes, fresh for each batch: the salts of its leaves come from them. */
  readonly secret: Uint8Array
  readonly fromMs: number
  readonly toMs: number
  readonly gaps: readonly Gap[]
}

/** A batch as it was built or read. */
export interface Batch {
  readonly header: BatchHeader
  readonly signed: SignedHeader
  readonly secret: Uint8Array
  /** Peaks of the tree before the batch: with them its holder proves each reading. */
  readonly before: CompactRange
  /** In the order of the leaves `header.treeFrom + 1 …`. */
  readonly readings: readonly Reading[]
  /** In the order of the leaves behind them. */
  readonly records: readonly BatchRecord[]
}

/**
 * Builds, signs and encodes the next batch. Deterministic: the same input gives the same bytes.
 *
 * @param tree - the gateway's tree; the batch's leaves are appended to it
 * @throws SalusError `BATCH_OVERSIZE` above 131,072 readings, 64 streams or 4,096 records
 */
export function buildBatch(p: Primitives, author: BatchAuthor, tree: Tree, input: BatchInput): BuiltBatch {
  return atOnce(buildBatchInSteps(p, author, tree, input))
}

/** A batch and its encoding. */
export interface BuiltBatch {
  readonly batch: Batch
  readonly bytes: Uint8Array
}

/** {@link buildBatch} with pauses: while a large batch is made, alarms must not wait. */
export function* buildBatchInSteps(
  p: Primitives,
  { signSeed, ...ids }: BatchAuthor,
  tree: Tree,
  { sequence, previous, readings, records = [], secret, fromMs, toMs, gaps }: BatchInput
): InSteps<BuiltBatch> {
  const groups = groupByStream(readings)
  const tooMany = readings.length > MAX_BATCH_READINGS || records.length > MAX_BATCH_RECORDS
  if (tooMany || groups.length > MAX_STREAMS) {
    throw new SalusError('BATCH_OVERSIZE', 'Too many readings or streams for one batch; make batches more often.')
  }
  const ordered = groups.flat()
  const before = rangeOf(tree)
  const previousDigest = previous == null ? null : headerDigest(p, previous)
  yield* appendBatch(p, tree, { sequence, previousDigest, secret, readings: ordered, records })
  const header: BatchHeader = {
    ...ids,
    sequence,
    previous: previousDigest,
    treeFrom: before.size,
    treeTo: tree.size,
    root: rangeRoot(p, rangeOf(tree)),
    fromMs,
    toMs,
    count: readings.length + records.length,
    timeQuality: readings.some(r => (r.flags & READING_FLAGS.clockUnsynchronised) !== 0)
      ? 'unsynchronised'
      : 'synchronised',
    gaps
  }
  const signed = signHeader(p, header, signSeed)
  const streams = groups.flatMap(group => (group[0] == null ? [] : [packStream(group, group[0].stream)]))
  const { bytes: headerBytes, signature } = signed
  const parts = { header: headerBytes, signature, secret, peaks: before.peaks, streams }
  const bytes = encodeCanonical(
    records.length === 0
      ? { v: VERSION, ...parts }
      : { v: VERSION_WITH_RECORDS, ...parts, records: yield* packRecordsInSteps(records) }
  )
  return { batch: { header, signed, secret, before, readings: ordered, records }, bytes }
}

/**
 * Reads a batch and recomputes its part of the tree: what is returned is what the gateway signed.
 *
 * @param signKey - the gateway's Ed25519 public key
 * @throws SalusError `BATCH_*` of the canonical decoder, `BATCH_VERSION`, `BATCH_SHAPE`, `BATCH_COLUMN`, `RECORD_*`, `BATCH_NETWORK`,
 * `BATCH_PATIENT`, `BATCH_GATEWAY`, `BATCH_SIGNATURE`, `BATCH_COUNT` (readings added or left out), `BATCH_ROOT` (readings
 * changed or moved)
 */
export function decodeBatch(
  p: Primitives,
  bytes: Uint8Array,
  signKey: Uint8Array,
  expected: ExpectedBatch = {}
): Batch {
  return atOnce(decodeBatchInSteps(p, bytes, signKey, expected))
}

/** {@link decodeBatch} with pauses. */
export function* decodeBatchInSteps(
  p: Primitives,
  bytes: Uint8Array,
  signKey: Uint8Array,
  expected: ExpectedBatch = {}
): InSteps<Batch> {
  const { header, signed, secret, peaks, packed, packedRecords } = readBatch(p, bytes, signKey, expected)
  const count = packed.reduce((sum, stream) => sum + stream.count, 0)
  const recordCount = packedRecords === undefined ? 0 : countRecords(packedRecords)
  if (count + recordCount !== header.count || count > MAX_BATCH_READINGS) {
    throw new SalusError('BATCH_COUNT', 'Refused: readings were added to the batch or left out of it.')
  }
  const batch: Batch = {
    header,
    signed,
    secret,
    before: { size: header.treeFrom, peaks },
    readings: packed.flatMap(unpackStream),
    records: packedRecords === undefined ? [] : yield* unpackRecordsInSteps(packedRecords)
  }
  const tree = createTree(batch.before)
  yield* extendTreeInSteps(p, tree, batch)
  if (!equalBytes(rangeRoot(p, rangeOf(tree)), header.root)) {
    throw new SalusError('BATCH_ROOT', 'Refused: readings of the batch were changed, exchanged or moved.')
  }
  return batch
}

/**
 * The header of a batch, its signature checked and its leaves not: for whoever made the batch itself.
 *
 * @throws SalusError as {@link decodeBatch}, without `BATCH_COLUMN`, `BATCH_COUNT` and `BATCH_ROOT`
 */
export function decodeBatchHeader(p: Primitives, bytes: Uint8Array, signKey: Uint8Array): BatchHeader {
  return readBatch(p, bytes, signKey, {}).header
}

interface ReadBatch extends Omit<Batch, 'before' | 'readings' | 'records'> {
  /** Not unpacked yet: waveforms unfold to many times their bytes. */
  readonly packedRecords: unknown
  readonly peaks: readonly Uint8Array[]
  readonly packed: readonly PackedStream[]
}

function readBatch(p: Primitives, bytes: Uint8Array, signKey: Uint8Array, expected: ExpectedBatch): ReadBatch {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BATCH_BYTES })
  const version = readMap(value, AREA, ['v'], [...FIELDS, 'records'])['v']
  if (version !== VERSION && version !== VERSION_WITH_RECORDS) {
    throw new SalusError('BATCH_VERSION', 'Refused: this batch has another version; use a newer Salus.')
  }
  const map = readMap(value, AREA, version === VERSION ? FIELDS : [...FIELDS, 'records'])
  const signed: SignedHeader = {
    bytes: readBytes(map['header'], AREA, 'header', { min: 1, max: MAX_HEADER_BYTES }),
    signature: readBytes(map['signature'], AREA, 'signature', 64)
  }
  const secret = readBytes(map['secret'], AREA, 'secret', BATCH_SECRET_BYTES)
  const peaks = readList(map['peaks'], AREA, 'peaks', MAX_PROOF_HASHES, item => readBytes(item, AREA, 'peaks', 32))
  const packed = readList(map['streams'], AREA, 'streams', MAX_STREAMS, readPackedStream)
  const header = decodeHeader(signed.bytes, expected)
  if (!verifyHeader(p, signed, signKey)) {
    throw new SalusError('BATCH_SIGNATURE', 'Refused: the batch is not signed by this gateway.')
  }
  const packedRecords = version === VERSION ? undefined : map['records']
  // Without records the version is another: each batch has one encoding.
  if (packedRecords !== undefined && countRecords(packedRecords) === 0) {
    throw new SalusError('BATCH_SHAPE', 'Refused: a batch without records has no list of them.')
  }
  return { header, signed, secret, peaks, packed, packedRecords }
}

/**
 * The tree from before a batch to its end, in which each of its readings can be proven.
 *
 * @throws SalusError `MERKLE_RANGE` if the peaks do not fit the header
 */
export function batchTree(p: Primitives, batch: Batch): Tree {
  const tree = createTree(batch.before)
  extendTree(p, tree, batch)
  return tree
}

/** Appends the leaves of a batch to a tree that stands where the batch begins. */
export function extendTree(p: Primitives, tree: Tree, batch: Batch): void {
  atOnce(extendTreeInSteps(p, tree, batch))
}

function* extendTreeInSteps(p: Primitives, tree: Tree, { header, secret, readings, records }: Batch): InSteps<void> {
  const { sequence, previous: previousDigest } = header
  yield* appendBatch(p, tree, { sequence, previousDigest, secret, readings, records })
}

/** Index in the gateway's tree of the reading at `position` of a batch. */
export function leafIndex({ treeFrom }: Pick<BatchHeader, 'treeFrom'>, position: number): number {
  return treeFrom + 1 + position
}

/**
 * The canonical bytes and the salt of the reading or record at `position` of a batch: what its leaf is made of.
 *
 * @throws SalusError `BUNDLE_POSITION` if there is none
 */
export function leafParts(p: Primitives, { header, secret, readings, records }: Batch, position: number): LeafParts {
  const reading = readings[position]
  const record = records[position - readings.length]
  if (reading == null && record == null) {
    throw new SalusError('BUNDLE_POSITION', 'The batch has no reading at this position.')
  }
  const bytes = reading != null ? encodeReading(reading) : record != null ? encodeRecord(record) : new Uint8Array()
  return { reading: bytes, salt: leafSalt(p, saltKey(p, secret), leafIndex(header, position)).slice() }
}

/** Canonical reading, or record, and salt. */
export interface LeafParts {
  readonly reading: Uint8Array
  readonly salt: Uint8Array
}

interface Leaves {
  readonly sequence: number
  readonly previousDigest: Uint8Array | null
  readonly secret: Uint8Array
  readonly readings: readonly Reading[]
  readonly records: readonly BatchRecord[]
}

function* appendBatch(p: Primitives, tree: Tree, leaves: Leaves): InSteps<void> {
  const { sequence, previousDigest, secret, readings, records } = leaves
  appendLeaf(p, tree, openingLeaf(p, sequence, previousDigest))
  const key = saltKey(p, secret)
  for (const reading of readings) {
    appendLeaf(p, tree, readingLeaf(p, encodeReading(reading), leafSalt(p, key, tree.size)))
    if (tree.size % STEP_LEAVES === 0) yield
  }
  for (const record of records) {
    appendLeaf(p, tree, readingLeaf(p, encodeRecord(record), leafSalt(p, key, tree.size)))
    if (tree.size % STEP_LEAVES === 0) yield
  }
}

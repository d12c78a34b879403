/** The records of a gateway's journal, and its snapshots, as bytes (docs/specs/gateway-journal.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_PROOF_HASHES } from '#core/batch/merkle.ts'
import { decodeReading, encodeReading, readInteger, type Reading } from '#core/batch/reading.ts'
import {
  decodeRecord,
  encodeRecord,
  MAX_BATCH_RECORDS,
  MAX_RECORD_BYTES,
  type BatchRecord
} from '#core/batch/record.ts'
import { MAX_HEADER_BYTES } from '#core/batch/header.ts'
import { MAX_BATCH_READINGS } from '#core/batch/streams.ts'
import type { CompactRange } from '#core/batch/tree.ts'
import { readLastSequences } from '#gateway/last-sequences.ts'
import {
  ANY_SOURCE,
  initialState,
  MAX_CURSORS,
  type AnchorPlan,
  type Change,
  type Cursor,
  type GatewayState,
  type HeadPlan,
  type Intent,
  type KnownPatient
} from '#gateway/state.ts'

const AREA = 'JOURNAL'
const MAX_STATE_BYTES = 96 * 1024 * 1024
const MAX_INT = 2 ** 48
const VERSION = 2
/** A snapshot of the first version: one source, no records, no heads. */
const ONE_SOURCE = 1

/** Canonical bytes of a change. */
export function encodeChange(change: Change): Uint8Array {
  if (change.type !== 'readings') return encodeCanonical(change)
  const { readings, records } = change
  return encodeCanonical({ ...change, readings: readings.map(encodeReading), records: records.map(encodeRecord) })
}

/**
 * Reads a change.
 *
 * @throws SalusError `JOURNAL_*` of the canonical decoder, `JOURNAL_SHAPE`, `READING_*`
 */
export function decodeChange(bytes: Uint8Array): Change {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES })
  const batch = ['sequence', 'header', 'range', 'toMs', 'span', 'cursors', 'lastSequences']
  const taken = ['source', 'next', 'readings', 'records']
  const others = ['patient', 'nextRow', 'lostBytes', 'intent', 'anchor', 'head', ...taken, ...batch]
  const type = readText(readMap(value, AREA, ['type'], others)['type'], AREA, 'type', 16)
  const read = (...fields: string[]): Record<string, unknown> => readMap(value, AREA, ['type', ...fields])
  switch (type) {
    case 'patient':
      return { type, patient: readPatient(read('patient')['patient']) }
    case 'readings': {
      if (isOfOneSource(value)) {
        const map = read('nextRow', 'readings')
        const next = readUint(map['nextRow'], AREA, 'nextRow')
        return { type, source: ANY_SOURCE, next, readings: readReadings(map['readings']), records: [] }
      }
      const map = read(...taken)
      const { source, next } = readCursor({ source: map['source'], next: map['next'] })
      return { type, source, next, readings: readReadings(map['readings']), records: readRecords(map['records']) }
    }
    case 'lost':
      return { type, lostBytes: readUint(read('lostBytes')['lostBytes'], AREA, 'lostBytes') }
    case 'intent':
      return { type, intent: readIntent(read('intent')['intent']) }
    case 'signed': {
      const map = read('header', 'range')
      return { type, header: readHeaderBytes(map['header']), range: readRange(map['range']) }
    }
    case 'acknowledged':
      return { type, sequence: readUint(read('sequence')['sequence'], AREA, 'sequence') }
    case 'head':
      return { type, head: readHead(read('head')['head']) }
    case 'anchoring':
    case 'synced':
      return { type, anchor: readAnchorPlan(read('anchor')['anchor']) }
    case 'anchored':
      read()
      return { type }
    case 'adopted': {
      const map = read(...batch)
      return {
        type,
        sequence: readUint(map['sequence'], AREA, 'sequence'),
        header: readHeaderBytes(map['header']),
        range: readRange(map['range']),
        toMs: readUint(map['toMs'], AREA, 'toMs'),
        span: readInteger(map['span'], AREA, 'span', MAX_INT),
        cursors: readCursors(map['cursors']),
        lastSequences: readLastSequences(map['lastSequences'])
      }
    }
    default:
      throw new SalusError('JOURNAL_SHAPE', 'The journal holds a record that this version does not know.')
  }
}

/** Canonical bytes of a whole state, which starts a new journal. */
export function encodeState(state: GatewayState, journal: number): Uint8Array {
  const { pending, records } = state
  const plain = { ...state, pending: pending.map(encodeReading), records: records.map(encodeRecord) }
  return encodeCanonical({ v: VERSION, journal, state: plain })
}

/**
 * Reads a state and the number of the journal that goes on from it.
 *
 * @throws SalusError `JOURNAL_*` of the canonical decoder, `JOURNAL_VERSION`, `JOURNAL_SHAPE`, `READING_*`
 */
export function decodeState(bytes: Uint8Array): { readonly state: GatewayState; readonly journal: number } {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES })
  const outer = readMap(value, AREA, ['v', 'journal', 'state'])
  if (outer['v'] !== VERSION && outer['v'] !== ONE_SOURCE)
    throw new SalusError('JOURNAL_VERSION', 'The gateway’s state has another version; use a newer Salus.')
  const map = readMap(
    outer['v'] === ONE_SOURCE ? upgraded(outer['state']) : outer['state'],
    AREA,
    Object.keys(initialState())
  )
  const nullable = <T>(field: string, read: (item: unknown) => T): T | null =>
    map[field] === null ? null : read(map[field])
  const uint = (field: string): number => readUint(map[field], AREA, field)
  const state: GatewayState = {
    patient: nullable('patient', readPatient),
    cursors: readCursors(map['cursors']),
    pending: readReadings(map['pending']),
    records: readRecords(map['records']),
    sequence: uint('sequence'),
    header: nullable('header', readHeaderBytes),
    toMs: uint('toMs'),
    span: nullable('span', item => readInteger(item, AREA, 'span', MAX_INT)),
    lastSequences: readLastSequences(map['lastSequences']),
    range: readRange(map['range']),
    intent: nullable('intent', readIntent),
    acknowledged: uint('acknowledged'),
    anchored: nullable('anchored', readAnchorPlan),
    anchoring: nullable('anchoring', readAnchorPlan),
    head: nullable('head', readHead),
    lostBytes: uint('lostBytes')
  }
  return { state, journal: readUint(outer['journal'], AREA, 'journal') }
}

function readReadings(value: unknown): Reading[] {
  return readList(value, AREA, 'readings', MAX_BATCH_READINGS, item =>
    decodeReading(readBytes(item, AREA, 'readings', { min: 1, max: 256 }))
  )
}

function readRecords(value: unknown): BatchRecord[] {
  return readList(value, AREA, 'records', MAX_BATCH_RECORDS, item =>
    decodeRecord(readBytes(item, AREA, 'records', { min: 1, max: MAX_RECORD_BYTES }))
  )
}

function readCursors(value: unknown): Cursor[] {
  return readList(value, AREA, 'cursors', MAX_CURSORS, readCursor)
}

function readCursor(value: unknown): Cursor {
  const map = readMap(value, AREA, ['source', 'next'])
  return { source: readText(map['source'], AREA, 'source', 32), next: readUint(map['next'], AREA, 'next') }
}

function isOfOneSource(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'nextRow' in value
}

function upgraded(state: unknown): unknown {
  const { nextRow, ...rest } = readMap(state, AREA, ['nextRow'], Object.keys(initialState()))
  return { ...rest, cursors: [{ source: ANY_SOURCE, next: nextRow }], records: [], head: null }
}

function readPatient(value: unknown): KnownPatient {
  const map = readMap(value, AREA, ['id', 'keyBundle'])
  return {
    id: readBytes(map['id'], AREA, 'id', 32),
    keyBundle: readBytes(map['keyBundle'], AREA, 'keyBundle', 32)
  }
}

function readHeaderBytes(value: unknown): Uint8Array {
  return readBytes(value, AREA, 'header', { min: 1, max: MAX_HEADER_BYTES })
}

function readRange(value: unknown): CompactRange {
  const map = readMap(value, AREA, ['size', 'peaks'])
  return {
    size: readUint(map['size'], AREA, 'size'),
    peaks: readList(map['peaks'], AREA, 'peaks', MAX_PROOF_HASHES, item => readBytes(item, AREA, 'peaks', 32))
  }
}

function readAnchorPlan(value: unknown): AnchorPlan {
  const map = readMap(value, AREA, ['sequence', 'batch', 'treeSize', 'root'])
  return {
    sequence: readUint(map['sequence'], AREA, 'sequence'),
    batch: readUint(map['batch'], AREA, 'batch'),
    treeSize: readUint(map['treeSize'], AREA, 'treeSize'),
    root: readBytes(map['root'], AREA, 'root', 32)
  }
}

function readHead(value: unknown): HeadPlan {
  const map = readMap(value, AREA, ['sequence', 'batch', 'treeSize', 'root', 'previousRoot'])
  const { previousRoot, ...plan } = map
  return {
    ...readAnchorPlan(plan),
    previousRoot: previousRoot === null ? null : readBytes(previousRoot, AREA, 'previousRoot', 32)
  }
}

function readIntent(value: unknown): Intent {
  const map = readMap(value, AREA, ['sequence', 'secret', 'fromMs', 'toMs', 'span', 'gaps'])
  return {
    sequence: readUint(map['sequence'], AREA, 'sequence'),
    secret: readBytes(map['secret'], AREA, 'secret', 32),
    fromMs: readUint(map['fromMs'], AREA, 'fromMs'),
    toMs: readUint(map['toMs'], AREA, 'toMs'),
    span: readInteger(map['span'], AREA, 'span', MAX_INT),
    gaps: readList(map['gaps'], AREA, 'gaps', 64, item => {
      const gap = readMap(item, AREA, ['device', 'fromSequence', 'toSequence', 'reason'])
      return {
        device: readText(gap['device'], AREA, 'device', 32),
        fromSequence: readUint(gap['fromSequence'], AREA, 'fromSequence'),
        toSequence: readUint(gap['toSequence'], AREA, 'toSequence'),
        reason: readText(gap['reason'], AREA, 'reason', 16)
      }
    })
  }
}

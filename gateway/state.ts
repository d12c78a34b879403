/** What a gateway remembers: a pure fold over the records of its journal (docs/specs/gateway-journal.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_PROOF_HASHES } from '#core/batch/merkle.ts'
import { decodeReading, encodeReading, readInteger, type Reading } from '#core/batch/reading.ts'
import { MAX_HEADER_BYTES, type Gap } from '#core/batch/header.ts'
import { MAX_BATCH_READINGS } from '#core/batch/streams.ts'
import { EMPTY_RANGE, type CompactRange } from '#core/batch/tree.ts'
import { lastSequencesAfter, readLastSequences, type LastSequence } from '#gateway/last-sequences.ts'

const AREA = 'JOURNAL'
const MAX_STATE_BYTES = 32 * 1024 * 1024
const MAX_INT = 2 ** 48

/** A batch that is about to be signed: with the pending readings it determines every byte of it. */
export interface Intent {
  readonly sequence: number
  readonly secret: Uint8Array
  readonly fromMs: number
  readonly toMs: number
  /** Number of the device's span of time that it closes. */
  readonly span: number
  readonly gaps: readonly Gap[]
}

/** An anchor that was, or is about to be, sent. */
export interface AnchorPlan {
  readonly sequence: number
  /** The last batch that it covers. */
  readonly batch: number
  readonly treeSize: number
  readonly root: Uint8Array
}

/** The whole state of a gateway. */
export interface GatewayState {
  /** Whose readings these are, once the grant's keys were first seen; another patient's keys are refused ever after. */
  readonly patient: KnownPatient | null
  /** Rows of the recording that are journaled; the next one to read. */
  readonly nextRow: number
  /** Readings that are in no batch yet. Grows in place: copying it with each second's readings would cost its square. */
  readonly pending: Reading[]
  /** The last signed batch: its number, header, end of time span and closed span; 0 and null before the first. */
  readonly sequence: number
  readonly header: Uint8Array | null
  readonly toMs: number
  readonly span: number | null
  /** What each device had counted up to at the end of the last batch. */
  readonly lastSequences: readonly LastSequence[]
  /** Peaks of the tree after the last batch. */
  readonly range: CompactRange
  readonly intent: Intent | null
  /** The last batch that a node has acknowledged; those after it wait in the outbox. */
  readonly acknowledged: number
  /** The last anchor on the chain, and the one under way. */
  readonly anchored: AnchorPlan | null
  readonly anchoring: AnchorPlan | null
  /** Bytes that a damaged journal lost and that no batch has reported yet. */
  readonly lostBytes: number
}

/** The patient whom the grant's first capsule named, with the keys of the newest. */
export interface KnownPatient {
  /** Pseudonym, 32 bytes. */
  readonly id: Uint8Array
  /** Digest of the key bundle that signed the newest capsule. */
  readonly keyBundle: Uint8Array
}

/** A change of state; each is one record of the journal. */
export type Change =
  | { readonly type: 'patient'; readonly patient: KnownPatient }
  | { readonly type: 'readings'; readonly nextRow: number; readonly readings: readonly Reading[] }
  | { readonly type: 'lost'; readonly lostBytes: number }
  | { readonly type: 'intent'; readonly intent: Intent }
  | { readonly type: 'signed'; readonly header: Uint8Array; readonly range: CompactRange }
  | { readonly type: 'acknowledged'; readonly sequence: number }
  | { readonly type: 'anchoring'; readonly anchor: AnchorPlan }
  | { readonly type: 'anchored' }
  | { readonly type: 'synced'; readonly anchor: AnchorPlan }
  | ({ readonly type: 'adopted' } & AdoptedBatch)

/** A signed batch that was found on the disk although a damaged journal no longer tells of it. */
export interface AdoptedBatch {
  readonly sequence: number
  readonly header: Uint8Array
  readonly range: CompactRange
  readonly toMs: number
  readonly span: number
  readonly nextRow: number
  readonly lastSequences: readonly LastSequence[]
}

/** A gateway that has done nothing. */
export const initialState = (): GatewayState => ({
  patient: null,
  nextRow: 0,
  pending: [],
  sequence: 0,
  header: null,
  toMs: 0,
  span: null,
  lastSequences: [],
  range: EMPTY_RANGE,
  intent: null,
  acknowledged: 0,
  anchored: null,
  anchoring: null,
  lostBytes: 0
})

/** The state after a change. */
export function applyChange(state: GatewayState, change: Change): GatewayState {
  switch (change.type) {
    case 'patient':
      return { ...state, patient: change.patient }
    case 'readings':
      state.pending.push(...change.readings)
      return { ...state, nextRow: change.nextRow }
    case 'lost':
      return { ...state, lostBytes: state.lostBytes + change.lostBytes }
    case 'intent':
      return { ...state, intent: change.intent }
    case 'signed': {
      if (state.intent == null)
        throw new SalusError('JOURNAL_ORDER', 'The journal signs a batch that it did not begin.')
      const { sequence, toMs, span } = state.intent
      const { header, range } = change
      const lastSequences = lastSequencesAfter(state.lastSequences, state.pending)
      const batch = { sequence, toMs, span, header, range, lastSequences }
      return { ...state, ...batch, pending: [], intent: null, lostBytes: 0 }
    }
    case 'acknowledged':
      return { ...state, acknowledged: change.sequence }
    case 'anchoring':
      return { ...state, anchoring: change.anchor }
    case 'anchored':
      return { ...state, anchored: state.anchoring, anchoring: null }
    case 'synced':
      return { ...state, anchored: change.anchor, anchoring: null }
    case 'adopted': {
      const { sequence, header, range, toMs, span, nextRow, lastSequences } = change
      const pending = state.pending.filter(reading => reading.sequence >= nextRow)
      const batch = { sequence, header, range, toMs, span, lastSequences, pending, intent: null }
      return { ...state, ...batch, nextRow: Math.max(state.nextRow, nextRow) }
    }
  }
}

/** Canonical bytes of a change. */
export function encodeChange(change: Change): Uint8Array {
  return encodeCanonical(
    change.type === 'readings' ? { ...change, readings: change.readings.map(encodeReading) } : change
  )
}

/**
 * Reads a change.
 *
 * @throws SalusError `JOURNAL_*` of the canonical decoder, `JOURNAL_SHAPE`, `READING_*`
 */
export function decodeChange(bytes: Uint8Array): Change {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES })
  const batch = ['sequence', 'header', 'range', 'toMs', 'span', 'nextRow', 'lastSequences']
  const others = ['patient', 'readings', 'lostBytes', 'intent', 'anchor', ...batch]
  const type = readText(readMap(value, AREA, ['type'], others)['type'], AREA, 'type', 16)
  const read = (...fields: string[]): Record<string, unknown> => readMap(value, AREA, ['type', ...fields])
  switch (type) {
    case 'patient':
      return { type, patient: readPatient(read('patient')['patient']) }
    case 'readings': {
      const map = read('nextRow', 'readings')
      return { type, nextRow: readUint(map['nextRow'], AREA, 'nextRow'), readings: readReadings(map['readings']) }
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
        nextRow: readUint(map['nextRow'], AREA, 'nextRow'),
        lastSequences: readLastSequences(map['lastSequences'])
      }
    }
    default:
      throw new SalusError('JOURNAL_SHAPE', 'The journal holds a record that this version does not know.')
  }
}

/** Canonical bytes of a whole state, which starts a new journal. */
export function encodeState(state: GatewayState, journal: number): Uint8Array {
  return encodeCanonical({ v: 1, journal, state: { ...state, pending: state.pending.map(encodeReading) } })
}

/**
 * Reads a state and the number of the journal that goes on from it.
 *
 * @throws SalusError `JOURNAL_*` of the canonical decoder, `JOURNAL_VERSION`, `JOURNAL_SHAPE`, `READING_*`
 */
export function decodeState(bytes: Uint8Array): { readonly state: GatewayState; readonly journal: number } {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES })
  const outer = readMap(value, AREA, ['v', 'journal', 'state'])
  if (outer['v'] !== 1)
    throw new SalusError('JOURNAL_VERSION', 'The gateway’s state has another version; use a newer Salus.')
  const map = readMap(outer['state'], AREA, Object.keys(initialState()))
  const nullable = <T>(field: string, read: (item: unknown) => T): T | null =>
    map[field] === null ? null : read(map[field])
  const uint = (field: string): number => readUint(map[field], AREA, field)
  const state: GatewayState = {
    patient: nullable('patient', readPatient),
    nextRow: uint('nextRow'),
    pending: readReadings(map['pending']),
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
    lostBytes: uint('lostBytes')
  }
  return { state, journal: readUint(outer['journal'], AREA, 'journal') }
}

function readReadings(value: unknown): Reading[] {
  return readList(value, AREA, 'readings', MAX_BATCH_READINGS, item =>
    decodeReading(readBytes(item, AREA, 'readings', { min: 1, max: 256 }))
  )
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

/** What a gateway remembers: a pure fold over the records of its journal (docs/specs/gateway-journal.md). */
import { SalusError } from '#core/error.ts'
import type { Gap } from '#core/batch/header.ts'
import type { Reading } from '#core/batch/reading.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import { EMPTY_RANGE, type CompactRange } from '#core/batch/tree.ts'
import { lastSequencesAfter, type LastSequence } from '#gateway/last-sequences.ts'

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

/** A head that was, or is about to be, signed for an aggregator. */
export interface HeadPlan extends AnchorPlan {
  /** Root of the head before; null for the first. */
  readonly previousRoot: Uint8Array | null
}

/** The whole state of a gateway. */
export interface GatewayState {
  /** Whose readings these are, once the grant's keys were first seen; another patient's keys are refused ever after. */
  readonly patient: KnownPatient | null
  /** Where each source goes on. */
  readonly cursors: readonly Cursor[]
  /** Readings that are in no batch yet. Grows in place: copying it with each second's readings would cost its square. */
  readonly pending: Reading[]
  /** Records that are in no batch yet; grows in place too. */
  readonly records: BatchRecord[]
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
  /** The last head that was signed for an aggregator; its numbers are counted apart from the anchors'. */
  readonly head: HeadPlan | null
  /** Bytes that a damaged journal lost and that no batch has reported yet. */
  readonly lostBytes: number
}

/** How far a source was journaled. */
export interface Cursor {
  readonly source: string
  readonly next: number
}

/** Stands for every source of a journal that was written when there was one only. */
export const ANY_SOURCE = '*'

/** Where a source goes on. */
export function cursorOf({ cursors }: Pick<GatewayState, 'cursors'>, source: string): number {
  const own = cursors.find(each => each.source === source) ?? cursors.find(each => each.source === ANY_SOURCE)
  return own?.next ?? 0
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
  | ({
      readonly type: 'readings'
      readonly readings: readonly Reading[]
      readonly records: readonly BatchRecord[]
    } & Cursor)
  | { readonly type: 'lost'; readonly lostBytes: number }
  | { readonly type: 'intent'; readonly intent: Intent }
  | { readonly type: 'signed'; readonly header: Uint8Array; readonly range: CompactRange }
  | { readonly type: 'acknowledged'; readonly sequence: number }
  | { readonly type: 'anchoring'; readonly anchor: AnchorPlan }
  | { readonly type: 'anchored' }
  | { readonly type: 'synced'; readonly anchor: AnchorPlan }
  | { readonly type: 'head'; readonly head: HeadPlan }
  | ({ readonly type: 'adopted' } & AdoptedBatch)

/** A signed batch that was found on the disk although a damaged journal no longer tells of it. */
export interface AdoptedBatch {
  readonly sequence: number
  readonly header: Uint8Array
  readonly range: CompactRange
  readonly toMs: number
  readonly span: number
  /** Where the sources of its devices go on, as far as its readings tell. */
  readonly cursors: readonly Cursor[]
  readonly lastSequences: readonly LastSequence[]
}

/** A gateway that has done nothing. */
export const initialState = (): GatewayState => ({
  patient: null,
  cursors: [],
  pending: [],
  records: [],
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
  head: null,
  lostBytes: 0
})

/** The state after a change. */
export function applyChange(state: GatewayState, change: Change): GatewayState {
  switch (change.type) {
    case 'patient':
      return { ...state, patient: change.patient }
    case 'readings':
      for (const reading of change.readings) state.pending.push(reading)
      for (const record of change.records) state.records.push(record)
      return movedOn(state, change)
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
      return { ...state, ...batch, pending: [], records: [], intent: null, lostBytes: 0 }
    }
    case 'acknowledged':
      return { ...state, acknowledged: change.sequence }
    case 'anchoring':
      return { ...state, anchoring: change.anchor }
    case 'anchored':
      return { ...state, anchored: state.anchoring, anchoring: null }
    case 'synced':
      return { ...state, anchored: change.anchor, anchoring: null }
    case 'head':
      return { ...state, head: change.head }
    case 'adopted': {
      const { sequence, header, range, toMs, span, cursors, lastSequences } = change
      const next = new Map(cursors.map(cursor => [cursor.source, cursor.next]))
      const pending = state.pending.filter(reading => reading.sequence >= (next.get(reading.stream.device) ?? 0))
      const batch = { sequence, header, range, toMs, span, lastSequences, pending, records: [], intent: null }
      const moved = cursors.reduce(
        (to, cursor) => (cursorOf(to, cursor.source) < cursor.next ? movedOn(to, cursor) : to),
        state
      )
      return { ...moved, ...batch }
    }
  }
}

/** Most sources that are remembered. */
export const MAX_CURSORS = 256

function movedOn(state: GatewayState, { source, next }: Cursor): GatewayState {
  const known = state.cursors.find(each => each.source === source)
  if (known?.next === next) return state
  const others = state.cursors.filter(each => each !== known)
  return { ...state, cursors: [...others, { source, next }].slice(-MAX_CURSORS) }
}

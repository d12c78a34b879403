/** What a gateway logs beside readings: alarms, waveforms, acts of its operator. A leaf of its tree as a reading is (docs/specs/batch.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'

const AREA = 'RECORD'
const LABEL = 'salus/record/1'
const MAX_BODY_BYTES = 24_576

/** Most bytes of an encoded record. */
export const MAX_RECORD_BYTES: number = MAX_BODY_BYTES + 64

/** Most records of one batch. */
export const MAX_BATCH_RECORDS = 4096

/** Kinds of record: an alarm, what the rules noticed, a piece of a waveform, an act of the operator. */
export const RECORD_KINDS = ['alarm', 'clinical', 'waveform', 'audit'] as const

/** One of {@link RECORD_KINDS}. */
export type RecordKind = (typeof RECORD_KINDS)[number]

/** One record; what its body means is said by the page of its kind. */
export interface BatchRecord {
  readonly kind: RecordKind
  /** Milliseconds since 1970, by the gateway's clock. */
  readonly atMs: number
  readonly body: Uint8Array
}

/** Canonical bytes of a record: dag-cbor array `["salus/record/1", kind, atMs, body]`; no reading begins with a text. */
export function encodeRecord({ kind, atMs, body }: BatchRecord): Uint8Array {
  return encodeCanonical([LABEL, kind, atMs, body])
}

/**
 * Reads the canonical bytes of a record.
 *
 * @throws SalusError `RECORD_*` of the canonical decoder, `RECORD_SHAPE`
 */
export function decodeRecord(bytes: Uint8Array): BatchRecord {
  const items = readList(decodeCanonical(bytes, { area: AREA, maxBytes: MAX_RECORD_BYTES }), AREA, 'record', 4, x => x)
  const [label, kind, atMs, body] = items
  const known = RECORD_KINDS.find(each => each === readText(kind, AREA, 'kind', 16))
  if (items.length !== 4 || label !== LABEL || known == null) {
    throw new SalusError('RECORD_SHAPE', 'Refused: this is no record that this version knows.')
  }
  return {
    kind: known,
    atMs: readUint(atMs, AREA, 'atMs', MAX_INTEGER),
    body: readBytes(body, AREA, 'body', { min: 0, max: MAX_BODY_BYTES })
  }
}

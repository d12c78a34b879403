import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { concat, toHex } from '#core/encoding/bytes.ts'

/** A byte string that a decoder must refuse with a code. */
export interface InvalidVector {
  readonly name: string
  readonly bytes: string
  readonly code: string
}

/** One file of `test/vectors`; byte strings are hexadecimal with `0x`. */
export interface VectorFile {
  readonly description: string
  readonly valid: readonly Readonly<Record<string, unknown>>[]
  readonly invalid: readonly InvalidVector[]
}

/** The network that readers of the vectors expect. */
export const NETWORK: Uint8Array = new Uint8Array(32).fill(0x4e)

/** The patient that readers of the vectors expect. */
export const PATIENT: Uint8Array = new Uint8Array(32).fill(0x50)

/** A copy of a value in which byte strings, CIDs and large numbers are text. */
export function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (typeof value === 'bigint') return `0x${value.toString(16)}`
  const cid = CID.asCID(value)
  if (cid != null) return cid.toString()
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, readable(field)]))
}

/** The ways in which every canonical map can be bad, made from a good one. */
export function invalidForms(area: string, valid: Uint8Array): InvalidVector[] {
  const changed = (change: Record<string, unknown>): Uint8Array =>
    encode({ ...decode<Record<string, unknown>>(valid), ...change })
  const withField = (field: Uint8Array): Uint8Array =>
    concat(Uint8Array.of((valid[0] ?? 0) + 1), valid.slice(1), field.slice(1))
  const forms: [string, Uint8Array, string][] = [
    ['cut in half', valid.slice(0, valid.length >> 1), 'TRUNCATED'],
    ['one byte more', concat(valid, Uint8Array.of(0)), 'TRAILING'],
    ['the version twice', withField(encode({ v: 1 })), 'DUPLICATE_KEY'],
    ['keys in another order', withField(encode({ A: 1 })), 'NOT_CANONICAL'],
    ['not dag-cbor', Uint8Array.of(0xff), 'MALFORMED'],
    ['another version', changed({ v: 2 }), 'VERSION'],
    ['an unknown field', changed({ unknown: 1 }), 'SHAPE']
  ]
  if ('network' in decode<Record<string, unknown>>(valid)) {
    forms.push(['another network', changed({ network: new Uint8Array(32) }), 'NETWORK'])
    forms.push(['another patient', changed({ patient: new Uint8Array(32) }), 'PATIENT'])
  }
  return forms.map(([name, bytes, problem]) => ({ name, bytes: toHex(bytes), code: `${area}_${problem}` }))
}

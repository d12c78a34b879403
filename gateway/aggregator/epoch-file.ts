/** An epoch of an aggregator on its disk: decided before it is anchored, and what came of it. */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { MAX_GATEWAY_HEAD_BYTES, type SignedGatewayHead } from '#core/batch/gateway-head.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { SalusError } from '#core/error.ts'

const HEAD_AREA = 'HEAD_CALL'
const EPOCH_AREA = 'EPOCH'

/** Most heads of one epoch. */
export const MAX_EPOCH_HEADS = 10_000

/** Most bytes of a head that is handed in. */
export const MAX_HEAD_CALL_BYTES: number = MAX_GATEWAY_HEAD_BYTES + MAX_EVIDENCE_BYTES + 256

/** A head as a gateway hands it in. */
export interface HeadCall {
  readonly signed: SignedGatewayHead
  /** core/identity/evidence.ts: the gateway's key bundle. */
  readonly evidence: Uint8Array
}

/** What is decided of an epoch. */
export interface Epoch {
  readonly epoch: number
  readonly heads: readonly SignedGatewayHead[]
  /** The block that has its root; null while that is not known. */
  readonly blockNumber: number | null
}

/**
 * Reads what a gateway hands in; nothing is checked but its form.
 *
 * @throws SalusError `HEAD_CALL_*` of the canonical decoder, `HEAD_CALL_SHAPE`
 */
export function decodeHeadCall(bytes: Uint8Array): HeadCall {
  const value = decodeCanonical(bytes, { area: HEAD_AREA, maxBytes: MAX_HEAD_CALL_BYTES })
  const map = readMap(value, HEAD_AREA, ['v', 'head', 'signature', 'evidence'])
  if (map['v'] !== 1) throw new SalusError('HEAD_CALL_SHAPE', 'Refused: a head of another version; use a newer Salus.')
  return {
    signed: readSigned(map, HEAD_AREA),
    evidence: readBytes(map['evidence'], HEAD_AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES })
  }
}

/** Canonical bytes of an epoch. */
export function encodeEpoch({ epoch, heads, blockNumber }: Epoch): Uint8Array {
  const listed = heads.map(({ bytes: head, signature }) => ({ head, signature }))
  return encodeCanonical({ v: 1, epoch, heads: listed, blockNumber })
}

/**
 * Reads an epoch.
 *
 * @throws SalusError `EPOCH_*` of the canonical decoder, `EPOCH_SHAPE`
 */
export function decodeEpoch(bytes: Uint8Array): Epoch {
  const value = decodeCanonical(bytes, { area: EPOCH_AREA, maxBytes: MAX_EPOCH_HEADS * (MAX_GATEWAY_HEAD_BYTES + 128) })
  const map = readMap(value, EPOCH_AREA, ['v', 'epoch', 'heads', 'blockNumber'])
  return {
    epoch: readUint(map['epoch'], EPOCH_AREA, 'epoch'),
    heads: readList(map['heads'], EPOCH_AREA, 'heads', MAX_EPOCH_HEADS, item =>
      readSigned(readMap(item, EPOCH_AREA, ['head', 'signature']), EPOCH_AREA)
    ),
    blockNumber: map['blockNumber'] === null ? null : readUint(map['blockNumber'], EPOCH_AREA, 'blockNumber')
  }
}

function readSigned(map: Record<string, unknown>, area: string): SignedGatewayHead {
  return {
    bytes: readBytes(map['head'], area, 'head', { min: 1, max: MAX_GATEWAY_HEAD_BYTES }),
    signature: readBytes(map['signature'], area, 'signature', 64)
  }
}

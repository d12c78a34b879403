/** `/salus/hold/1`: a holder asks a peer to take over replicas that are missing (docs/specs/placement.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'
import { DAG_PB_CODEC, RAW_CODEC, readSha256Cid } from '#core/record/cid.ts'
import type { AskedBlob } from '#core/placement/proof.ts'

const AREA = 'HOLD'

/** Most blobs of one request. */
export const MAX_HOLD_BLOBS = 32

/** Most bytes of a request. */
export const MAX_HOLD_REQUEST_BYTES: number = MAX_HOLD_BLOBS * 96 + 64

/** Most bytes of an answer. */
export const MAX_HOLD_ANSWER_BYTES = 64

/** The canonical bytes of a request. */
export function encodeHoldRequest(blobs: readonly AskedBlob[]): Uint8Array {
  return encodeCanonical({ v: 1, blobs: blobs.map(({ cid, sizeBytes }) => [cid, sizeBytes]) })
}

/**
 * Reads a request.
 *
 * @throws SalusError the `HOLD_*` codes of the canonical decoder; `HOLD_SHAPE`, `HOLD_VERSION`
 */
export function decodeHoldRequest(bytes: Uint8Array): AskedBlob[] {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_HOLD_REQUEST_BYTES })
  readVersion(value, AREA)
  return readList(readMap(value, AREA, ['v', 'blobs'])['blobs'], AREA, 'blobs', MAX_HOLD_BLOBS, item => {
    const pair: readonly unknown[] = Array.isArray(item) && item.length === 2 ? item : []
    return {
      cid: readSha256Cid(pair[0], AREA, 'blobs', [RAW_CODEC, DAG_PB_CODEC]),
      sizeBytes: readUint(pair[1], AREA, 'blobs')
    }
  })
}

/** The canonical bytes of an answer: bit `i % 8` of byte `i / 8`, lowest first, says whether the peer takes blob `i`. */
export function encodeHoldAnswer(taken: readonly boolean[]): Uint8Array {
  const bits = new Uint8Array(4)
  taken.forEach((is, i) => {
    if (is) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7))
  })
  return encodeCanonical({ v: 1, taken: bits })
}

/**
 * Reads the answer to a request for `count` blobs.
 *
 * @throws SalusError the `HOLD_*` codes of the canonical decoder; `HOLD_SHAPE` also where bits beyond `count` are set; `HOLD_VERSION`
 */
export function decodeHoldAnswer(bytes: Uint8Array, count: number): boolean[] {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_HOLD_ANSWER_BYTES })
  readVersion(value, AREA)
  const bits = readBytes(readMap(value, AREA, ['v', 'taken'])['taken'], AREA, 'taken', 4)
  const bit = (i: number): boolean => (((bits[i >> 3] ?? 0) >> (i & 7)) & 1) === 1
  for (let i = count; i < 32; i++) {
    if (bit(i)) throw new SalusError('HOLD_SHAPE', 'Refused: the answer speaks of blobs that were not asked about.')
  }
  return Array.from({ length: count }, (_, i) => bit(i))
}

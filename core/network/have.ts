/** `/salus/have/1`: asks which of some blocks a peer has on its disk (docs/specs/have.md). */
import type { CID } from 'multiformats/cid'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readCid, readList, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'HAVE'

/** Most blocks of one request. */
export const MAX_HAVE_BLOCKS = 256

/** Most bytes of a request: 256 CIDs of at most 64 bytes. */
export const MAX_HAVE_REQUEST_BYTES: number = MAX_HAVE_BLOCKS * 72 + 64

/** Most bytes of an answer. */
export const MAX_HAVE_ANSWER_BYTES = 128

/** The canonical bytes of a request for some blocks. */
export function encodeHaveRequest(cids: readonly CID[]): Uint8Array {
  return encodeCanonical({ v: 1, cids })
}

/**
 * Reads a request.
 *
 * @throws SalusError the `HAVE_*` codes of the canonical decoder; `HAVE_SHAPE`, `HAVE_VERSION`
 */
export function decodeHaveRequest(bytes: Uint8Array): CID[] {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_HAVE_REQUEST_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'cids'])
  return readList(map['cids'], AREA, 'cids', MAX_HAVE_BLOCKS, item => readCid(item, AREA, 'cids'))
}

/** The canonical bytes of an answer: bit `i % 8` of byte `i / 8`, lowest bit first, says whether block `i` is there. */
export function encodeHaveAnswer(there: readonly boolean[]): Uint8Array {
  const have = new Uint8Array(Math.ceil(there.length / 8))
  there.forEach((is, i) => {
    if (is) have[i >> 3] = (have[i >> 3] ?? 0) | (1 << (i & 7))
  })
  return encodeCanonical({ v: 1, have })
}

/**
 * Reads the answer to a request for `count` blocks.
 *
 * @throws SalusError the `HAVE_*` codes of the canonical decoder; `HAVE_SHAPE` also where bits beyond `count` are set;
 * `HAVE_VERSION`
 */
export function decodeHaveAnswer(bytes: Uint8Array, count: number): boolean[] {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_HAVE_ANSWER_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'have'])
  const have = readBytes(map['have'], AREA, 'have', Math.ceil(count / 8))
  const bit = (i: number): boolean => (((have[i >> 3] ?? 0) >> (i & 7)) & 1) === 1
  for (let i = count; i < have.length * 8; i++) {
    if (bit(i)) throw new SalusError('HAVE_SHAPE', 'Refused: the answer speaks of blocks that were not asked for.')
  }
  return Array.from({ length: count }, (_, i) => bit(i))
}

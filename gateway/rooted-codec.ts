/** Where a head lies under a super-root, as an aggregator answers it and a gateway keeps it (docs/specs/super-root.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { MAX_GATEWAY_HEAD_BYTES } from '#core/batch/gateway-head.ts'
import { MAX_PROOF_HASHES } from '#core/batch/merkle.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'
import { SalusError } from '#core/error.ts'
import type { RootedHead } from '#gateway/aggregator-port.ts'

const AREA = 'ROOTED'
const FIELDS = ['v', 'head', 'signature', 'index', 'path', 'aggregator', 'epoch', 'root', 'count', 'blockNumber']

/** Most bytes of an encoded place. */
export const MAX_ROOTED_BYTES = 8192

/** Canonical bytes of a place. */
export function encodeRooted({ path: place, ...rest }: RootedHead): Uint8Array {
  const { signed, index, path } = place
  return encodeCanonical({ v: 1, head: signed.bytes, signature: signed.signature, index, path, ...rest })
}

/**
 * Reads a place; nothing is checked but its form.
 *
 * @throws SalusError `ROOTED_*` of the canonical decoder, `ROOTED_VERSION`, `ROOTED_SHAPE`
 */
export function decodeRooted(bytes: Uint8Array): RootedHead {
  const map = readMap(decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ROOTED_BYTES }), AREA, FIELDS)
  if (map['v'] !== 1) throw new SalusError('ROOTED_VERSION', 'Refused: a place of another version; use a newer Salus.')
  const uint = (field: string): number => readUint(map[field], AREA, field, MAX_INTEGER)
  return {
    path: {
      signed: {
        bytes: readBytes(map['head'], AREA, 'head', { min: 1, max: MAX_GATEWAY_HEAD_BYTES }),
        signature: readBytes(map['signature'], AREA, 'signature', 64)
      },
      index: uint('index'),
      path: readList(map['path'], AREA, 'path', MAX_PROOF_HASHES, item => readBytes(item, AREA, 'path', 32))
    },
    aggregator: readBytes(map['aggregator'], AREA, 'aggregator', 20),
    epoch: uint('epoch'),
    root: readBytes(map['root'], AREA, 'root', 32),
    count: uint('count'),
    blockNumber: uint('blockNumber')
  }
}

/**
 * CAR files: all blocks of a file behind each other, which any IPFS software takes in.
 *
 * @see https://ipld.io/specs/transport/car/carv1/
 */
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { concat } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { malformed } from '#node/network/file-tree.ts'

/** What is written. */
export interface CarOptions {
  /** Whether the blocks under the root come too. */
  readonly deep: boolean
  /** Most bytes of all blocks. */
  readonly maxBytes: number
  /** Most blocks, 266,240 unless told: the largest image of firmware in its smallest pieces. Of each that is linked a name is remembered. */
  readonly maxBlocks?: number
}

const MAX_BLOCKS: number = 2 ** 18 + 2 ** 12

/**
 * The parts of a CAR (version 1) of a file: depth first, each block once.
 *
 * @param read - gives a block that is here
 * @throws SalusError `BLOB_NOT_FOUND` at a block that is not here; `FETCH_OVERSIZE` above `maxBytes`; `FETCH_MALFORMED` above `maxBlocks`
 */
export async function* carOf(
  read: (cid: CID) => Promise<Uint8Array | undefined>,
  root: CID,
  { deep, maxBytes, maxBlocks = MAX_BLOCKS }: CarOptions
): AsyncGenerator<Uint8Array, void> {
  yield framed(dagCbor.encode({ version: 1, roots: [root] }))
  const open = [root]
  const seen = new Set([root.toString()])
  let bytesLeft = maxBytes
  for (let cid = open.pop(); cid != null; cid = open.pop()) {
    const bytes = await read(cid)
    if (bytes == null) throw new SalusError('BLOB_NOT_FOUND', 'This node knows no such blob.')
    bytesLeft -= bytes.length
    if (bytesLeft < 0) {
      throw new SalusError(
        'FETCH_OVERSIZE',
        `The file is larger than the ${String(maxBytes)} bytes that are allowed here.`
      )
    }
    yield framed(cid.bytes, bytes)
    if (!deep || cid.code !== dagPb.code) continue
    for (const link of linksOf(bytes).reverse()) {
      if (seen.has(link.toString())) continue
      if (seen.size >= maxBlocks) throw malformed('it has too many parts')
      seen.add(link.toString())
      open.push(link)
    }
  }
}

function linksOf(bytes: Uint8Array): CID[] {
  try {
    return dagPb.decode(bytes).Links.map(link => link.Hash)
  } catch {
    // Bytes under a codec that they do not have are a block all the same.
    return []
  }
}

/** Bytes behind their length as an unsigned varint. */
function framed(...parts: readonly Uint8Array[]): Uint8Array {
  const prefix: number[] = []
  let rest = parts.reduce((sum, { length }) => sum + length, 0)
  for (; rest >= 0x80; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80)
  return concat(Uint8Array.of(...prefix, rest), ...parts)
}

/** `/salus/range/1`: asks a peer for blocks by their SHA-256 and reads them as plain bytes (docs/specs/range.md). */
import { concat } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'RANGE'
const DIGEST_BYTES = 32

/** Most blocks that may be unanswered on one stream, and so the most of one request. */
export const MAX_OPEN_BLOCKS = 256

/** Largest block that is sent or taken: what bitswap takes too. */
export const MAX_BLOCK_BYTES: number = 2 << 20

/** Most bytes of a request without the length before it. */
export const MAX_RANGE_REQUEST_BYTES: number = MAX_OPEN_BLOCKS * DIGEST_BYTES + 32

/** Bytes before each block of an answer. */
export const BLOCK_HEADER_BYTES = 4

/** The canonical bytes of a request for 1 to 256 blocks, by the SHA-256 of each. */
export function encodeRangeRequest(digests: readonly Uint8Array[]): Uint8Array {
  return encodeCanonical({ v: 1, sha256: concat(...digests) })
}

/** A request behind its length as an unsigned varint, as it goes out. */
export function frameRangeRequest(digests: readonly Uint8Array[]): Uint8Array {
  const request = encodeRangeRequest(digests)
  const { length } = request
  return concat(length < 0x80 ? Uint8Array.of(length) : Uint8Array.of((length & 0x7f) | 0x80, length >> 7), request)
}

/**
 * Reads a request.
 *
 * @throws SalusError the `RANGE_*` codes of the canonical decoder; `RANGE_SHAPE`, `RANGE_VERSION`
 */
export function decodeRangeRequest(bytes: Uint8Array): Uint8Array[] {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_RANGE_REQUEST_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'sha256'])
  const bounds = { min: DIGEST_BYTES, max: MAX_OPEN_BLOCKS * DIGEST_BYTES }
  const joined = readBytes(map['sha256'], AREA, 'sha256', bounds)
  if (joined.length % DIGEST_BYTES !== 0) throw new SalusError('RANGE_SHAPE', 'Refused: a digest has 32 bytes.')
  return Array.from({ length: joined.length / DIGEST_BYTES }, (_, i) =>
    joined.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)
  )
}

/** What stands before a block of an answer: its length plus one, big-endian; nothing but zeros where it is not here. */
export function blockHeader(sizeBytes: number | undefined): Uint8Array {
  const header = new Uint8Array(BLOCK_HEADER_BYTES)
  new DataView(header.buffer).setUint32(0, sizeBytes == null ? 0 : sizeBytes + 1)
  return header
}

/** Reads the blocks of an answer out of whatever pieces it comes in; each byte is copied once. */
export interface BlockReader {
  /**
   * Takes the next piece.
   *
   * @returns the blocks that it completes, in order; undefined for one that the peer does not have
   * @throws SalusError `RANGE_OVERSIZE` for a block above 2 MiB, before any of it is kept
   */
  push(piece: Uint8Array): (Uint8Array | undefined)[]
  /** Bytes of a block that has begun. */
  pendingBytes(): number
}

/** A reader at the start of an answer. */
export function createBlockReader(): BlockReader {
  const header = new Uint8Array(BLOCK_HEADER_BYTES)
  const view = new DataView(header.buffer)
  let headerBytes = 0
  let block: Uint8Array | undefined
  let filledBytes = 0

  /** Begins the block that the header speaks of. */
  function begin(): Uint8Array | undefined {
    const sizeBytes = view.getUint32(0) - 1
    if (sizeBytes < 0) return undefined
    if (sizeBytes > MAX_BLOCK_BYTES) throw new SalusError('RANGE_OVERSIZE', 'Refused: the block is larger than 2 MiB.')
    return new Uint8Array(sizeBytes)
  }

  return {
    push(piece) {
      const done: (Uint8Array | undefined)[] = []
      for (let at = 0; at < piece.length;) {
        if (block == null) {
          header[headerBytes++] = piece[at++] ?? 0
          if (headerBytes < BLOCK_HEADER_BYTES) continue
          headerBytes = 0
          block = begin()
          filledBytes = 0
          if (block == null) done.push(undefined)
        } else {
          const taken = piece.subarray(at, at + block.length - filledBytes)
          block.set(taken, filledBytes)
          filledBytes += taken.length
          at += taken.length
        }
        if (block != null && filledBytes === block.length) {
          done.push(block)
          block = undefined
        }
      }
      return done
    },
    pendingBytes: () => (block == null ? 0 : filledBytes)
  }
}

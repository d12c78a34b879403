import { SalusError } from '#core/error.ts'

/** Bytes that are collected piece by piece. */
export interface GrowingBytes {
  length(): number
  append(piece: Uint8Array): void
  /** Drops what lies behind `length`. */
  truncate(length: number): void
  /** Puts a piece in at an offset. */
  insert(offset: number, piece: Uint8Array): void
  /** A view of what ends at the end. */
  tail(length: number): Uint8Array
  /** Hands out a copy of all and starts anew. */
  take(): Uint8Array
}

/**
 * Makes an empty collection of at most `maxBytes`.
 *
 * @throws SalusError (from `append`) `FHIR_OVERSIZE`
 */
export function createGrowingBytes(maxBytes: number): GrowingBytes {
  let bytes = new Uint8Array(1024)
  let used = 0
  const append = (piece: Uint8Array): void => {
    if (used + piece.length > maxBytes) {
      throw new SalusError(
        'FHIR_OVERSIZE',
        'Refused: one resource, or what stands around resources, is too large to take.'
      )
    }
    if (used + piece.length > bytes.length) {
      const larger = new Uint8Array(Math.max(2 * bytes.length, used + piece.length))
      larger.set(bytes.subarray(0, used))
      bytes = larger
    }
    bytes.set(piece, used)
    used += piece.length
  }
  return {
    append,
    length: () => used,
    truncate: length => void (used = Math.min(used, length)),
    insert: (offset, piece) => {
      const behind = bytes.slice(offset, used)
      used = offset
      append(piece)
      append(behind)
    },
    tail: length => bytes.subarray(Math.max(0, used - length), used),
    take: () => {
      const taken = bytes.slice(0, used)
      used = 0
      return taken
    }
  }
}

/** Reads the fields of a characteristic's value in order: little-endian, as the GATT Specification Supplement has them. */
import { refuseGatt } from '#core/gatt/refuse.ts'

/** A place in the bytes that only moves forward. */
export interface Cursor {
  /** The next unsigned number of 1 to 6 bytes. */
  uint(bytes: 1 | 2 | 3 | 4 | 6): number
  /** The next signed number. */
  int(bytes: 1 | 2 | 3 | 4): number
  /** The next `count` bytes. */
  bytes(count: number): Uint8Array
  /** How many bytes are left. */
  left(): number
  /**
   * Holds the bytes to their end.
   *
   * @throws SalusError `GATT_TRAILING`
   */
  end(): void
}

/** Begins at the first byte. Each read past the end throws SalusError `GATT_TRUNCATED`. */
export function createCursor(value: Uint8Array): Cursor {
  let at = 0
  function take(count: number): Uint8Array {
    if (at + count > value.length) refuseGatt('TRUNCATED')
    at += count
    return value.subarray(at - count, at)
  }
  const uint = (bytes: number): number => take(bytes).reduceRight((sum, byte) => sum * 256 + byte, 0)
  return {
    uint,
    int(bytes) {
      const value = uint(bytes)
      const half = 2 ** (8 * bytes - 1)
      return value < half ? value : value - 2 * half
    },
    bytes: take,
    left: () => value.length - at,
    end() {
      if (at < value.length) refuseGatt('TRAILING')
    }
  }
}

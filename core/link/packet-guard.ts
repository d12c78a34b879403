/**
 * Watches the lengths that MQTT packets announce, so that a broker need not collect a packet of 256 MB before it is refused (MQTT 3.1.1
 * section 2.2.3).
 */

/** Watches one connection. */
export interface PacketGuard {
  /** Takes the next bytes; false, from then on for ever, if a packet is longer than allowed or its length malformed. */
  feed(chunk: Uint8Array): boolean
}

const MORE = 0x80
const MAX_LENGTH_BYTES = 4

/** Makes a guard of packets of at most `maxBytes`, the fixed header not counted. */
export function createPacketGuard(maxBytes: number): PacketGuard {
  /** Bytes of the current packet still to come; -1 at its first byte, -2 within its length. */
  let rest = -1
  let length = 0
  let lengthBytes = 0
  let isGood = true

  function feedLength(byte: number): void {
    length += (byte & ~MORE) * 128 ** lengthBytes++
    const goesOn = (byte & MORE) !== 0
    if (length > maxBytes || (goesOn && lengthBytes === MAX_LENGTH_BYTES)) isGood = false
    else if (!goesOn) rest = length === 0 ? -1 : length
  }

  return {
    feed(chunk) {
      for (let at = 0; isGood && at < chunk.length;) {
        if (rest > 0) {
          const taken = Math.min(rest, chunk.length - at)
          at += taken
          rest -= taken
          if (rest === 0) rest = -1
        } else if (rest === -1) {
          at++
          rest = -2
          length = lengthBytes = 0
        } else feedLength(chunk[at++] ?? 0)
      }
      return isGood
    }
  }
}

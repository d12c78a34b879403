/** What both ends of a link must agree on before anything else, mixed into the handshake (docs/specs/sensor-link.md). */
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { LinkPattern } from '#core/link/noise.ts'
import type { Suite } from '#core/link/packet.ts'

const LABEL = utf8('salus/link/1')
const ATTEMPT_BYTES = 8

/** The pattern that a suite's number stands for. */
export const PATTERN_OF: Readonly<Record<Suite, LinkPattern>> = { 1: 'NNpsk0', 2: 'KKpsk0', 3: 'symmetric' }

/**
 * The prologue: version, the initiator's role, suite, handle and configuration. Whoever changes one of them on its way ends the
 * handshake.
 *
 * @param config - digest of what the sensor was provisioned with, 32 bytes
 */
export function prologueOf(suite: Suite, handle: Uint8Array, config: Uint8Array): Uint8Array {
  return concat(LABEL, new Uint8Array(1), encodeCanonical([1, 'sensor', suite, handle, config]))
}

/** The payload of the first message: the number of the attempt, which only ever grows. */
export function encodeAttempt(attempt: number): Uint8Array {
  const out = new Uint8Array(ATTEMPT_BYTES)
  new DataView(out.buffer).setBigUint64(0, BigInt(attempt))
  return out
}

/** The number of an attempt; `undefined` if it is none. */
export function decodeAttempt(bytes: Uint8Array): number | undefined {
  if (bytes.length !== ATTEMPT_BYTES) return undefined
  const attempt = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
  return attempt < 2n ** 48n ? Number(attempt) : undefined
}

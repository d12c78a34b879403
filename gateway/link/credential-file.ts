/** What a reference sensor was given, in a file; and the key that replaces it, as long as both are good. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { SensorCredential } from '#core/link/initiator.ts'
import { configDigest, decodeSensorCard, encodeSensorCard, type SensorCard } from '#core/link/provisioning.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const AREA = 'SENSOR_FILE'
const MAX_BYTES = 1024

/** What the file holds. */
export interface SensorFile {
  readonly card: SensorCard
  /** Static secret, 32 bytes for suite 2, else empty. */
  readonly secret: Uint8Array
  /** A handle and key that the gateway has announced and that were not used yet. */
  readonly next: { readonly handle: Uint8Array; readonly psk: Uint8Array } | null
}

/** Writes it, in one step. */
export async function writeSensorFile(path: string, { card, secret, next }: SensorFile): Promise<void> {
  await writeDurably(path, encodeCanonical({ v: 1, card: encodeSensorCard(card), secret, next }))
}

/**
 * Reads it; `undefined` if there is none.
 *
 * @throws SalusError `SENSOR_FILE_*`, `SENSOR_CARD_*`
 */
export async function readSensorFile(path: string): Promise<SensorFile | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'card', 'secret', 'next'])
  return {
    card: decodeSensorCard(readBytes(map['card'], AREA, 'card', { min: 1, max: MAX_BYTES })),
    secret: readBytes(map['secret'], AREA, 'secret', { min: 0, max: 32 }),
    next: map['next'] === null ? null : readNext(map['next'])
  }
}

function readNext(value: unknown): { readonly handle: Uint8Array; readonly psk: Uint8Array } {
  const map = readMap(value, AREA, ['handle', 'psk'])
  return { handle: readBytes(map['handle'], AREA, 'handle', 16), psk: readBytes(map['psk'], AREA, 'psk', 32) }
}

/** What the sensor's end of a link takes of it. */
export function credentialOf(p: Pick<Primitives, 'sha256'>, { card, secret }: SensorFile): SensorCredential {
  const { handle, psk, suite, gatewayKey } = card
  const statics = suite === 2 ? { statics: { own: secret, remote: gatewayKey } } : {}
  return { handle, psk, suite, config: configDigest(p, card), ...statics }
}

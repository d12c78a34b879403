/**
 * What a sensor is given before its first word: who it is, a secret, and where its gateway is (docs/specs/provisioning.md). Shown as a
 * QR code, confirmed by digits on both screens, committed to by a digest that tells nothing.
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Suite } from '#core/link/packet.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'SENSOR_CARD'
const MAX_CARD_BYTES = 512
const CONFIG_LABEL = 'salus/sensor-config/1'
const RECORD_LABEL = 'salus/sensor-record/1'
const CONFIRM_LABEL = utf8('salus/link/confirm/1')

/** What a sensor is given. It holds the secret: whoever sees it can be the sensor. */
export interface SensorCard {
  readonly handle: Uint8Array
  readonly psk: Uint8Array
  readonly suite: Suite
  /** Name of the device at the gateway, at most 32 characters; never a person's. */
  readonly device: string
  /** Where the gateway takes datagrams and MQTT over TLS: `host:port`, or empty. */
  readonly udp: string
  readonly mqtt: string
  /** The gateway's static public key, 32 bytes for suite 2, else empty. */
  readonly gatewayKey: Uint8Array
}

/** Canonical bytes of a card. */
export function encodeSensorCard(card: SensorCard): Uint8Array {
  const { handle, psk, suite, device, udp, mqtt, gatewayKey } = card
  return encodeCanonical({ v: 1, handle, psk, suite, device, udp, mqtt, gatewayKey })
}

/**
 * Reads a card.
 *
 * @throws SalusError `SENSOR_CARD_*` of the canonical decoder, `SENSOR_CARD_VERSION`, `SENSOR_CARD_SHAPE`
 */
export function decodeSensorCard(bytes: Uint8Array): SensorCard {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_CARD_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'handle', 'psk', 'suite', 'device', 'udp', 'mqtt', 'gatewayKey'])
  const suite = readSuite(map['suite'], AREA)
  return {
    handle: readBytes(map['handle'], AREA, 'handle', 16),
    psk: readBytes(map['psk'], AREA, 'psk', 32),
    suite,
    device: readText(map['device'], AREA, 'device', 32),
    udp: readText(map['udp'], AREA, 'udp', 80),
    mqtt: readText(map['mqtt'], AREA, 'mqtt', 80),
    gatewayKey: readBytes(map['gatewayKey'], AREA, 'gatewayKey', suite === 2 ? 32 : 0)
  }
}

/**
 * A suite from a decoded field.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readSuite(value: unknown, area: string): Suite {
  const suite = readUint(value, area, 'suite', 3)
  if (suite === 1 || suite === 2 || suite === 3) return suite
  throw new SalusError(`${area}_SHAPE`, 'Refused: field "suite" must be 1, 2 or 3.')
}

/** Digest of what both ends must agree on beside the secret; part of every handshake. It does not change with the key. */
export function configDigest(
  p: Pick<Primitives, 'sha256'>,
  card: Pick<SensorCard, 'suite' | 'device' | 'gatewayKey'>
): Uint8Array {
  const { suite, device, gatewayKey } = card
  return p.sha256(signingInput(CONFIG_LABEL, { suite, device, gatewayKey }))
}

/**
 * Twelve digits of a handshake, shown on both screens. Whoever copied the QR code and stands between has two handshakes with two hashes;
 * it would have to find keys whose digits are the same, 2^40 tries, while the sensor waits.
 *
 * @param hash - of the handshake, 32 bytes
 */
export function confirmationDigits(p: Pick<Primitives, 'sha256'>, hash: Uint8Array): string {
  const digest = p.sha256(concat(CONFIRM_LABEL, hash))
  const digits = String(new DataView(digest.buffer, digest.byteOffset).getBigUint64(0) % 1_000_000_000_000n)
  return digits.padStart(12, '0').replace(/^(....)(....)/, '$1-$2-')
}

/** What is committed to of a device: enough to show later which device it was, nothing to guess from. */
export interface SensorRecord {
  /** 32 random bytes: without them the digest tells nothing. */
  readonly salt: Uint8Array
  readonly device: string
  /** The device's own proof of where it was made (a certificate, an attestation), or empty; at most 4,096 bytes. */
  readonly attestation: Uint8Array
  /** The sensor's static public key, or empty. */
  readonly sensorKey: Uint8Array
}

/** The digest of a record, 32 bytes: a leaf of the gateway's device registry. */
export function sensorRecordDigest(p: Pick<Primitives, 'sha256'>, record: SensorRecord): Uint8Array {
  const { salt, device, attestation, sensorKey } = record
  return p.sha256(signingInput(RECORD_LABEL, { salt, device, attestation: p.sha256(attestation), sensorKey }))
}

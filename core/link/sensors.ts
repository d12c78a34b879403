/** What a gateway keeps of its sensors, as one value (docs/specs/provisioning.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Suite } from '#core/link/packet.ts'
import { readSuite } from '#core/link/provisioning.ts'

const AREA = 'SENSORS'
const MAX_ATTEMPT: number = 2 ** 48
const MAX_REGISTRY = 65_536

/** Sensors of one gateway at most. */
export const MAX_SENSORS = 1024

/** Most bytes of the value. */
const MAX_BYTES: number = 4 * 1024 * 1024

/** A handle with its key. */
export interface SensorAccess {
  readonly handle: Uint8Array
  readonly psk: Uint8Array
  /** Highest attempt that became a session. */
  readonly attempt: number
}

/** One sensor. */
export interface Sensor {
  /** Name at this gateway. */
  readonly device: string
  readonly suite: Suite
  readonly config: Uint8Array
  /** Static public key, 32 bytes for suite 2, else empty. */
  readonly sensorKey: Uint8Array
  /** Salt and digest of its record in the registry. */
  readonly salt: Uint8Array
  readonly record: Uint8Array
  readonly current: SensorAccess
  /** What replaces `current` once the sensor has used it. */
  readonly next: SensorAccess | null
}

/** All of them. */
export interface Sensors {
  /** The gateway's static X25519 secret, for suite 2. */
  readonly gatewaySecret: Uint8Array
  readonly sensors: readonly Sensor[]
  /** Digests of what was made known and revoked, in that order. */
  readonly registry: readonly Uint8Array[]
}

/** Canonical bytes. They hold secrets: only ever written sealed. */
export function encodeSensors({ gatewaySecret, sensors, registry }: Sensors): Uint8Array {
  return encodeCanonical({ v: 1, gatewaySecret, sensors, registry })
}

/**
 * Reads them.
 *
 * @throws SalusError `SENSORS_*` of the canonical decoder, `SENSORS_VERSION`, `SENSORS_SHAPE`
 */
export function decodeSensors(bytes: Uint8Array): Sensors {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'gatewaySecret', 'sensors', 'registry'])
  return {
    gatewaySecret: readBytes(map['gatewaySecret'], AREA, 'gatewaySecret', 32),
    sensors: readList(map['sensors'], AREA, 'sensors', MAX_SENSORS, readSensor),
    registry: readList(map['registry'], AREA, 'registry', MAX_REGISTRY, each => readBytes(each, AREA, 'registry', 32))
  }
}

function readSensor(value: unknown): Sensor {
  const map = readMap(value, AREA, ['device', 'suite', 'config', 'sensorKey', 'salt', 'record', 'current', 'next'])
  return {
    device: readText(map['device'], AREA, 'device', 32),
    suite: readSuite(map['suite'], AREA),
    config: readBytes(map['config'], AREA, 'config', 32),
    sensorKey: readBytes(map['sensorKey'], AREA, 'sensorKey', { min: 0, max: 32 }),
    salt: readBytes(map['salt'], AREA, 'salt', 32),
    record: readBytes(map['record'], AREA, 'record', 32),
    current: readAccess(map['current']),
    next: map['next'] === null ? null : readAccess(map['next'])
  }
}

function readAccess(value: unknown): SensorAccess {
  const map = readMap(value, AREA, ['handle', 'psk', 'attempt'])
  return {
    handle: readBytes(map['handle'], AREA, 'handle', 16),
    psk: readBytes(map['psk'], AREA, 'psk', 32),
    attempt: readUint(map['attempt'], AREA, 'attempt', MAX_ATTEMPT)
  }
}

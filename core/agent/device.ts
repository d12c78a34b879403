/** The devices that hold a person's keys (docs/specs/agent-state.md). */
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { readBytes, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'

/** Bytes of a device's id. */
export const DEVICE_ID_BYTES = 16

/** The most characters of a device's name. */
export const MAX_DEVICE_NAME_LENGTH = 64

/** The most devices of one person, revoked ones included. */
export const MAX_DEVICES = 256

/** A device that has, or had, the keys. */
export interface Device {
  readonly id: Uint8Array
  /** What the person calls it. */
  readonly name: string
  /** Its own Ed25519 public key, which signs its backups. */
  readonly sign: Uint8Array
  readonly addedAtMs: number
  /** null while it is trusted. */
  readonly revokedAtMs: number | null
}

/**
 * Reads a device of a list.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readDevice(value: unknown, area: string): Device {
  const map = readMap(value, area, ['id', 'name', 'sign', 'addedAtMs', 'revokedAtMs'])
  return {
    id: readBytes(map['id'], area, 'id', DEVICE_ID_BYTES),
    name: readText(map['name'], area, 'name', MAX_DEVICE_NAME_LENGTH),
    sign: readBytes(map['sign'], area, 'sign', 32),
    addedAtMs: readUint(map['addedAtMs'], area, 'addedAtMs'),
    revokedAtMs: map['revokedAtMs'] === null ? null : readUint(map['revokedAtMs'], area, 'revokedAtMs')
  }
}

/** Both lists; a device that either says is revoked is revoked. */
export function mergeDevices(a: readonly Device[], b: readonly Device[]): Device[] {
  const merged = new Map<string, Device>()
  for (const each of [...a, ...b]) {
    const before = merged.get(toHex(each.id)) ?? each
    const times = [before.revokedAtMs, each.revokedAtMs].filter(time => time != null)
    merged.set(toHex(each.id), { ...before, revokedAtMs: times.length === 0 ? null : Math.min(...times) })
  }
  return [...merged.values()]
}

/**
 * The list with one device revoked.
 *
 * @throws SalusError `DEVICE_UNKNOWN` if there is no such device, or it is revoked already
 */
export function revokeDevice(devices: readonly Device[], id: Uint8Array, nowMs: number): Device[] {
  if (!devices.some(each => equalBytes(each.id, id) && each.revokedAtMs == null)) {
    throw new SalusError('DEVICE_UNKNOWN', 'There is no such device, or it is revoked already.')
  }
  return devices.map(each => (equalBytes(each.id, id) ? { ...each, revokedAtMs: nowMs } : each))
}

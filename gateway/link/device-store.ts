/**
 * The sensors that a gateway knows, with their keys, sealed in one file (docs/specs/provisioning.md). Every change is on the disk when its
 * promise resolves.
 */
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { concat, equalBytes, toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { LinkPrimitives } from '#core/link/primitives.ts'
import { configDigest, sensorRecordDigest, type SensorCard } from '#core/link/provisioning.ts'
import { registryRoot, revocationDigest } from '#core/link/registry.ts'
import type { LinkCredential } from '#core/link/responder.ts'
import {
  decodeSensors,
  encodeSensors,
  MAX_SENSORS,
  type Sensor,
  type SensorAccess,
  type Sensors
} from '#core/link/sensors.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const SALT_BYTES = 32
const NONCE: Uint8Array = new Uint8Array(12)
const INFO = utf8('salus/sensors/1')
const DEVICE = /^[a-z0-9][a-z0-9-]{0,31}$/

/** What the store needs. */
export interface DeviceStoreComponents {
  readonly p: LinkPrimitives & Pick<Primitives, 'aes256GcmSeal' | 'aes256GcmOpen'>
  readonly random: Random
}

/** What it is told. */
export interface DeviceStoreInit {
  readonly path: string
  /** Seals the file, 32 bytes: of the gateway's seed, never stored beside it. */
  readonly key: Uint8Array
}

/** A sensor to be made known. */
export interface Provisioning extends Pick<SensorCard, 'device' | 'suite' | 'udp' | 'mqtt'> {
  /** The sensor's static public key, for suite 2. */
  readonly sensorKey?: Uint8Array
  /** The device's own proof of where it was made, if it has one. */
  readonly attestation?: Uint8Array
}

/** An open store. */
export interface DeviceStore {
  /** Sensors that are known and not revoked. */
  readonly sensors: readonly Sensor[]
  /** Digest of everything that was ever made known or revoked here, 32 bytes. */
  registryRoot(): Uint8Array
  /** The way in that a handle names. */
  find(handle: Uint8Array): LinkCredential | undefined
  /**
   * Makes a sensor known; the card is shown once and never again.
   *
   * @throws SalusError `SENSOR_NAME`, `SENSOR_EXISTS`, `SENSOR_LIMIT`, `SENSOR_KEY`
   */
  provision(what: Provisioning): Promise<SensorCard>
  /** Notes that an attempt became a session; the first under a new key ends the old one. Returns a handle that is void from now on. */
  confirm(handle: Uint8Array, attempt: number): Promise<Uint8Array | undefined>
  /** Draws a new handle and key, which the sensor is told under the old. @throws SalusError `SENSOR_UNKNOWN` */
  rotate(device: string): Promise<void>
  /** The sensor will never get in again. @throws SalusError `SENSOR_UNKNOWN` */
  revoke(device: string): Promise<void>
}

/**
 * Opens the store, empty if there is no file.
 *
 * @throws SalusError `SENSORS_SEAL` if the file does not open with the key, `SENSORS_*` if it holds something else
 */
export async function openDeviceStore(components: DeviceStoreComponents, init: DeviceStoreInit): Promise<DeviceStore> {
  const { p, random } = components
  const { path, key } = init
  const file = await readIfThere(path)
  let state: Sensors = file == null ? { gatewaySecret: random(32), sensors: [], registry: [] } : unseal(p, key, file)
  const byHandle = new Map<string, LinkCredential>()
  index()

  /** Writes that wait share the next one. */
  let writing: Promise<void> | undefined
  let next: Promise<void> | undefined

  async function save(): Promise<void> {
    // A write that failed does not keep the next from trying.
    next ??= (writing ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        writing = next
        next = undefined
        const salt = random(SALT_BYTES)
        await writeDurably(path, concat(salt, p.aes256GcmSeal(fileKey(p, key, salt), NONCE, encodeSensors(state))))
      })
    await next
  }

  function index(): void {
    byHandle.clear()
    for (const sensor of state.sensors) {
      for (const { handle, psk, attempt } of accessesOf(sensor)) {
        const statics = sensor.suite === 2 ? { statics: { own: state.gatewaySecret, remote: sensor.sensorKey } } : {}
        const { device, suite, config, record } = sensor
        byHandle.set(toHex(handle), { device, sensor: toHex(record), suite, config, handle, psk, attempt, ...statics })
      }
    }
  }

  async function change(sensors: readonly Sensor[], entry?: Uint8Array): Promise<void> {
    state = { ...state, sensors, registry: entry == null ? state.registry : [...state.registry, entry] }
    index()
    await save()
  }

  function known(device: string): Sensor {
    const sensor = state.sensors.find(each => each.device === device)
    if (sensor == null) throw new SalusError('SENSOR_UNKNOWN', 'No sensor of this name is known here.')
    return sensor
  }

  const without = (device: string): Sensor[] => state.sensors.filter(each => each.device !== device)

  return {
    get sensors() {
      return state.sensors
    },
    registryRoot: () => registryRoot(p, state.registry),
    find: handle => byHandle.get(toHex(handle)),
    async provision({ device, suite, udp, mqtt, sensorKey = new Uint8Array(), attestation = new Uint8Array() }) {
      if (!DEVICE.test(device)) {
        throw new SalusError(
          'SENSOR_NAME',
          'Name a sensor by up to 32 small letters, digits and dashes; never by a person.'
        )
      }
      if (state.sensors.some(each => each.device === device)) {
        throw new SalusError(
          'SENSOR_EXISTS',
          'A sensor of this name is known already; revoke it first, or take another name.'
        )
      }
      if (state.sensors.length >= MAX_SENSORS)
        throw new SalusError('SENSOR_LIMIT', 'This gateway knows enough sensors.')
      if ((suite === 2) !== (sensorKey.length === 32)) {
        throw new SalusError('SENSOR_KEY', 'Suite 2, and only it, needs the sensor’s static key of 32 bytes.')
      }
      const gatewayKey = suite === 2 ? p.x25519PublicKey(state.gatewaySecret) : new Uint8Array()
      const card = { handle: random(16), psk: random(32), suite, device, udp, mqtt, gatewayKey }
      const config = configDigest(p, card)
      const salt = random(32)
      const record = sensorRecordDigest(p, { salt, device, attestation, sensorKey })
      const current = { handle: card.handle, psk: card.psk, attempt: 0 }
      await change([...state.sensors, { device, suite, config, sensorKey, salt, record, current, next: null }], record)
      return card
    },
    async confirm(handle, attempt) {
      const sensor = state.sensors.find(({ current, next }) =>
        accessesOf({ current, next }).some(each => equalBytes(each.handle, handle))
      )
      if (sensor == null) return undefined
      const { current, next } = sensor
      const isNext = next != null && equalBytes(next.handle, handle)
      const confirmed: Sensor = isNext
        ? { ...sensor, current: { ...next, attempt }, next: null }
        : { ...sensor, current: { ...current, attempt } }
      await change([...without(sensor.device), confirmed])
      return isNext ? current.handle : undefined
    },
    async rotate(device) {
      const sensor = known(device)
      // One that the sensor was perhaps told already stays the same.
      if (sensor.next != null) return
      const rotated = { ...sensor, next: { handle: random(16), psk: random(32), attempt: sensor.current.attempt } }
      await change([...without(device), rotated])
    },
    async revoke(device) {
      const { record } = known(device)
      await change(without(device), revocationDigest(p, record))
    }
  }
}

function accessesOf({ current, next }: Pick<Sensor, 'current' | 'next'>): SensorAccess[] {
  return next == null ? [current] : [current, next]
}

function fileKey(p: LinkPrimitives, key: Uint8Array, salt: Uint8Array): Uint8Array {
  return p.hkdfSha256(key, salt, INFO, 32)
}

function unseal(p: DeviceStoreComponents['p'], key: Uint8Array, file: Uint8Array): Sensors {
  const bytes = p.aes256GcmOpen(fileKey(p, key, file.slice(0, SALT_BYTES)), NONCE, file.slice(SALT_BYTES))
  if (bytes == null) {
    throw new SalusError(
      'SENSORS_SEAL',
      'The file of sensors is damaged or of another gateway; restore both from one backup.'
    )
  }
  return decodeSensors(bytes)
}

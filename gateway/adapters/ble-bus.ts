/** The few things that the Bluetooth adapter needs of a Bluetooth stack, and BlueZ over D-Bus as the one that is there. */
import { access } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { SalusError } from '#core/error.ts'
import { CHARACTERISTICS, shortUuid } from '#core/gatt/decode.ts'

/** A characteristic of a connected sensor. */
export interface BleCharacteristic {
  readonly uuid: string
  subscribe(onValue: (value: Uint8Array) => void): Promise<void>
}

/** A sensor that is connected. */
export interface BleLink {
  /** Its characteristics that can be read here. */
  characteristics(): Promise<readonly BleCharacteristic[]>
  /** Resolves when it is gone, or with the signal. */
  disconnected(signal: AbortSignal): Promise<void>
}

/** A Bluetooth stack. */
export interface BleBus {
  isThere(address: string): Promise<boolean>
  /** Connects; fails where the sensor is not in reach. */
  connect(address: string, signal: AbortSignal): Promise<BleLink>
  /** A pause before the next try. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const SOCKET = '/var/run/dbus/system_bus_socket'
const FIND_MS = 10_000
/** Longest that one call to the stack may take. */
const CALL_MS = 20_000

/**
 * Opens BlueZ.
 *
 * @throws SalusError `BLE_UNAVAILABLE` where there is no D-Bus, no BlueZ or no Bluetooth adapter
 */
export async function openBlueZ(): Promise<BleBus> {
  // Looked for first: the library would fail in the background, where nobody could catch it.
  await access(process.env['DBUS_SYSTEM_BUS_ADDRESS']?.replace(/^unix:path=/, '') ?? SOCKET).catch(refuseUnavailable)
  const library = await import('node-ble')
  const session = library.createBluetooth()
  const { bluetooth } = session
  let adapter
  try {
    adapter = await within(bluetooth.defaultAdapter())
    if (!(await within(adapter.isDiscovering()))) await within(adapter.startDiscovery())
  } catch (cause) {
    session.destroy()
    return refuseUnavailable(cause)
  }
  const found = adapter
  return {
    async isThere(address) {
      return (await within(found.devices())).includes(address.toUpperCase())
    },
    async connect(address, signal) {
      signal.throwIfAborted()
      const device = await found.waitDevice(address.toUpperCase(), FIND_MS)
      await within(device.connect())
      const gone = new Promise<void>(resolve => device.on('disconnect', () => resolve()))
      return {
        async characteristics() {
          const server = await within(device.gatt())
          const list: BleCharacteristic[] = []
          for (const service of await within(server.services())) {
            const primary = await server.getPrimaryService(service)
            for (const uuid of await primary.characteristics()) {
              if (!CHARACTERISTICS.includes(shortUuid(uuid) ?? '')) continue
              const characteristic = await primary.getCharacteristic(uuid)
              list.push({
                uuid,
                async subscribe(onValue) {
                  characteristic.on('valuechanged', value => onValue(Uint8Array.from(value)))
                  await within(characteristic.startNotifications())
                }
              })
            }
          }
          return list
        },
        async disconnected(signal) {
          const aborted = new Promise<void>(resolve =>
            signal.addEventListener('abort', () => resolve(), { once: true })
          )
          if (!signal.aborted) await Promise.race([gone, aborted])
          if (signal.aborted) await within(device.disconnect()).catch(() => undefined)
        }
      }
    },
    async pause(ms, signal) {
      // It ends early for one reason only: the signal, which the caller looks at next.
      await pause(ms, undefined, { signal }).catch(() => undefined)
    },
    async close() {
      await within(found.stopDiscovery()).catch(() => undefined)
      session.destroy()
    }
  }
}

/** A call that the stack may never answer. */
async function within<T>(call: Promise<T>): Promise<T> {
  const late = new AbortController()
  const timeout = pause(CALL_MS, undefined, { signal: late.signal, ref: false }).then(() => {
    throw new SalusError('BLE_SILENT', 'The Bluetooth service did not answer in time.')
  })
  timeout.catch(() => undefined)
  try {
    return await Promise.race([call, timeout])
  } finally {
    late.abort()
  }
}

function refuseUnavailable(cause: unknown): never {
  throw new SalusError(
    'BLE_UNAVAILABLE',
    'There is no Bluetooth here: BlueZ, its D-Bus service or an adapter is missing.',
    {
      cause
    }
  )
}

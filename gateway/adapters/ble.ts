/**
 * Bluetooth sensors over BlueZ: subscribes to every characteristic that can be read (docs/specs/gatt.md), goes on when a sensor comes back
 * into reach, and never lets a sensor's bytes end it.
 */
import type { Clock } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { decodeCharacteristic, shortUuid } from '#core/gatt/decode.ts'
import { readingsOf, type Measurement } from '#core/gatt/measured.ts'
import { joinSegment, type JoinState } from '#core/gatt/segments.ts'
import type { AdapterHealth, FoundDevice, SensorAdapter } from '#gateway/adapters/adapter.ts'
import { createArrivalQueue, type ArrivalQueue } from '#gateway/adapters/arrival-queue.ts'
import { openBlueZ, type BleBus, type BleCharacteristic } from '#gateway/adapters/ble-bus.ts'
import { codeOf } from '#gateway/adapters/failure.ts'

const SEGMENTED = '2b8b'
const MAX_CHARACTERISTICS = 64
const MAX_VALUE_BYTES = 512

/** What the adapter needs. */
export interface BleComponents {
  readonly clock: Clock
  /** Opens the bus; BlueZ over D-Bus where none is passed in. */
  readonly openBus?: () => Promise<BleBus>
}

/** Which sensors, and how long a try to reach one lasts. */
export interface BleInit {
  /** Sensors by their Bluetooth address, and their names at this gateway. */
  readonly sensors: readonly { readonly address: string; readonly device: string }[]
  /** Arrivals that may wait for the gateway. */
  readonly capacity: number
  readonly retryMs: number
}

/** Makes an adapter; nothing of Bluetooth is loaded before `open`. */
export function createBleAdapter({ clock, openBus = openBlueZ }: BleComponents, init: BleInit): SensorAdapter {
  const { sensors, capacity, retryMs } = init
  const refused: Record<string, number> = {}
  const numbers = new Map<string, number>()
  let queue: ArrivalQueue = createArrivalQueue({ capacity })
  let state: AdapterHealth['state'] = 'closed'
  let bus: BleBus | undefined
  let closing = new AbortController()
  let links: Promise<void>[] = []
  let lastArrivalMs: number | null = null
  let arrivals = 0

  const refuse = (code: string): void => void (refused[code] = (refused[code] ?? 0) + 1)

  /** Everything that a notification may do: it becomes an arrival, or a count. */
  function take(device: string, uuid: string, joined: { state: JoinState }, value: Uint8Array): void {
    try {
      if (value.length > MAX_VALUE_BYTES)
        throw new SalusError('BLE_OVERSIZE', 'Refused: the value is longer than GATT allows.')
      const measurement = uuid === SEGMENTED ? join(joined, value) : decodeCharacteristic(uuid, value)
      if (measurement == null || measurement.values.length === 0) return
      const sequence = numbers.get(device) ?? 0
      numbers.set(device, sequence + 1)
      const receivedAtMs = clock()
      queue.push({ device, receivedAtMs, readings: readingsOf(measurement, { device, sequence, receivedAtMs }) })
    } catch (error) {
      refuse(codeOf(error))
    }
  }

  function join(joined: { state: JoinState }, value: Uint8Array): Measurement | undefined {
    const before = joined.state
    joined.state = null
    const { state, message } = joinSegment(before, value)
    joined.state = state
    return message == null ? undefined : decodeCharacteristic(SEGMENTED, message)
  }

  /** Keeps one sensor connected until the adapter closes. */
  async function keep(
    opened: BleBus,
    { address, device }: BleInit['sensors'][number],
    signal: AbortSignal
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        const link = await opened.connect(address, signal)
        const found = await link.characteristics()
        for (const each of found.slice(0, MAX_CHARACTERISTICS)) await subscribe(device, each)
        await link.disconnected(signal)
      } catch (error) {
        if (closing.signal === signal && state === 'open') refuse(codeOf(error))
      }
      await opened.pause(retryMs, signal)
    }
  }

  async function subscribe(device: string, characteristic: BleCharacteristic): Promise<void> {
    const uuid = shortUuid(characteristic.uuid)
    if (uuid == null) return
    const joined: { state: JoinState } = { state: null }
    await characteristic.subscribe(value => take(device, uuid, joined, value))
  }

  return {
    kind: 'ble',
    async *discover(signal) {
      const opened = bus ?? (await openBus())
      try {
        for (const { address, device } of sensors) {
          if (signal.aborted) return
          if (await opened.isThere(address)) yield { device, kind: 'ble', mdc: [] } satisfies FoundDevice
        }
      } finally {
        if (opened !== bus) await opened.close()
      }
    },
    async open() {
      if (bus != null) return
      const opened = await openBus()
      bus = opened
      closing = new AbortController()
      queue = createArrivalQueue({ capacity })
      state = 'open'
      const { signal } = closing
      links = sensors.map(async sensor => keep(opened, sensor, signal))
    },
    async *frames({ signal }) {
      for await (const arrival of queue.take(signal)) {
        lastArrivalMs = arrival.receivedAtMs
        arrivals++
        yield arrival
      }
    },
    async close() {
      closing.abort()
      state = 'closed'
      queue.end()
      const opened = bus
      bus = undefined
      await Promise.all(links)
      links = []
      await opened?.close()
    },
    health: () => ({
      state,
      lastArrivalMs,
      arrivals,
      refused: { ...refused },
      dropped: queue.dropped,
      queued: queue.size,
      capacity
    })
  }
}

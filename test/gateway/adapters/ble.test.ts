import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { fromHex } from '#core/encoding/bytes.ts'
import { createBleAdapter } from '#gateway/adapters/ble.ts'
import type { BleBus } from '#gateway/adapters/ble-bus.ts'
import { expectCode } from '#test/error-code.ts'
import { itConforms, takeArrivals, type AdapterUnderTest } from '#test/gateway/adapters/conformance.ts'
import { until } from '#test/gateway/adapters/until.ts'

const ADDRESS = 'AA:BB:CC:DD:EE:FF'
const CAPACITY = 8
const INIT = { sensors: [{ address: ADDRESS, device: 'strap' }], capacity: CAPACITY, retryMs: 1 }

/** A Bluetooth stack with one sensor that does what the test says. */
function makeBus(): {
  bus: BleBus
  send: (uuid: string, hex: string) => void
  drop: () => void
  connections: () => number
  ready: () => Promise<void>
} {
  const listeners = new Map<string, (value: Uint8Array) => void>()
  let drop: () => void = () => undefined
  let connections = 0
  const bus: BleBus = {
    isThere: async address => Promise.resolve(address === ADDRESS),
    async connect() {
      await Promise.resolve()
      connections++
      return {
        characteristics: async () =>
          Promise.resolve(
            ['00002a37-0000-1000-8000-00805f9b34fb', '2b8b', '12345678-0000-1000-8000-00805f9b34fb'].map(uuid => ({
              uuid,
              subscribe: async onValue =>
                Promise.resolve(void listeners.set(uuid.length > 4 ? uuid.slice(4, 8) : uuid, onValue))
            }))
          ),
        async disconnected(signal) {
          await new Promise<void>(resolve => {
            drop = resolve
            signal.addEventListener('abort', () => resolve(), { once: true })
            if (signal.aborted) resolve()
          })
          listeners.clear()
        }
      }
    },
    pause: async (ms, signal) => pause(ms, undefined, { signal }).catch(() => undefined),
    close: async () => Promise.resolve()
  }
  return {
    bus,
    send: (uuid, hex) => listeners.get(uuid)?.(fromHex(hex)),
    drop: () => drop(),
    connections: () => connections,
    ready: async () => until('the subscriptions', () => listeners.size > 0)
  }
}

let now = 1_700_000_000_000
const clock = (): number => now++

describe('Bluetooth adapter', () => {
  describe('as any adapter', () => {
    itConforms((): AdapterUnderTest => {
      const sensor = makeBus()
      const beats = (count: number): void => {
        for (let i = 0; i < count; i++) sensor.send('2a37', '0048')
      }
      return {
        adapter: createBleAdapter({ clock, openBus: async () => Promise.resolve(sensor.bus) }, INIT),
        arrivals: 5,
        feed: async () => {
          await sensor.ready()
          beats(5)
        },
        feedHostile: async () => {
          await sensor.ready()
          for (const hex of ['', '00', '10480000', 'ff'.repeat(600)]) sensor.send('2a37', hex)
          for (const hex of ['', '02', '01ff', '0aff', '03ffffff']) sensor.send('2b8b', hex)
        },
        flood: async () => {
          await sensor.ready()
          beats(100)
        }
      }
    }, ['hostile', 'flood'])
  })

  it('joins the segments of the generic sensor', async () => {
    const sensor = makeBus()
    const adapter = createBleAdapter({ clock, openBus: async () => Promise.resolve(sensor.bus) }, INIT)
    await adapter.open()
    await sensor.ready()
    const message = '0115000300824102002200ae4c2d00000100a00a48000000'
    sensor.send('2b8b', `01${message.slice(0, 20)}`)
    sensor.send('2b8b', `06${message.slice(20)}`)
    const [arrival] = await takeArrivals(adapter, { count: 1 })
    await adapter.close()
    expect(arrival?.readings.map(reading => [reading.stream.mdc, reading.mantissa])).to.deep.equal([[147842, 72]])
  })

  it('connects again when a sensor was away, and counts on', async () => {
    const sensor = makeBus()
    const adapter = createBleAdapter({ clock, openBus: async () => Promise.resolve(sensor.bus) }, INIT)
    await adapter.open()
    await sensor.ready()
    sensor.send('2a37', '0048')
    sensor.drop()
    await until('a second connection', () => sensor.connections() === 2)
    await sensor.ready()
    sensor.send('2a37', '0049')
    const taken = await takeArrivals(adapter, { count: 2 })
    await adapter.close()
    expect(taken.map(arrival => arrival.readings[0]?.sequence)).to.deep.equal([0, 1])
  })

  it('says by its code that there is no Bluetooth', async function () {
    if (existsSync('/var/run/dbus/system_bus_socket')) return this.skip()
    const adapter = createBleAdapter({ clock }, INIT)
    await expectCode('BLE_UNAVAILABLE', async () => adapter.open())
    expect(adapter.health().state).to.equal('closed')
    await adapter.close()
  })
})

import { join } from 'node:path'
import { expect } from 'chai'
import { createSocket } from 'node:dgram'
import { createLinkAdapter } from '#gateway/adapters/link.ts'
import { openDeviceStore } from '#gateway/link/device-store.ts'
import { openCounters } from '#gateway/link/marks-file.ts'
import { createMqttCarrier } from '#gateway/link/mqtt-carrier.ts'
import { createLinkSensor, type Carrier, type LinkSensor } from '#gateway/link/sensor.ts'
import { createUdpCarrier } from '#gateway/link/udp-carrier.ts'
import { itConforms, type AdapterUnderTest } from '#test/gateway/adapters/conformance.ts'
import { random } from '#test/gateway/fresh.ts'
import { clock, freshFolder, heartRate, log, p, STORE_KEY, until } from '#test/gateway/link/world.ts'

const HOST = '127.0.0.1'
const ARRIVALS = 20

for (const profile of ['udp', 'mqtt'] as const) {
  describe(`the adapter of sensor links over ${profile}`, function () {
    this.timeout(60_000)

    async function make() {
      const { path: folder, remove } = await freshFolder()
      const store = await openDeviceStore({ p, random }, { path: join(folder, 'sensors'), key: STORE_KEY })
      const card = await store.provision({ device: 'monitor', suite: 1, udp: '', mqtt: '' })
      const adapter = createLinkAdapter(
        { p, random, clock, log, store },
        { [profile]: { host: HOST, port: 0 }, capacity: 64 }
      )
      const counters = await openCounters(p, join(folder, 'marks'))
      const path = join(folder, 'sensor')
      const file = { card, secret: new Uint8Array(), next: null }
      let sensor: LinkSensor | undefined
      let sequence = 0
      const feed = async (): Promise<void> => {
        await sensor?.stop()
        const at = { host: HOST, port: adapter.ports[profile] ?? 0, path, file }
        const carrier: Carrier =
          profile === 'udp' ? createUdpCarrier({ p, random, clock, counters }, at) : createMqttCarrier(at)
        sensor = createLinkSensor({ clock, carrier, counters }, { maxWaiting: 1000 })
        await sensor.start()
        for (let i = 0; i < ARRIVALS; i++) await sensor.push([heartRate(sequence++)])
      }
      const feedHostile = async (): Promise<void> => {
        if (profile === 'mqtt') throw new Error('Strangers are turned away before they can say anything.')
        const stranger = createSocket('udp4')
        for (let i = 0; i < 200; i++) stranger.send(random(1 + i), adapter.ports.udp ?? 0, HOST)
        await until('it was refused', () => Object.keys(adapter.health().refused).length > 0)
        await new Promise<void>(resolve => stranger.close(() => resolve()))
      }
      return {
        adapter,
        sensorOf: () => sensor,
        arrivals: ARRIVALS,
        feed,
        feedHostile,
        dispose: async () => {
          await sensor?.stop()
          await counters.close()
          await remove()
        }
      }
    }

    itConforms(async (): Promise<AdapterUnderTest> => make(), profile === 'udp' ? ['hostile'] : [])

    it('acknowledges to the sensor when the gateway says so, and not before', async () => {
      const { adapter, sensorOf, feed, dispose } = await make()
      await adapter.open()
      await feed()
      const held: (() => void)[] = []
      for await (const { acknowledge } of adapter.frames({ signal: AbortSignal.timeout(20_000) })) {
        if (acknowledge != null) held.push(acknowledge)
        if (held.length === ARRIVALS) break
      }
      expect(sensorOf()?.acknowledged).to.equal(0)
      for (const acknowledge of held) acknowledge()
      await until('all is acknowledged', () => sensorOf()?.waiting === 0)
      await adapter.close()
      await dispose()
    })
  })
}

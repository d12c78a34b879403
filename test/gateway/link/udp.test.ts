import { expect } from 'chai'
import { toHex } from '#core/encoding/bytes.ts'
import { confirmationDigits } from '#core/link/provisioning.ts'
import { createSocket } from 'node:dgram'
import type { LinkArrival } from '#gateway/link/intake.ts'
import { startLossyProxy } from '#test/gateway/link/lossy-proxy.ts'
import { freshFolder, heartRate, p, startUdp, startUdpSensor, until } from '#test/gateway/link/world.ts'
import { random } from '#test/gateway/fresh.ts'
import { expectCode } from '#test/error-code.ts'

const CARD = { device: 'monitor', suite: 1, udp: '', mqtt: '' } as const

describe('sensors over UDP', function () {
  this.timeout(60_000)
  let folder: string
  let remove: () => Promise<void>
  const stops: (() => Promise<void>)[] = []

  beforeEach(async () => ({ path: folder, remove } = await freshFolder()))
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
    await remove()
  })

  /** Arrivals that are durable, and what an `accept` that makes them so. */
  function disk(): { arrivals: LinkArrival[]; accept: (arrival: LinkArrival) => Promise<void> } {
    const arrivals: LinkArrival[] = []
    return { arrivals, accept: arrival => Promise.resolve(void arrivals.push(arrival)) }
  }

  const sequences = (arrivals: readonly LinkArrival[]): number[] =>
    arrivals.flatMap(({ readings }) => readings.map(({ sequence }) => sequence))

  for (const suite of [1, 2, 3] as const) {
    it(`hand on each reading once and in order, also over a bad network (suite ${String(suite)})`, async () => {
      const { arrivals, accept } = disk()
      const { store, udp } = await startUdp(folder, accept)
      stops.push(async () => udp.stop())
      const proxy = await startLossyProxy(udp.port, 20)
      stops.push(async () => proxy.stop())
      const secret = random(32)
      const sensorKey = suite === 2 ? { sensorKey: p.x25519PublicKey(secret) } : {}
      const card = await store.provision({ ...CARD, suite, ...sensorKey })
      const sensor = await startUdpSensor(folder, proxy.port, card, { secret: suite === 2 ? secret : new Uint8Array() })
      stops.push(async () => sensor.stop())
      for (let i = 0; i < 300; i++) await sensor.push([heartRate(i)])
      await until('all is acknowledged', () => sensor.waiting === 0)
      expect(sequences(arrivals)).to.deep.equal(Array.from({ length: 300 }, (_, i) => i))
      expect(arrivals[0]?.device).to.equal('monitor')
      expect(arrivals[0]?.readings[0]?.stream.device).to.equal('monitor')
    })
  }

  it('acknowledge nothing before it is durable', async () => {
    let release: () => void = () => undefined
    const durable = new Promise<void>(resolve => (release = resolve))
    let asked = 0
    const { store, udp } = await startUdp(folder, async () => {
      asked++
      await durable
    })
    stops.push(async () => udp.stop())
    const sensor = await startUdpSensor(folder, udp.port, await store.provision(CARD))
    stops.push(async () => sensor.stop())
    await sensor.push([heartRate(0)])
    await until('it came again while it waited for the disk', () => asked > 0 && (udp.refused['LINK_BUSY'] ?? 0) === 0)
    expect(sensor.acknowledged).to.equal(0)
    release()
    await until('it is acknowledged', () => sensor.acknowledged === 1)
    expect(asked).to.equal(1)
  })

  it('keep what a disk that fails did not take, and bring it again', async () => {
    const { arrivals, accept } = disk()
    let failures = 3
    const { store, udp } = await startUdp(folder, async arrival => {
      if (failures-- > 0) throw new Error('the disk fails')
      await accept(arrival)
    })
    stops.push(async () => udp.stop())
    const sensor = await startUdpSensor(folder, udp.port, await store.provision(CARD))
    stops.push(async () => sensor.stop())
    await sensor.push([heartRate(0)])
    await until('it is acknowledged', () => sensor.waiting === 0)
    expect(sequences(arrivals)).to.deep.equal([0])
  })

  it('go on after either side was started anew, without new numbers for old messages', async () => {
    const { arrivals, accept } = disk()
    const first = await startUdp(folder, accept)
    const { port } = first.udp
    const card = await first.store.provision(CARD)
    const sensor = await startUdpSensor(folder, port, card)
    await sensor.push([heartRate(0)])
    await until('it is acknowledged', () => sensor.waiting === 0)
    await first.udp.stop()
    await sensor.push([heartRate(1)])
    const second = await startUdp(folder, accept, port)
    stops.push(async () => second.udp.stop())
    await until('the new session took it', () => sensor.waiting === 0)
    expect(second.store.sensors[0]?.current.attempt).to.be.greaterThan(1)
    await sensor.stop()
    const restarted = await startUdpSensor(folder, port)
    stops.push(async () => restarted.stop())
    expect(await restarted.push([heartRate(2)])).to.equal(1024)
    await until('it is acknowledged', () => restarted.waiting === 0)
    expect(sequences(arrivals)).to.deep.equal([0, 1, 2])
  })

  it('give sensor and gateway the same digits to compare', async () => {
    const { store, udp } = await startUdp(folder, disk().accept)
    stops.push(async () => udp.stop())
    const sensor = await startUdpSensor(folder, udp.port, await store.provision(CARD))
    stops.push(async () => sensor.stop())
    await until('there is a session', () => sensor.hashes.length > 0)
    expect(confirmationDigits(p, sensor.hashes[0] ?? new Uint8Array())).to.match(/^\d{4}-\d{4}-\d{4}$/)
  })

  it('replace their key under the old one, and the old one then opens nothing', async () => {
    const { arrivals, accept } = disk()
    const { store, udp } = await startUdp(folder, accept)
    stops.push(async () => udp.stop())
    const card = await store.provision(CARD)
    const sensor = await startUdpSensor(folder, udp.port, card)
    stops.push(async () => sensor.stop())
    await sensor.push([heartRate(0)])
    await until('it is acknowledged', () => sensor.waiting === 0)
    await store.rotate('monitor')
    await store.rotate('monitor')
    let sequence = 1
    await until('the new key is in use', () => {
      void sensor.push([heartRate(sequence++)])
      return store.sensors[0]?.next === null
    })
    await until('all is acknowledged', () => sensor.waiting === 0)
    expect(store.find(card.handle)).to.equal(undefined)
    const current = store.sensors[0]?.current.handle ?? new Uint8Array()
    expect(toHex(current)).not.to.equal(toHex(card.handle))
    expect(sequences(arrivals)).to.deep.equal(Array.from({ length: arrivals.length }, (_, i) => i))
  })

  it('take nothing from a sensor that was revoked', async () => {
    const { arrivals, accept } = disk()
    const { store, udp } = await startUdp(folder, accept)
    stops.push(async () => udp.stop())
    const sensor = await startUdpSensor(folder, udp.port, await store.provision(CARD))
    stops.push(async () => sensor.stop())
    await sensor.push([heartRate(0)])
    await until('it is acknowledged', () => sensor.waiting === 0)
    await store.revoke('monitor')
    udp.forget('monitor')
    await sensor.push([heartRate(1)])
    await until('it tried again', () => (udp.refused['LINK_NOT_AUTHENTICATED'] ?? 0) > 0)
    expect(sensor.waiting).to.equal(1)
    expect(arrivals.length).to.equal(1)
  })

  it('do not grow the gateway when its disk stands still', async () => {
    const { store, intake, udp } = await startUdp(folder, async () => new Promise(() => undefined), 0, 8)
    stops.push(async () => udp.stop())
    const sensor = await startUdpSensor(folder, udp.port, await store.provision(CARD), { maxWaiting: 50 })
    stops.push(async () => sensor.stop())
    for (let i = 0; i < 50; i++) await sensor.push([heartRate(i)])
    await expectCode('LINK_QUEUE_FULL', async () => sensor.push([heartRate(50)]))
    await until('frames were turned away', () => (udp.refused['LINK_BUSY'] ?? 0) > 20)
    expect(intake.waiting).to.be.at.most(8 + 64)
  })

  it('survive garbage from anywhere', async () => {
    const { arrivals, accept } = disk()
    const { store, udp } = await startUdp(folder, accept)
    stops.push(async () => udp.stop())
    const stranger = createSocket('udp4')
    stops.push(async () => new Promise(resolve => stranger.close(() => resolve())))
    for (let i = 0; i < 2000; i++) {
      const bytes = random(1 + (i % 1300))
      bytes[0] = 0x10 + (i % 8)
      stranger.send(bytes, udp.port, '127.0.0.1')
    }
    const sensor = await startUdpSensor(folder, udp.port, await store.provision(CARD))
    stops.push(async () => sensor.stop())
    await sensor.push([heartRate(0)])
    await until('it is acknowledged', () => sensor.waiting === 0)
    expect(arrivals.length).to.equal(1)
  })
})

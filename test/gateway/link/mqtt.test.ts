import { connect as tlsConnect, type TLSSocket } from 'node:tls'
import { expect } from 'chai'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { join } from 'node:path'
import { encodeMessage } from '#core/link/message.ts'
import { downTopic, identityOf, upTopic } from '#core/link/topic.ts'
import { createMqttBroker, type MqttBroker } from '#gateway/adapters/mqtt-broker.ts'
import { readSensorFile, writeSensorFile } from '#gateway/link/credential-file.ts'
import { openDeviceStore, type DeviceStore } from '#gateway/link/device-store.ts'
import { createIntake, type LinkArrival } from '#gateway/link/intake.ts'
import { openCounters } from '#gateway/link/marks-file.ts'
import { createMqttCarrier } from '#gateway/link/mqtt-carrier.ts'
import { createLinkSensor, type LinkSensor } from '#gateway/link/sensor.ts'
import { pskClient } from '#gateway/link/tls-psk.ts'
import type { SensorCard } from '#core/link/provisioning.ts'
import { random } from '#test/gateway/fresh.ts'
import { clock, freshFolder, heartRate, log, p, STORE_KEY, until } from '#test/gateway/link/world.ts'

const HOST = '127.0.0.1'
const CARD = { device: 'monitor', suite: 1, udp: '', mqtt: '' } as const

describe('sensors over MQTT', function () {
  this.timeout(60_000)
  let folder: string
  let store: DeviceStore
  let broker: MqttBroker
  let arrivals: LinkArrival[]
  let accept: (arrival: LinkArrival) => Promise<void>
  const stops: (() => Promise<unknown>)[] = []

  beforeEach(async () => {
    const { path, remove } = await freshFolder()
    folder = path
    stops.push(remove)
    store = await openDeviceStore({ p, random }, { path: join(folder, 'sensors'), key: STORE_KEY })
    arrivals = []
    accept = arrival => Promise.resolve(void arrivals.push(arrival))
    const intake = createIntake({ accept: async arrival => accept(arrival), clock }, { capacity: 256 })
    broker = createMqttBroker({ clock, log, store, intake }, { host: HOST, port: 0 })
    await broker.start()
    stops.push(async () => broker.stop())
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
  })

  async function sensorOf(card?: SensorCard): Promise<LinkSensor> {
    const path = join(folder, 'sensor')
    if (card != null) await writeSensorFile(path, { card, secret: new Uint8Array(), next: null })
    const file = await readSensorFile(path)
    if (file == null) throw new Error('The sensor has no card.')
    const counters = await openCounters(p, join(folder, 'marks'))
    const carrier = createMqttCarrier({ host: HOST, port: broker.port, path, file })
    const sensor = createLinkSensor({ clock, carrier, counters }, { maxWaiting: 10_000 })
    await sensor.start()
    stops.push(async () => sensor.stop().then(async () => counters.close()))
    return sensor
  }

  /** A client that does as it likes; resolves when the broker has let it in or turned it away. */
  async function client(
    access: { handle: Uint8Array; psk: Uint8Array },
    options: IClientOptions = {}
  ): Promise<MqttClient | undefined> {
    const all: IClientOptions & ReturnType<typeof pskClient> = {
      protocol: 'mqtts',
      host: HOST,
      port: broker.port,
      clientId: identityOf(access.handle),
      protocolVersion: 4,
      reconnectPeriod: 0,
      keepalive: 30,
      ...pskClient(access),
      ...options
    }
    const made = mqtt.connect(all)
    made.on('error', () => undefined)
    stops.push(async () => made.endAsync(true))
    return new Promise(resolve => {
      made.once('connect', () => resolve(made))
      made.once('close', () => resolve(undefined))
    })
  }

  const ended = async (of: MqttClient): Promise<void> => until('the connection is ended', () => !of.connected)
  const readings = (number: number): Buffer =>
    Buffer.from(encodeMessage({ kind: 'readings', number, previous: null, readings: [heartRate(number)] }))

  it('hand on each reading once and in order', async () => {
    const sensor = await sensorOf(await store.provision(CARD))
    for (let i = 0; i < 500; i++) await sensor.push([heartRate(i)])
    await until('all is acknowledged', () => sensor.waiting === 0)
    const sequences = arrivals.flatMap(({ readings: all }) => all.map(({ sequence }) => sequence))
    expect(sequences).to.deep.equal(Array.from({ length: 500 }, (_, i) => i))
    expect(broker.refused).to.deep.equal({})
  })

  it('speak TLS 1.3 with X25519 and a suite of SHA-256, and no other way', async () => {
    const card = await store.provision(CARD)
    const socketOf = async (options: object): Promise<TLSSocket | string> =>
      new Promise(resolve => {
        const socket = tlsConnect({ host: HOST, port: broker.port, ...pskClient(card), ...options }, () =>
          resolve(socket)
        )
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
        stops.push(async () => Promise.resolve(socket.destroy()))
      })
    const socket = await socketOf({})
    if (typeof socket === 'string') throw new Error(socket)
    expect(socket.getProtocol()).to.equal('TLSv1.3')
    expect(socket.getCipher().name).to.be.oneOf(['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'])
    expect(socket.getEphemeralKeyInfo()).to.include({ type: 'ECDH', name: 'X25519' })
    expect(await socketOf({ ciphers: 'TLS_AES_256_GCM_SHA384' })).to.be.a('string')
    expect(await socketOf({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'PSK' })).to.be.a('string')
    expect(await socketOf({ ecdhCurve: 'P-256' })).to.be.a('string')
    // An identity that is not known and one with another key end alike.
    const stranger = await socketOf(pskClient({ handle: random(16), psk: random(32) }))
    const wrongKey = await socketOf(pskClient({ handle: card.handle, psk: random(32) }))
    expect(stranger).to.be.a('string').and.to.equal(wrongKey)
  })

  it('are acknowledged only when the reading is durable', async () => {
    let release: () => void = () => undefined
    const durable = new Promise<void>(resolve => (release = resolve))
    accept = async arrival => {
      arrivals.push(arrival)
      await durable
    }
    const sensor = await sensorOf(await store.provision(CARD))
    await sensor.push([heartRate(0)])
    await until('it is being taken', () => arrivals.length === 1)
    expect(sensor.acknowledged).to.equal(0)
    release()
    await until('it is acknowledged', () => sensor.acknowledged === 1)
    expect(arrivals.length).to.equal(1)
  })

  it('are turned away when they do what is not theirs to do', async () => {
    const card = await store.provision(CARD)
    const other = await store.provision({ ...CARD, device: 'other' })
    const identity = identityOf(card.handle)
    const attempts: [string, (of: MqttClient) => void][] = [
      ['LINK_FOREIGN_TOPIC', of => of.publish(upTopic(identityOf(other.handle)), readings(1), { qos: 1 })],
      ['LINK_FOREIGN_TOPIC', of => of.publish('$SYS/uptime', 'x', { qos: 1 })],
      ['LINK_RETAINED', of => of.publish(upTopic(identity), readings(1), { qos: 1, retain: true })],
      ['LINK_QUALITY_OF_SERVICE', of => of.publish(upTopic(identity), readings(1), { qos: 2 })],
      ['LINK_MESSAGE_TRUNCATED', of => of.publish(upTopic(identity), '', { qos: 1 })],
      ['LINK_MESSAGE_MALFORMED', of => of.publish(upTopic(identity), Buffer.from([0xff]), { qos: 1 })],
      ['LINK_TOO_LARGE', of => of.publish(upTopic(identity), Buffer.alloc(16_385), { qos: 1 })],
      ['LINK_TOO_LARGE', of => of.publish(upTopic(identity), Buffer.alloc(200_000), { qos: 0 })]
    ]
    for (const [why, misbehave] of attempts) {
      const before = broker.refused[why] ?? 0
      const of = await client(card)
      if (of == null) throw new Error(`No connection for ${why}.`)
      misbehave(of)
      await ended(of)
      expect(broker.refused[why], why).to.equal(before + 1)
    }
    expect(arrivals).to.deep.equal([])
  })

  it('may not come as another, leave a will or a session, or listen to others', async () => {
    const card = await store.provision(CARD)
    const other = await store.provision({ ...CARD, device: 'other' })
    expect(await client(card, { clientId: identityOf(other.handle) })).to.equal(undefined)
    expect(await client(card, { clean: false })).to.equal(undefined)
    expect(
      await client(card, {
        will: { topic: upTopic(identityOf(card.handle)), payload: Buffer.from('x'), qos: 1, retain: false }
      })
    ).to.equal(undefined)
    expect(broker.refused).to.include({ LINK_CLIENT_ID: 1, LINK_SESSION: 1, LINK_WILL: 1 })
    const of = await client(card)
    for (const topic of ['#', 'salus/1/+/up', downTopic(identityOf(other.handle)), '$SYS/#']) {
      const granted = await of?.subscribeAsync(topic, { qos: 1 }).catch(() => 'refused')
      expect(granted === 'refused' || (Array.isArray(granted) && granted[0]?.qos === 128), topic).to.equal(true)
    }
    expect(of?.connected).to.equal(true)
  })

  it('replace their key under the old one, and the old one then opens nothing', async () => {
    const card = await store.provision(CARD)
    const sensor = await sensorOf(card)
    await store.rotate('monitor')
    let sequence = 0
    await until('the new key is in use', () => {
      void sensor.push([heartRate(sequence++)])
      return store.sensors[0]?.next === null
    })
    await until('all is acknowledged', () => sensor.waiting === 0)
    expect(store.find(card.handle)).to.equal(undefined)
    expect(await client(card)).to.equal(undefined)
  })

  it('are gone once revoked', async () => {
    const card = await store.provision(CARD)
    const of = await client(card)
    await store.revoke('monitor')
    broker.forget('monitor')
    if (of != null) await ended(of)
    expect(await client(card)).to.equal(undefined)
    expect(broker.connections).to.equal(0)
  })

  it('that try too often wait, and hold nobody else up', async () => {
    const card = await store.provision(CARD)
    for (let i = 0; i < 12; i++) expect(await client({ ...card, psk: random(32) })).to.equal(undefined)
    expect(broker.refused['LINK_TOO_MANY']).to.be.greaterThan(0)
    const other = await store.provision({ ...CARD, device: 'other' })
    expect(await client(other)).not.to.equal(undefined)
  })
})

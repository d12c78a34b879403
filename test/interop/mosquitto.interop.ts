import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { encodeMessage, type LinkMessage } from '#core/link/message.ts'
import { identityOf, upTopic } from '#core/link/topic.ts'
import { createMosquittoLink } from '#gateway/adapters/mosquitto.ts'
import { openDeviceStore, type DeviceStore } from '#gateway/link/device-store.ts'
import { createIntake, type LinkArrival } from '#gateway/link/intake.ts'
import { openCounters } from '#gateway/link/marks-file.ts'
import { createMqttCarrier } from '#gateway/link/mqtt-carrier.ts'
import { createLinkSensor } from '#gateway/link/sensor.ts'
import { mosquittoAclFile, mosquittoPskFile, pskClient } from '#gateway/link/tls-psk.ts'
import { random } from '#test/gateway/fresh.ts'
import { clock, freshFolder, heartRate, log, p, STORE_KEY, until } from '#test/gateway/link/world.ts'

const PROGRAM = process.env['SALUS_TEST_MOSQUITTO'] ?? 'mosquitto'
const LIBRARIES = process.env['SALUS_TEST_MOSQUITTO_LIBRARIES'] ?? ''
const HOST = '127.0.0.1'

describe('sensors and a gateway at Mosquitto', function () {
  this.timeout(60_000)
  const stops: (() => Promise<unknown>)[] = []
  let folder: string
  let store: DeviceStore
  let port: number
  const gateway = { handle: random(16), psk: random(32) }

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, HOST)
    await once(server, 'listening')
    const address = server.address()
    await new Promise<void>(resolve => server.close(() => resolve()))
    return typeof address === 'object' && address != null ? address.port : 0
  }

  async function isListening(): Promise<boolean> {
    return new Promise(resolve => {
      const socket: Socket = connect(port, HOST, () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
  }

  async function startMosquitto(): Promise<ChildProcess> {
    const child = spawn(PROGRAM, ['-c', join(folder, 'mosquitto.conf')], {
      stdio: 'ignore',
      env: LIBRARIES === '' ? process.env : { ...process.env, LD_LIBRARY_PATH: LIBRARIES }
    })
    while (child.exitCode == null && !(await isListening())) await pause(50)
    if (child.exitCode != null) throw new Error('Mosquitto did not start.')
    return child
  }

  beforeEach(async () => {
    const fresh = await freshFolder()
    folder = fresh.path
    stops.push(fresh.remove)
    store = await openDeviceStore({ p, random }, { path: join(folder, 'sensors'), key: STORE_KEY })
    await store.provision({ device: 'monitor', suite: 1, udp: '', mqtt: '' })
    await store.provision({ device: 'other', suite: 1, udp: '', mqtt: '' })
    port = await freePort()
    const accesses = [gateway, ...store.sensors.map(({ current }) => current)]
    await writeFile(join(folder, 'psk'), mosquittoPskFile(accesses))
    await writeFile(join(folder, 'acl'), mosquittoAclFile(identityOf(gateway.handle)))
    const configuration = [
      `listener ${String(port)} ${HOST}`,
      'psk_hint salus',
      `psk_file ${join(folder, 'psk')}`,
      `acl_file ${join(folder, 'acl')}`,
      'use_identity_as_username true',
      'tls_version tlsv1.3',
      'max_packet_size 16640',
      'retain_available false',
      'max_queued_messages 100000',
      // It would change to a user of its own, who cannot read these files.
      ...(process.getuid?.() === 0 ? ['user root'] : [])
    ]
    await writeFile(join(folder, 'mosquitto.conf'), `${configuration.join('\n')}\n`)
    await chmod(folder, 0o755)
    const child = await startMosquitto()
    stops.push(async () => {
      const gone = once(child, 'exit')
      child.kill()
      await gone
    })
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
  })

  const access = (i: number): { handle: Uint8Array; psk: Uint8Array } => store.sensors[i]?.current ?? gateway

  async function client(as: { handle: Uint8Array; psk: Uint8Array }): Promise<MqttClient | undefined> {
    const options: IClientOptions & ReturnType<typeof pskClient> = {
      protocol: 'mqtts',
      host: HOST,
      port,
      clientId: identityOf(as.handle),
      protocolVersion: 4,
      reconnectPeriod: 0,
      ...pskClient(as)
    }
    const made = mqtt.connect(options)
    made.on('error', () => undefined)
    stops.push(async () => made.endAsync(true))
    return new Promise(resolve => {
      made.once('connect', () => resolve(made))
      made.once('close', () => resolve(undefined))
    })
  }

  async function startGateway(arrivals: LinkArrival[]): Promise<() => Promise<void>> {
    const intake = createIntake(
      { accept: arrival => Promise.resolve(void arrivals.push(arrival)), clock },
      { capacity: 256 }
    )
    const link = createMosquittoLink({ log, store, intake }, { host: HOST, port, access: gateway })
    await link.start()
    await until('the gateway is connected', () => link.isConnected)
    return async () => link.stop()
  }

  it('carry each reading over TLS 1.3 with pre-shared keys, also those sent while the gateway is away', async () => {
    const arrivals: LinkArrival[] = []
    const stopFirst = await startGateway(arrivals)
    const path = join(folder, 'sensor')
    const card = { ...access(0), suite: 1, device: 'monitor', udp: '', mqtt: '', gatewayKey: new Uint8Array() } as const
    const counters = await openCounters(p, join(folder, 'marks'))
    const file = { card, secret: new Uint8Array(), next: null }
    const sensor = createLinkSensor(
      { clock, counters, carrier: createMqttCarrier({ host: HOST, port, path, file }) },
      { maxWaiting: 1000 }
    )
    await sensor.start()
    stops.push(async () => sensor.stop().then(async () => counters.close()))
    for (let i = 0; i < 200; i++) await sensor.push([heartRate(i)])
    await until('all arrived', () => arrivals.length === 200)
    await stopFirst()
    for (let i = 200; i < 250; i++) await sensor.push([heartRate(i)])
    await until('Mosquitto has them', () => sensor.waiting === 0)
    stops.push(await startGateway(arrivals))
    await until('the rest arrived', () => arrivals.length === 250)
    const sequences = arrivals.flatMap(({ readings }) => readings.map(({ sequence }) => sequence))
    expect(sequences).to.deep.equal(Array.from({ length: 250 }, (_, i) => i))
    expect(new Set(arrivals.map(({ device }) => device))).to.deep.equal(new Set(['monitor']))
  })

  it('turn a wrong key away, and hand on nothing under another’s topic', async () => {
    expect(await client({ ...access(0), psk: random(32) })).to.equal(undefined)
    const arrivals: LinkArrival[] = []
    stops.push(await startGateway(arrivals))
    const other = await client(access(1))
    await other?.publishAsync(upTopic(identityOf(access(0).handle)), Buffer.from('x'), { qos: 1 })
    await other?.publishAsync(upTopic(identityOf(access(1).handle)), Buffer.from([0xff]), { qos: 1 })
    const listened: string[] = []
    other?.on('message', topic => listened.push(topic))
    await other?.subscribeAsync('#').catch(() => undefined)
    const monitor = await client(access(0))
    await monitor?.publishAsync(upTopic(identityOf(access(0).handle)), Buffer.from([0xff]), { qos: 1 })
    // Behind all of them comes one that is good: what came before it was not handed on.
    const good: LinkMessage = { kind: 'readings', number: 0, previous: null, readings: [heartRate(7)] }
    await monitor?.publishAsync(upTopic(identityOf(access(0).handle)), Buffer.from(encodeMessage(good)), { qos: 1 })
    await until('the good one arrived', () => arrivals.length > 0)
    expect(arrivals.map(({ readings }) => readings.map(({ sequence }) => sequence))).to.deep.equal([[7]])
    expect(listened).to.deep.equal([])
  })
})

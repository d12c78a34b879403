/**
 * Sensor links: authenticated frames a second on one core, handshakes, and messages acknowledged a second over both profiles.
 * Yardsticks in the same run: the bare cipher for frames, an open aedes without TLS, rules or decoding for MQTT.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import mqtt, { type IClientOptions } from 'mqtt'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import { encodeReading } from '#core/batch/reading.ts'
import { createReceiver, createSender, openFrame, sealFrame } from '#core/link/chain.ts'
import { createInitiator } from '#core/link/initiator.ts'
import { decodeMessage, encodeMessage, type SensorReading } from '#core/link/message.ts'
import { decodePacket } from '#core/link/packet.ts'
import { createResponder } from '#core/link/responder.ts'
import { identityOf, upTopic } from '#core/link/topic.ts'
import { createMqttBroker } from '#gateway/adapters/mqtt-broker.ts'
import { createUdpLink } from '#gateway/adapters/udp.ts'
import { openJournal } from '#gateway/journal.ts'
import { openDeviceStore, type DeviceStore } from '#gateway/link/device-store.ts'
import { createIntake, type Accept } from '#gateway/link/intake.ts'
import { openCounters } from '#gateway/link/marks-file.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'
import { createLinkSensor } from '#gateway/link/sensor.ts'
import { pskClient } from '#gateway/link/tls-psk.ts'
import { createUdpCarrier } from '#gateway/link/udp-carrier.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { createLog } from '#node/log.ts'
import type { Bench } from '#scripts/bench/report.ts'

const p = { ...nativePrimitives, ...nativeLinkPrimitives }
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const clock = (): number => Date.now()
const log = createLog({ name: 'bench', level: 'silent' })
const HOST = '127.0.0.1'
const METRICS = [HEART_RATE, PULSE_RATE, RESPIRATORY_RATE, OXYGEN_SATURATION]
const READINGS_PER_MESSAGE = 8

/** Runs the benchmark. */
export async function measureLink(bench: Bench): Promise<void> {
  const rounds = bench.quick ? 3 : 7
  measureFrames(bench, rounds)
  measureHandshakes(bench, rounds)
  const folder = await mkdtemp(join(tmpdir(), 'salus-bench-link-'))
  try {
    await measureMqtt(bench, folder, rounds)
    await measureUdp(bench, folder, rounds)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function readingsFor(number: number): SensorReading[] {
  return Array.from({ length: READINGS_PER_MESSAGE }, (_, i) => ({
    stream: { ...(METRICS[i % METRICS.length] ?? HEART_RATE), exponent: 0 },
    sequence: 2 * number + Math.floor(i / METRICS.length),
    deviceTimeMs: 1000 * number,
    mantissa: 60 + ((number + i) % 40),
    flags: 0
  }))
}

function messageFor(number: number): Uint8Array {
  return encodeMessage({ kind: 'readings', number, previous: null, readings: readingsFor(number) })
}

/** Open, replay window, decode; against the cipher alone over the same bytes. */
function measureFrames(bench: Bench, rounds: number): void {
  bench.progress('frames of a sensor')
  const count = bench.quick ? 10_000 : 40_000
  const taken: number[] = []
  const opened: number[] = []
  const bare: number[] = []
  const message = messageFor(1)
  for (let round = 0; round < rounds; round++) {
    const sender = createSender(p, 1, new Uint8Array(32).fill(1), 0)
    const frames = Array.from({ length: count }, () => sealFrame(p, sender, message, 0))
    const take = (decodes: boolean): number => {
      const receiver = createReceiver(p, new Uint8Array(32).fill(1))
      return perSecond(count, () => {
        for (const frame of frames) {
          const packet = decodePacket(frame)
          const result = packet?.type === 'frame' ? openFrame(p, receiver, packet, frame) : undefined
          if (result == null || 'refused' in result) throw new Error('A frame was refused.')
          if (decodes) decodeMessage(result.plaintext)
        }
      })
    }
    taken.push(take(true))
    opened.push(take(false))
    const aead = p.aead(new Uint8Array(32).fill(2))
    const [nonce, aad] = [new Uint8Array(12), new Uint8Array(12)]
    const sealed = aead.seal(nonce, message, aad)
    bare.push(perSecond(count, () => frames.forEach(() => aead.open(nonce, sealed, aad))))
  }
  const versus = { name: 'ChaCha20-Poly1305 alone', samples: bare }
  const goal = '>= 20000 a core'
  const meets = (value: number): boolean => value >= 20_000
  bench.figure({ metric: 'link.frames', samples: taken, unit: 'frames of 8 readings/CPU-s', versus, goal, meets })
  bench.figure({ metric: 'link.frames-not-decoded', samples: opened, unit: 'frames/CPU-s', versus })
  bench.figure({ metric: 'link.frame', samples: [28 + message.length], unit: 'B' })
}

/** Both ends of a handshake, with cookie. */
function measureHandshakes(bench: Bench, rounds: number): void {
  bench.progress('handshakes of sensors')
  const count = bench.quick ? 100 : 400
  for (const suite of [1, 3] as const) {
    const samples: number[] = []
    let bytes = 0
    for (let round = 0; round < rounds; round++) {
      const secrets = { handle: random(16), psk: random(32), config: random(32), suite }
      const find = (): typeof secrets & { device: string; attempt: number } => ({ ...secrets, device: 'a', attempt: 0 })
      const responder = createResponder({ p, random, find })
      const initiator = createInitiator({ p, random }, secrets)
      samples.push(
        perSecond(count, () => {
          for (let i = 1; i <= count; i++) {
            bytes = 0
            // Each from an address of its own: the limit per address is not what is measured.
            const from = `a${String(i)}|1`
            let packet: Uint8Array | undefined = initiator.hello(i)
            while (packet != null) {
              const outcome = responder.receive(packet, from, 0)
              if (outcome.type !== 'reply') throw new Error('A hello was refused.')
              bytes += packet.length + outcome.bytes.length
              const next = initiator.receive(outcome.bytes, 0)
              packet = next.type === 'send' ? next.bytes : undefined
            }
          }
        })
      )
    }
    bench.figure({ metric: `link.handshakes.suite-${String(suite)}`, samples, unit: 'both ends/CPU-s' })
    bench.figure({ metric: `link.handshake.suite-${String(suite)}`, samples: [bytes], unit: 'B' })
  }
}

const ROUND_MS = 400

/** Messages that a client has acknowledged a second, wall-clock, with a window of 64. */
async function acknowledgedPerSecond(
  options: IClientOptions,
  topic: string,
  first: number,
  forMs: number
): Promise<number> {
  const client = mqtt.connect({ ...options, protocolVersion: 4, reconnectPeriod: 0 })
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
  })
  let number = first
  let acknowledged = 0
  const startMs = performance.now()
  const lane = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      await client.publishAsync(topic, Buffer.from(messageFor(number++)), { qos: 1 })
      acknowledged++
    }
  }
  await Promise.all(Array.from({ length: 64 }, lane))
  const rate = (1000 * acknowledged) / (performance.now() - startMs)
  await client.endAsync()
  return rate
}

/** The gateway's broker beside an open aedes; client, broker and all in this one process. */
async function measureMqtt(bench: Bench, folder: string, rounds: number): Promise<void> {
  bench.progress('messages over MQTT')
  const store = await openStore(join(folder, 'mqtt'))
  const card = await store.provision({ device: 'monitor', suite: 1, udp: '', mqtt: '' })
  const intake = createIntake({ accept: () => Promise.resolve(), clock }, { capacity: 1024 })
  const broker = createMqttBroker({ clock, log, store, intake }, { host: HOST, port: 0 })
  await broker.start()
  const plain = await Aedes.createBroker()
  const server = createServer(socket => void plain.handle(socket))
  server.listen(0, HOST)
  await once(server, 'listening')
  const address = server.address()
  const plainPort = typeof address === 'object' ? (address?.port ?? 0) : 0
  const identity = identityOf(card.handle)
  const secure = { protocol: 'mqtts', host: HOST, port: broker.port, clientId: identity, ...pskClient(card) } as const
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const a = await acknowledgedPerSecond(secure, upTopic(identity), 1e6 * round, ROUND_MS)
    const b = await acknowledgedPerSecond({ host: HOST, port: plainPort }, upTopic(identity), 0, ROUND_MS)
    if (round === 0) continue
    ours.push(a)
    theirs.push(b)
  }
  await broker.stop()
  await new Promise<void>(resolve => plain.close(() => resolve()))
  await new Promise<void>(resolve => server.close(() => resolve()))
  const versus = { name: 'aedes without TLS, rules and decoding', samples: theirs }
  bench.figure({ metric: 'link.mqtt-acknowledged', samples: ours, unit: 'messages of 8 readings/s', versus })
}

/** Eight sensors over UDP to a journal on the disk, all in this one process: acknowledged means synced. */
async function measureUdp(bench: Bench, folder: string, rounds: number): Promise<void> {
  bench.progress('messages over UDP')
  const journal = await openJournal(join(folder, 'journal'))
  const accept: Accept = async ({ readings }) => {
    await Promise.all(readings.map(async reading => journal.append(encodeReading(reading))))
  }
  const store = await openStore(join(folder, 'udp'))
  const intake = createIntake({ accept, clock }, { capacity: 1024 })
  const udp = createUdpLink({ p, random, clock, log, store, intake }, { host: HOST, port: 0 })
  await udp.start()
  const sensors = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const card = await store.provision({ device: `device-${String(i)}`, suite: 1, udp: '', mqtt: '' })
      const counters = await openCounters(p, join(folder, `marks-${String(i)}`))
      const file = { card, secret: new Uint8Array(), next: null }
      const at = { host: HOST, port: udp.port, path: join(folder, `sensor-${String(i)}`), file }
      const carrier = createUdpCarrier({ p, random, clock, counters }, at)
      let wake: () => void = () => undefined
      const sensor = createLinkSensor({ clock, carrier, counters }, { maxWaiting: 256, onAcknowledged: () => wake() })
      await sensor.start()
      const push = async (number: number): Promise<void> => {
        while (sensor.waiting >= 128) await new Promise<void>(resolve => (wake = resolve))
        await sensor.push(readingsFor(number))
      }
      return { sensor, counters, push }
    })
  )
  const samples: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const before = sum(sensors.map(({ sensor }) => sensor.acknowledged))
    const startMs = performance.now()
    await Promise.all(
      sensors.map(async ({ push }) => {
        for (let i = 0; performance.now() - startMs < ROUND_MS; i++) await push(i)
      })
    )
    const rate =
      (1000 * (sum(sensors.map(({ sensor }) => sensor.acknowledged)) - before)) / (performance.now() - startMs)
    if (round > 0) samples.push(rate)
  }
  for (const { sensor, counters } of sensors) {
    await sensor.stop()
    await counters.close()
  }
  await udp.stop()
  await journal.close()
  bench.figure({ metric: 'link.udp-durable', samples, unit: 'messages of 8 readings/s' })
}

async function openStore(path: string): Promise<DeviceStore> {
  return openDeviceStore({ p, random }, { path, key: new Uint8Array(32) })
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}

/** Items per second of processor time: other work on the machine does not count. */
function perSecond(count: number, work: () => unknown): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (1e6 * count) / (user + system)
}

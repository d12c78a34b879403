/** A gateway's link and reference sensors on this machine, for tests: real sockets, real files. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { HEART_RATE } from '#core/batch/metrics.ts'
import type { SensorReading } from '#core/link/message.ts'
import type { LinkPrimitives } from '#core/link/primitives.ts'
import type { SensorCard } from '#core/link/provisioning.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { createUdpLink, type UdpLink } from '#gateway/adapters/udp.ts'
import { openDeviceStore, type DeviceStore } from '#gateway/link/device-store.ts'
import { createIntake, type Accept, type Intake } from '#gateway/link/intake.ts'
import { openCounters } from '#gateway/link/marks-file.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'
import { createLinkSensor, type LinkSensor } from '#gateway/link/sensor.ts'
import { readSensorFile, writeSensorFile } from '#gateway/link/credential-file.ts'
import { createUdpCarrier } from '#gateway/link/udp-carrier.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { createLog } from '#node/log.ts'
import { random } from '#test/gateway/fresh.ts'

export const p: LinkPrimitives & Primitives = { ...nativePrimitives, ...nativeLinkPrimitives }
export const clock = (): number => Date.now()
export const log = createLog({ name: 'test', level: 'silent' })
export const STORE_KEY: Uint8Array = new Uint8Array(32).fill(8)
const HOST = '127.0.0.1'

/** A folder that goes with the test. */
export async function freshFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'salus-link-'))
  return { path, remove: async () => rm(path, { recursive: true, force: true }) }
}

/** Waits until something holds. */
export async function until(what: string, holds: () => boolean, timeoutMs = 30_000): Promise<void> {
  const endMs = Date.now() + timeoutMs
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`Waited in vain until ${what}.`)
    await pause(10)
  }
}

/** The gateway's side over UDP. */
export interface TestLink {
  readonly store: DeviceStore
  readonly intake: Intake
  readonly udp: UdpLink
}

/** Starts the gateway's side over a folder; `port` 0 takes a free one. */
export async function startUdp(folder: string, accept: Accept, port = 0, capacity = 256): Promise<TestLink> {
  const store = await openDeviceStore({ p, random }, { path: join(folder, 'sensors'), key: STORE_KEY })
  const intake = createIntake({ accept, clock }, { capacity })
  const udp = createUdpLink({ p, random, clock, log, store, intake }, { host: HOST, port })
  await udp.start()
  return { store, intake, udp }
}

/** Starts a reference sensor over a folder; the card is written there at first. */
export async function startUdpSensor(
  folder: string,
  port: number,
  card?: SensorCard,
  { secret = new Uint8Array(), maxWaiting = 10_000 }: { secret?: Uint8Array; maxWaiting?: number } = {}
): Promise<LinkSensor & { readonly hashes: Uint8Array[] }> {
  const path = join(folder, 'sensor')
  if (card != null) await writeSensorFile(path, { card, secret, next: null })
  const file = await readSensorFile(path)
  if (file == null) throw new Error('The sensor has no card.')
  const counters = await openCounters(p, join(folder, 'marks'))
  const hashes: Uint8Array[] = []
  const carrier = createUdpCarrier(
    { p, random, clock, counters },
    { host: HOST, port, path, file, onSession: hash => void hashes.push(hash) }
  )
  const sensor = createLinkSensor({ clock, carrier, counters }, { maxWaiting })
  await sensor.start()
  return {
    ...sensor,
    get waiting() {
      return sensor.waiting
    },
    get acknowledged() {
      return sensor.acknowledged
    },
    hashes,
    stop: async () => {
      await sensor.stop()
      await counters.close()
    }
  }
}

/** The heart rate number `sequence`. */
export function heartRate(sequence: number): SensorReading {
  return {
    stream: { ...HEART_RATE, exponent: 0 },
    sequence,
    deviceTimeMs: 1000 * sequence,
    mantissa: 60 + (sequence % 40),
    flags: 0
  }
}

/** `node scripts/sensor.ts`: the reference sensor, which speaks both profiles of the link (docs/specs/sensor-link.md). */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { HEART_RATE, OXYGEN_SATURATION, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { confirmationDigits } from '#core/link/provisioning.ts'
import type { SensorReading } from '#core/link/message.ts'
import { readSensorFile, writeSensorFile } from '#gateway/link/credential-file.ts'
import { openCounters } from '#gateway/link/marks-file.ts'
import { createMqttCarrier } from '#gateway/link/mqtt-carrier.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'
import { readSensorCode } from '#gateway/link/provision.ts'
import { createLinkSensor } from '#gateway/link/sensor.ts'
import { createUdpCarrier } from '#gateway/link/udp-carrier.ts'
import { nativePrimitives } from '#node/crypto/native.ts'

const HELP = `Usage: node scripts/sensor.ts --data DIR [--code FILE] [--profile udp|mqtt] [--seconds N] [--rate N]

Plays a monitor that sends made-up heart rate, respiratory rate and oxygen saturation, and keeps each reading until the gateway has it
on its disk. --code names a file with the text that "salus gateway provision" showed; it is needed once. Prints the digits to compare
with the gateway's, and at the end how many messages were acknowledged.

  --rate N     messages a second, 1 if not given
  --seconds N  for how long, 60 if not given; then it waits until all are acknowledged`

const MAX_WAITING = 100_000
const p = { ...nativePrimitives, ...nativeLinkPrimitives }
const random: Random = length => new Uint8Array(randomBytes(length))
const clock = (): number => Date.now()

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    code: { type: 'string' },
    profile: { type: 'string', default: 'udp' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false }
  }
})
if (values.help || values.data == null || (values.profile !== 'udp' && values.profile !== 'mqtt')) {
  console.log(HELP)
  process.exitCode = values.help ? 0 : 2
} else await run(values.data, values.profile)

async function run(data: string, profile: 'udp' | 'mqtt'): Promise<void> {
  const path = join(data, 'sensor')
  await mkdir(data, { recursive: true, mode: 0o700 })
  if (values.code != null) {
    const card = readSensorCode(p, await readFile(values.code, 'utf8'))
    await writeSensorFile(path, { card, secret: new Uint8Array(), next: null })
  }
  const file = await readSensorFile(path)
  if (file == null) throw new Error('This sensor was not provisioned yet: name its code with --code.')
  const place = file.card[profile]
  const at = {
    host: place.slice(0, place.lastIndexOf(':')),
    port: Number(place.slice(place.lastIndexOf(':') + 1)),
    path,
    file
  }
  const counters = await openCounters(p, join(data, 'marks'))
  const onSession = (hash: Uint8Array): void => console.log(`compare with the gateway: ${confirmationDigits(p, hash)}`)
  const carrier =
    profile === 'udp' ? createUdpCarrier({ p, random, clock, counters }, { ...at, onSession }) : createMqttCarrier(at)
  const sensor = createLinkSensor({ clock, carrier, counters }, { maxWaiting: MAX_WAITING })
  await sensor.start()
  const count = Number(values.seconds) * Number(values.rate)
  const startedMs = clock()
  for (let i = 0; i < count; i++) {
    await sensor.push(readingsAt(i, clock()))
    const waitMs = startedMs + (1000 * (i + 1)) / Number(values.rate) - clock()
    if (waitMs > 0) await pause(waitMs)
  }
  while (sensor.waiting > 0) await pause(20)
  console.log(`${String(sensor.acknowledged)} messages acknowledged`)
  await sensor.stop()
  await counters.close()
}

/** One message: three signs of somebody who is well, and does not exist. */
function readingsAt(sequence: number, deviceTimeMs: number): SensorReading[] {
  const wave = Math.sin(sequence / 20)
  return [
    { stream: { ...HEART_RATE, exponent: 0 }, mantissa: Math.round(72 + 6 * wave) },
    { stream: { ...RESPIRATORY_RATE, exponent: 0 }, mantissa: Math.round(15 + 2 * wave) },
    { stream: { ...OXYGEN_SATURATION, exponent: 0 }, mantissa: Math.round(97 + wave) }
  ].map(reading => ({ ...reading, sequence, deviceTimeMs, flags: 0 }))
}

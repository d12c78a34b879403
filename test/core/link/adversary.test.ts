/**
 * Somebody between sensors and gateway who duplicates, holds back, reorders, flips, swaps and redirects. `SALUS_LINK_FRAMES=1000000`
 * runs the number that the requirement names.
 */
import { expect } from 'chai'
import { toHex } from '#core/encoding/bytes.ts'
import { EPOCH_MS } from '#core/link/chain.ts'
import { connect, testGateway, testSensor, type TestSensor } from '#test/core/link/ends.ts'
import { seededRandom } from '#test/seeded-random.ts'

const FRAMES = Number(process.env['SALUS_LINK_FRAMES'] ?? 20_000)
const KEPT = 512

describe('a gateway with an adversary before it', function () {
  this.timeout(FRAMES)

  it(`takes no message twice, and none that its sensor did not send, in ${String(FRAMES)} frames`, () => {
    const gateway = testGateway('adversary')
    const random = seededRandom('the adversary')
    const below = (limit: number): number => {
      const [a = 0, b = 0, c = 0] = random(3)
      return ((a << 16) | (b << 8) | c) % limit
    }
    const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T
    let nowMs = 1_700_000_000_000
    const sensors = Array.from({ length: 8 }, (_, i) =>
      testSensor(gateway, `device ${String(i)}`, ((i % 3) + 1) as 1 | 2 | 3)
    )
    const attempts = new Map<TestSensor, number>()
    const confirmed = new Map<TestSensor, number>()
    const reconnect = (sensor: TestSensor): void => {
      const attempt = (attempts.get(sensor) ?? 0) + 1
      attempts.set(sensor, attempt)
      // The limit per address is not what is tested here.
      nowMs += 10_000
      expect(connect(gateway, sensor, attempt, nowMs)).to.equal(true)
    }
    for (const sensor of sensors) reconnect(sensor)

    const captured: { bytes: Uint8Array; from: string }[] = []
    const taken = new Set<string>()
    const counts = { sent: 0, accepted: 0, replays: 0, forgeries: 0 }
    const deliver = (bytes: Uint8Array, from: string): void => {
      const outcome = gateway.responder.receive(bytes, from, nowMs)
      if (outcome.type !== 'message') return
      const { device, handle } = outcome.session.credential
      const text = Buffer.from(outcome.plaintext).toString()
      if (!text.startsWith(`${device}:`)) counts.forgeries++
      if (taken.has(text)) counts.replays++
      taken.add(text)
      counts.accepted++
      if (!outcome.isFirst) return
      const sensor = sensors.find(each => each.credential.device === device)
      if (sensor != null) confirmed.set(sensor, outcome.session.attempt)
      gateway.credentials.set(toHex(handle), { ...outcome.session.credential, attempt: outcome.session.attempt })
    }

    for (let frames = 0; frames < FRAMES; frames++) {
      const action = below(100)
      const sensor = pick(sensors)
      if (action < 40 || captured.length === 0) {
        const text = Buffer.from(`${sensor.credential.device}:${String(counts.sent++)}`)
        const bytes = sensor.initiator.seal(text, nowMs)
        if (bytes == null) throw new Error('The sensor has no session.')
        const item = { bytes, from: sensor.from }
        captured[captured.length < KEPT ? captured.length : below(KEPT)] = item
        // Some are held back, to come later or never.
        if (below(4) > 0) deliver(item.bytes, item.from)
        continue
      }
      const { bytes, from } = pick(captured)
      if (action < 60) deliver(bytes, from)
      else if (action < 70) deliver(bytes, `203.0.113.7|${String(below(65_536))}`)
      else if (action < 85) {
        const flipped = bytes.slice()
        const at = below(flipped.length)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8))
        deliver(flipped, from)
      } else if (action < 97) {
        // The frame of one under the header of another, wholly or in its session only.
        const swapped = pick(captured).bytes.slice()
        swapped.set(bytes.subarray(0, action < 91 ? 4 : 12))
        deliver(swapped, from)
      } else if (action < 98) nowMs += EPOCH_MS / 4
      else if (action === 98) reconnect(sensor)
      else deliver(random(below(120)), from)
    }
    expect(counts).to.include({ replays: 0, forgeries: 0 })
    expect(counts.accepted).to.be.greaterThan(FRAMES / 10)
    expect(confirmed.size).to.equal(sensors.length)
    expect(gateway.responder.sessions).to.be.at.most(2 * sensors.length)
  })
})

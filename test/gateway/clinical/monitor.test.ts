import { expect } from 'chai'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, type Metric } from '#core/batch/metrics.ts'
import { READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import { openAlert } from '#core/clinical/alert.ts'
import { shippedPack } from '#core/clinical/packs/shipped.ts'
import { makeWatchGroup, openWatchGroup, unsealAlert } from '#core/clinical/watch-group.ts'
import { deriveKemKeyPair } from '#core/crypto/hpke.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { createMonitor, type MonitorEvent, type MonitorInit, type Monitor } from '#gateway/clinical/monitor.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const START_MS = 1_700_000_000_000
const bytes32 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const SIGN_SEED = bytes32(5)

interface Bedside {
  readonly monitor: Monitor
  readonly events: MonitorEvent[]
  readonly clock: { nowMs: number }
}

function bedside(change: Partial<MonitorInit> = {}, nowMs = START_MS): Bedside {
  const events: MonitorEvent[] = []
  const clock = { nowMs }
  const monitor = createMonitor(
    { p, random: seededRandom('monitor'), clock: () => clock.nowMs },
    {
      ...{ gateway: bytes32(2), patient: bytes32(3), signSeed: SIGN_SEED, pack: shippedPack(p), order: null },
      ...{ chain: [2, 1], watch: null, onEvent: event => events.push(event), ...change }
    }
  )
  return { monitor, events, clock }
}

function reading(metric: Metric, mantissa: number | null, flags = 0): Reading {
  return {
    stream: { device: 'monitor', ...metric, exponent: 0 },
    ...{ sequence: 0, deviceTimeMs: 0, receivedAtMs: START_MS, mantissa },
    flags: mantissa === null ? flags | READING_FLAGS.absent : flags
  }
}

/** A value each second for so long. */
function feed({ monitor, clock }: Bedside, seconds: number, ...readings: Reading[]): void {
  for (let i = 0; i < seconds; i++, clock.nowMs += 1000) monitor.take(readings)
}

const alerts = ({ events }: Bedside): [string, string][] =>
  events.flatMap(each => (each.type === 'alert' ? [[each.rule, each.kind]] : []))

describe('monitor', () => {
  it('hands out a signed alert before it returns', () => {
    const one = bedside()
    feed(one, 15, reading(OXYGEN_SATURATION, 88))
    expect(alerts(one)).to.deep.equal([])
    one.monitor.take([reading(OXYGEN_SATURATION, 88)])
    const [first] = one.events.flatMap(each => (each.type === 'alert' ? [each] : []))
    if (first == null) expect.fail('no alert')
    const { alert, id } = openAlert(p, first.signed, p.ed25519PublicKey(SIGN_SEED))
    expect([alert.rule, toHex(id)]).to.deep.equal(['saturation.red', toHex(first.id)])
    expect(alert.pack).to.deep.equal(shippedPack(p).digest)
    expect(first.sealed).to.equal(null)
  })

  it('seals alerts to those who watch', async () => {
    const member = await deriveKemKeyPair(2, bytes32(41))
    const gateway = { id: bytes32(2), signSeed: SIGN_SEED }
    const { bytes, key } = await makeWatchGroup(p, seededRandom('group'), gateway, [member])
    const one = bedside({ watch: key })
    one.monitor.technical('diskNearlyFull', true)
    const opened = await openWatchGroup(p, bytes, p.ed25519PublicKey(SIGN_SEED), [member])
    const [alert] = one.events.flatMap(each => (each.type === 'alert' ? [each] : []))
    expect(unsealAlert(p, alert?.sealed ?? new Uint8Array(), opened)).to.deep.equal(alert?.signed)
  })

  it('marks artefacts and keeps their values', () => {
    const one = bedside()
    const [zero, good] = one.monitor.take([reading(HEART_RATE, 0), reading(PULSE_RATE, 70)])
    expect(zero).to.deep.include({ mantissa: 0, flags: READING_FLAGS.artefact | READING_FLAGS.leadOff })
    expect(good?.flags).to.equal(0)
  })

  it('raises no alarm of what a device had stored, nor of what the rules do not know', () => {
    const one = bedside()
    feed(one, 60, reading(OXYGEN_SATURATION, 80, READING_FLAGS.historical), reading({ ...HEART_RATE, mdc: 1 }, 0))
    expect(one.events).to.deep.equal([])
  })

  it('goes on from its snapshot: what was active still is, and the time between is a gap', () => {
    const before = bedside()
    feed(before, 30, reading(OXYGEN_SATURATION, 88))
    const after = bedside({ snapshot: before.monitor.snapshot() }, START_MS + 600_000)
    after.monitor.resume()
    expect(alerts(after)).to.deep.equal([['gap', 'onset']])
    const red = shippedPack(p).pack.alarms.findIndex(each => each.name === 'saturation.red')
    expect(after.monitor.state.conditions[red]?.phase).to.equal('active')
    feed(after, 40, reading(OXYGEN_SATURATION, 97))
    expect(alerts(after)).to.deep.include.members([['saturation.red', 'cleared']])
    const sequences = [...before.events, ...after.events].flatMap(each =>
      each.type === 'alert' ? [openAlert(p, each.signed, p.ed25519PublicKey(SIGN_SEED)).alert.sequence] : []
    )
    expect(sequences).to.deep.equal(sequences.map((_, i) => i + 1))
  })

  it('killed between a snapshot and an alert, comes to the same alert again from the journaled readings', () => {
    const whole = bedside()
    feed(whole, 10, reading(OXYGEN_SATURATION, 88))
    const kept = whole.monitor.snapshot()
    feed(whole, 10, reading(OXYGEN_SATURATION, 88))
    const again = bedside({ snapshot: kept }, START_MS + 10_000)
    for (let second = 10; second < 20; second++)
      again.monitor.take([reading(OXYGEN_SATURATION, 88)], START_MS + 1000 * second)
    const own = (from: Bedside): string[] =>
      from.events.flatMap(each => (each.type === 'alert' ? [toHex(each.id)] : []))
    expect(own(whole)).to.have.length(2)
    expect(own(again)).to.deep.equal(own(whole))
  })

  it('tells of a clock that goes back', () => {
    const one = bedside()
    one.monitor.tick(START_MS + 10_000)
    one.monitor.tick(START_MS + 9500)
    expect(alerts(one)).to.deep.equal([])
    one.monitor.tick(START_MS)
    one.monitor.tick(START_MS + 11_000)
    expect(alerts(one)).to.deep.equal([
      ['clock.bad', 'onset'],
      ['clock.bad', 'cleared']
    ])
  })

  it('takes in what people do', () => {
    const one = bedside()
    feed(one, 20, reading(OXYGEN_SATURATION, 80))
    one.monitor.act({ type: 'acknowledge', rule: 'saturation.extreme', person: 0 })
    expect(alerts(one).at(-1)).to.deep.equal(['saturation.extreme', 'acknowledged'])
    expect(one.monitor.digest()).to.deep.equal(p.sha256(one.monitor.snapshot()))
  })

  it('refuses a damaged snapshot by code', async () => {
    const snapshot = bedside().monitor.snapshot()
    await expectCode('CLINICAL_STATE_TRUNCATED', () => bedside({ snapshot: snapshot.subarray(0, -1) }))
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { encodeEngine, decodeEngine, stateDigest } from '#core/clinical/engine-state-form.ts'
import { initialEngine, type Input, type Rules } from '#core/clinical/engine-state.ts'
import { CAUSES } from '#core/clinical/rule-pack.ts'
import { VITALS } from '#core/clinical/vital.ts'
import { toHex } from '#core/encoding/bytes.ts'
import {
  RULES,
  START_MS,
  alertsOf,
  openedAlerts,
  run,
  sample,
  someOrder,
  steady,
  time
} from '#test/core/clinical/fixtures.ts'

const alertIds = (events: ReturnType<typeof run>['events']): string[] =>
  events.flatMap(each => (each.type === 'alert' ? [toHex(each.id)] : []))

/** Anything that an engine can be told, a few seconds apart. */
const someInputs: fc.Arbitrary<Input[]> = fc
  .array(
    fc.record({
      kind: fc.integer({ min: 0, max: 12 }),
      vital: fc.constantFrom(...VITALS),
      value: fc.option(fc.integer({ min: 0, max: 150 }), { nil: null, freq: 8 }),
      waitMs: fc.integer({ min: -500, max: 20_000 }),
      cause: fc.constantFrom(...CAUSES),
      rule: fc.constantFrom(...RULES.trusted.pack.alarms.map(each => each.name)),
      isBad: fc.boolean()
    }),
    { minLength: 1, maxLength: 80 }
  )
  .map(steps => {
    let atMs = START_MS
    return steps.map(({ kind, vital, value, waitMs, cause, rule, isBad }): Input => {
      atMs += waitMs
      if (kind === 12) return { type: 'technical', atMs, cause, isBad }
      if (kind === 11) return { type: 'acknowledge', atMs, rule, person: 0 }
      if (kind === 10) return { type: 'off', atMs, rule, forMs: 60_000 }
      if (kind === 9) return { type: 'pause', atMs, forMs: 60_000 }
      return {
        type: 'sample',
        device: 'd',
        vital,
        milli: value === null ? null : value * 1000,
        flags: value === null ? 1 : 0,
        atMs
      }
    })
  })

describe('clinical engine', () => {
  it('raises an alarm after its delay and ends it after its time of good values', () => {
    const inputs = [
      ...steady('oxygenSaturation', 0, 10, 97),
      ...steady('oxygenSaturation', 10, 40, 90),
      ...steady('oxygenSaturation', 40, 100, 94)
    ]
    const alerts = alertsOf(run(inputs).events).filter(([, rule]) => rule === 'saturation.red')
    expect(alerts).to.deep.equal([
      [25, 'saturation.red', 'onset'],
      [70, 'saturation.red', 'cleared']
    ])
  })

  it('raises none for a shorter spell, nor one that a missing value keeps apart from nothing', () => {
    const inputs = [...steady('oxygenSaturation', 0, 15, 90), ...steady('oxygenSaturation', 15, 80, 97)]
    expect(alertsOf(run(inputs).events)).to.deep.equal([])
  })

  it('raises one for a single value that nothing follows, once its delay is over', () => {
    expect(alertsOf(run([sample('systolic', 0, 85), time(60)]).events)).to.deep.include([
      15,
      'systolic.low.red',
      'onset'
    ])
  })

  it('tells of each score with what is missing of it, and of a sensor that fell silent', () => {
    const { events } = run([sample('respiratoryRate', -1, 26), sample('respiratoryRate', 0, 26), time(120)])
    const scores = events.flatMap(each => (each.type === 'score' && each.name === 'news2' ? [each] : []))
    expect(scores.map(each => [each.atMs - START_MS, each.total, each.risk, each.missing])).to.deep.equal([
      [-1000, 3, 2, 126],
      [60_001, 0, 0, 127]
    ])
    expect(alertsOf(events)).to.deep.include([75.001, 'respiration.silent', 'onset'])
  })

  it('raises the alarm of a score when its delay is over, whatever comes at that moment', () => {
    const inputs = [sample('systolic', 0, 85), ...steady('oxygenSaturation', 0, 40, 80)]
    const due = inputs.flatMap(input => [time((input.atMs - START_MS) / 1000), input])
    for (const each of [inputs, due]) {
      expect(alertsOf(run(each).events)).to.deep.include([15, 'news2.medium', 'onset'])
    }
  })

  it('does not expect every minute what is charted once an hour', () => {
    const inputs = [0, 1, 2, 3].flatMap(hour => [
      sample('heartRate', 3600 * hour, 70),
      sample('respiratoryRate', 3600 * hour, 16)
    ])
    expect(alertsOf(run(inputs).events)).to.deep.equal([])
  })

  it('an alert tells of value, limit, scores and evidence, and names the one before', () => {
    const inputs = [...steady('respiratoryRate', 0, 20, 28), ...steady('heartRate', 20, 40, 140)]
    const [first, second] = openedAlerts(run(inputs).events)
    expect(first).to.deep.include({
      sequence: 1,
      rule: 'respiration.high.red',
      vital: 'respiratoryRate',
      milli: 28_000
    })
    expect(first).to.deep.include({ limitMilli: 25_000, sinceMs: START_MS, atMs: START_MS + 15_000, kind: 'onset' })
    expect(first?.scores[0]).to.deep.equal({ name: 'news2', total: 3, risk: 2, missing: 126 })
    expect(first?.evidence[0]?.values).to.have.length(16)
    expect(first?.previous).to.deep.equal(new Uint8Array(32))
    expect(second?.sequence).to.equal(2)
    expect(second?.previous).to.deep.equal(
      RULES.p.sha256(
        run(inputs).events.flatMap(each => (each.type === 'alert' ? [each.bytes] : []))[0] ?? new Uint8Array()
      )
    )
  })

  it('an extreme alarm stays until someone acknowledges it', () => {
    const inputs = [...steady('oxygenSaturation', 0, 20, 80), ...steady('oxygenSaturation', 20, 100, 98)]
    const before = run(inputs)
    expect(alertsOf(before.events).filter(([, rule]) => rule === 'saturation.extreme')).to.deep.equal([
      [15, 'saturation.extreme', 'onset']
    ])
    expect(before.state.signal).to.deep.include({ priority: 'high' })
    const act: Input = { type: 'acknowledge', atMs: START_MS + 101_000, rule: 'saturation.extreme', person: 1 }
    const after = run([act], RULES, before.state)
    expect(openedAlerts(after.events)).to.have.lengthOf(1)
    expect(openedAlerts(after.events)[0]).to.deep.include({ kind: 'cleared', person: 1 })
    expect(after.state.signal.priority).to.equal(null)
  })

  it('scale 2 is for a patient with an order, while it counts', () => {
    const inputs = steady('oxygenSaturation', 0, 20, 89)
    expect(alertsOf(run(inputs).events).map(([, rule]) => rule)).to.include('saturation.red')
    const rules: Rules = { ...RULES, order: someOrder({ scale: 2 }) }
    expect(alertsOf(run(inputs, rules).events)).to.deep.equal([])
    const ended: Rules = { ...RULES, order: someOrder({ scale: 2, untilMs: START_MS + 1000 }) }
    expect(alertsOf(run(inputs, ended).events).map(([, rule]) => rule)).to.include('saturation.red')
  })

  it('replayed, gives every alert again bit for bit, from the start or from any snapshot', () => {
    fc.assert(
      fc.property(someInputs, fc.nat(), (inputs, cut) => {
        const whole = run(inputs)
        expect(alertIds(run(inputs).events)).to.deep.equal(alertIds(whole.events))
        const at = cut % inputs.length
        const first = run(inputs.slice(0, at))
        const kept = decodeEngine(RULES, encodeEngine(first.state))
        expect(kept).to.deep.equal(first.state)
        const second = run(inputs.slice(at), RULES, kept)
        expect([...alertIds(first.events), ...alertIds(second.events)]).to.deep.equal(alertIds(whole.events))
        expect(stateDigest(RULES.p, second.state)).to.deep.equal(stateDigest(RULES.p, whole.state))
      }),
      { numRuns: 150 }
    )
  })

  it('does not mind how often time alone is told', () => {
    fc.assert(
      fc.property(someInputs, inputs => {
        const often = inputs.flatMap(input => [{ type: 'time', atMs: input.atMs } as const, input])
        expect(run(often).events).to.deep.equal(run(inputs).events)
      }),
      { numRuns: 100 }
    )
  })

  it('counts time that goes back as the last', () => {
    const { state } = run([sample('heartRate', 100, 70), sample('heartRate', 50, 71)])
    expect(state.nowMs).to.equal(START_MS + 100_000)
    expect(initialEngine(RULES).nowMs).to.equal(0)
  })
})

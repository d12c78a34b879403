import { expect } from 'chai'
import { dueOf, observe, QUIET, type Condition, type Seen } from '#core/clinical/condition.ts'
import type { Event, Input, Signal } from '#core/clinical/engine-state.ts'
import { beginEscalation, escalate } from '#core/clinical/escalation.ts'
import type { AlarmRule } from '#core/clinical/rule-pack.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { RULES, START_MS, alertsOf, bytes32, run, sample, steady, time } from '#test/core/clinical/fixtures.ts'

const at = (second: number): number => START_MS + 1000 * second
const acknowledge = (second: number, rule: string): Input => ({
  type: 'acknowledge',
  atMs: at(second),
  rule,
  person: 0
})
const deliveries = (events: readonly Event[]): [number, number, number][] =>
  events.flatMap(each => (each.type === 'deliver' ? [[(each.atMs - START_MS) / 1000, each.person, each.channel]] : []))
const signals = (events: readonly Event[]): [number, Signal['priority'], boolean][] =>
  events.flatMap(each => (each.type === 'signal' ? [[(each.atMs - START_MS) / 1000, each.priority, each.isUrged]] : []))

/** An alarm of medium priority from second 0 on. */
const PRESSURE = sample('systolic', 0, 225)

const RULE: AlarmRule = {
  ...{ name: 'test', priority: 'medium', delayMs: 2000, clearMs: 3000, isLatched: false, mayBeOff: true },
  test: { on: 'technical', cause: 'gap', vitals: [] }
}

/** Phase after each second's sight: b bad, g good, ? nothing that would tell. */
function phases(rule: AlarmRule, sights: string): string {
  let condition: Condition = QUIET
  return Array.from(sights, (sight, second) => {
    const seen: Seen = sight === 'b' ? 'bad' : sight === 'g' ? 'good' : 'unknown'
    condition = observe(rule, condition, { seen, missing: 0, nowMs: 1000 * second }).condition
    return condition.isGone ? 'G' : condition.phase.slice(0, 1)
  }).join('')
}

describe('alarm condition', () => {
  it('goes from pending to active after its delay, and ends after its time of good', () => {
    expect(phases(RULE, 'gbbbgggggg')).to.equal('ippaaaaiii')
    expect(phases(RULE, 'bbgbbb')).to.equal('ppippa')
    expect(phases(RULE, 'bbbggbgggg')).to.equal('ppaaaaaaai')
    expect(phases({ ...RULE, delayMs: 0, clearMs: 0 }, 'bgb')).to.equal('aia')
  })

  it('neither begins nor ends where nothing would tell', () => {
    expect(phases(RULE, 'b????b')).to.equal('pppppa')
    expect(phases(RULE, 'bbb??????')).to.equal('ppaaaaaaa')
    expect(phases(RULE, `b${'?'.repeat(62)}`).at(-1)).to.equal('i')
  })

  it('latched, stays until someone acknowledges it', () => {
    expect(phases({ ...RULE, isLatched: true }, 'bbbgggggbg')).to.equal('ppaaaaGGaa')
  })

  it('is due when its delay or its time of good is over', () => {
    const pending: Condition = { ...QUIET, phase: 'pending', sinceMs: 5000, badMs: 5000 }
    expect(dueOf(RULE, pending, 5000)).to.equal(7000)
    expect(dueOf(RULE, pending, 7000)).to.equal(65_001)
    expect(dueOf(RULE, { ...QUIET, phase: 'active', goodMs: 9000 }, 9000)).to.equal(12_000)
    expect(dueOf(RULE, QUIET, 0)).to.equal(Infinity)
  })
})

describe('alarms', () => {
  it('go to the next channel after T1 and to the next person after T2, until someone acknowledges', () => {
    const { events, state } = run([PRESSURE, time(82)])
    expect(deliveries(events).slice(0, 10)).to.deep.equal([
      ...[
        [15, 0, 0],
        [20, 0, 1],
        [25, 0, 0],
        [30, 0, 1],
        [35, 0, 0],
        [40, 0, 1]
      ],
      ...[
        [45, 1, 0],
        [50, 1, 0],
        [55, 1, 0],
        [60, 1, 0]
      ]
    ])
    expect(signals(events)).to.deep.equal([
      [15, 'medium', false],
      [45, 'medium', true]
    ])
    const after = run([acknowledge(83, 'systolic.high.red'), time(200)], RULES, state)
    expect(deliveries(after.events)).to.deep.equal([[83, 0, 0]])
    expect(signals(after.events)).to.deep.equal([[83, null, false]])
  })

  it('stay with a person who has confirmed until T2', () => {
    const { events, state } = run([PRESSURE, time(16)])
    const [alert] = events.flatMap(each => (each.type === 'alert' ? [each.id] : []))
    const confirm: Input = { type: 'confirm', atMs: at(16), alert: alert ?? bytes32(0), person: 0 }
    expect(deliveries(run([confirm, time(46)], RULES, state).events)).to.deep.equal([[45, 1, 0]])
    const stranger: Input = { ...confirm, alert: bytes32(9) }
    expect(deliveries(run([stranger, time(21)], RULES, state).events)).to.deep.equal([[20, 0, 1]])
  })

  it('of low priority are delivered once, and what is for information not at all', () => {
    const low = run([sample('temperature', 0, 39.5), time(300)])
    expect(deliveries(low.events)).to.deep.equal([[15, 0, 0]])
    const info = run([sample('respiratoryRate', 0, 23), sample('systolic', 0, 100), time(40)])
    const qsofa = info.events.find(each => each.type === 'alert' && each.rule === 'qsofa.positive')
    expect(qsofa).to.deep.include({ priority: 'info' })
  })

  it('remind of what was acknowledged and goes on', () => {
    const { events } = run([PRESSURE, time(16), acknowledge(20, 'systolic.high.red'), time(300)])
    const reminders = events.flatMap(each =>
      each.type === 'reminder' ? [[(each.atMs - START_MS) / 1000, each.why]] : []
    )
    expect(reminders).to.deep.equal([
      [140, 'acknowledged'],
      [260, 'acknowledged']
    ])
  })

  it('make no sound in a pause, which ends by itself', () => {
    const pause: Input = { type: 'pause', atMs: at(16), forMs: 3_600_000 }
    const { events } = run([PRESSURE, time(16), pause, time(140)])
    expect(signals(events)).to.deep.equal([
      [15, 'medium', false],
      [16, null, false],
      [136, 'medium', true]
    ])
    expect(deliveries(events).length).to.be.greaterThan(5)
  })

  it('sound in a pause all the same when nobody can be told', () => {
    const pause: Input = { type: 'pause', atMs: at(1), forMs: 60_000 }
    const down: Input = { type: 'technical', atMs: at(2), cause: 'alarmPath', isBad: true }
    const up: Input = { ...down, atMs: at(9), isBad: false }
    expect(signals(run([pause, down, up]).events)).to.deep.equal([
      [2, 'high', true],
      [9, null, false]
    ])
  })

  it('can be off only where the pack allows it, and for as long', () => {
    const off = (rule: string): Input => ({ type: 'off', atMs: at(0), rule, forMs: 8 * 3_600_000 })
    const fever = steady('temperature', 1, 40, 39.5)
    expect(alertsOf(run([off('temperature.high'), ...fever]).events)).to.deep.equal([])
    expect(
      alertsOf(run([off('systolic.low.red'), sample('systolic', 1, 80), time(40)]).events).map(([, rule]) => rule)
    ).to.include('systolic.low.red')
    const { events } = run([off('temperature.high'), sample('temperature', 1, 39.5), time(4 * 3600 + 20)])
    expect(alertsOf(events).filter(([, rule]) => rule === 'temperature.high')).to.deep.equal([
      [14_415, 'temperature.high', 'onset']
    ])
    const reminders = events.filter(each => each.type === 'reminder' && each.why === 'off')
    expect(reminders.length).to.equal(119)
  })

  it('what names no alarm changes nothing', () => {
    const { state } = run([PRESSURE, time(16)])
    const acts: Input[] = [
      acknowledge(17, 'nothing'),
      acknowledge(17, 'heart.low.red'),
      { type: 'off', atMs: at(17), rule: 'nothing', forMs: 1 }
    ]
    for (const act of acts) expect(alertsOf(run([act], RULES, state).events)).to.deep.equal([])
  })

  it('an escalation ends at the last person and goes on there', () => {
    const { timers } = ADULT_WARD
    let now = beginEscalation(0, bytes32(1), 0)
    for (let ms = 1000; ms <= 300_000; ms += 1000) now = escalate(timers, [1, 1, 2], now, ms)
    expect(now.person).to.equal(2)
    expect(now.sentMs).to.be.greaterThan(290_000)
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import type { Alarm } from '#core/consent/alarm.ts'
import { FRESH_S, judgeAlarm, type AlarmFacts, type StandingInstruction } from '#core/consent/standing.ts'

const NOW_S = 1_800_000_000
const GATEWAY = new Uint8Array(32).fill(1)
const crewOf = (n: number) => ({
  address: new Uint8Array(20).fill(n),
  bundle: new Uint8Array(),
  name: `crew ${String(n)}`
})
const INSTRUCTION: StandingInstruction = {
  ...{ gateways: [GATEWAY], crews: [crewOf(1), crewOf(2)], vitalsS: 3600, durationS: 7200 },
  ...{ perDay: 2, untilS: NOW_S + 1000 }
}
const ALARM: Alarm = { severity: 'high', atMs: NOW_S * 1000, crew: null, isRetracted: false }
const FACTS: AlarmFacts = { alarm: ALARM, writtenUnder: GATEWAY, openedAtS: [], nowS: NOW_S }
const why = (facts: Partial<AlarmFacts>, instruction: Partial<StandingInstruction> = {}): string => {
  const verdict = judgeAlarm({ ...INSTRUCTION, ...instruction }, { ...FACTS, ...facts })
  return verdict.isOpened ? verdict.crew.name : verdict.why
}
const alarm = (fields: Partial<Alarm>): Partial<AlarmFacts> => ({ alarm: { ...ALARM, ...fields } })

describe('judging an alarm by a standing instruction', () => {
  it('sends the crew that the alarm names, or the first', () => {
    expect(why({})).to.equal('crew 1')
    expect(why(alarm({ crew: new Uint8Array(20).fill(2) }))).to.equal('crew 2')
    expect(why(alarm({ crew: new Uint8Array(20).fill(3) }))).to.equal('crew-unknown')
  })

  it('means no alarm of others, of less weight, or taken back', () => {
    expect(why({ writtenUnder: null })).to.equal('not-meant')
    expect(why({ writtenUnder: new Uint8Array(32).fill(2) })).to.equal('not-meant')
    for (const severity of ['moderate', 'low'] as const) expect(why(alarm({ severity }))).to.equal('not-meant')
    expect(why(alarm({ isRetracted: true }))).to.equal('not-meant')
  })

  it('counts until its time is over, and no old or early alarm', () => {
    expect(why({}, { untilS: NOW_S })).to.equal('over')
    const at = (deltaS: number) => why(alarm({ atMs: (NOW_S + deltaS) * 1000 }))
    expect([at(-FRESH_S), at(-FRESH_S - 1), at(120), at(121)]).to.deep.equal(['crew 1', 'old', 'crew 1', 'old'])
  })

  it('opens so many times a day', () => {
    const day = 86_400
    expect(why({ openedAtS: [NOW_S - 10, NOW_S - day] })).to.equal('crew 1')
    expect(why({ openedAtS: [NOW_S - 10, NOW_S - day + 1] })).to.equal('too-often')
  })

  it('never opens anything that one of its conditions speaks against', () => {
    const facts = fc.record({
      severity: fc.constantFrom('high' as const, 'moderate' as const, 'low' as const),
      deltaS: fc.integer({ min: -2000, max: 2000 }),
      isRetracted: fc.boolean(),
      under: fc.option(fc.constantFrom(1, 2)),
      crew: fc.option(fc.integer({ min: 1, max: 3 })),
      opened: fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 4 })
    })
    fc.assert(
      fc.property(facts, ({ severity, deltaS, isRetracted, under, crew, opened }) => {
        const verdict = judgeAlarm(INSTRUCTION, {
          alarm: {
            ...{ severity, isRetracted, atMs: (NOW_S + deltaS) * 1000 },
            crew: crew == null ? null : new Uint8Array(20).fill(crew)
          },
          writtenUnder: under == null ? null : new Uint8Array(32).fill(under),
          openedAtS: opened.map(ago => NOW_S - ago),
          nowS: NOW_S
        })
        const holds =
          severity === 'high' &&
          !isRetracted &&
          under === 1 &&
          (crew == null || crew <= 2) &&
          deltaS >= -FRESH_S &&
          deltaS <= 120 &&
          opened.filter(ago => ago < 86_400).length < 2
        expect(verdict.isOpened).to.equal(holds)
      })
    )
  })
})

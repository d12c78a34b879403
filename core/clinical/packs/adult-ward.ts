/**
 * The pack that is shipped: adults on a ward, not in pregnancy. Delays, plausibility and validity are proposals to be confirmed by the
 * organisation that uses it; limits at three points are NEWS2's (docs/specs/rule-pack.md).
 */
import type { AlarmRule, AlarmTest, Priority, RulePack, VitalRule, ZeroMeaning } from '#core/clinical/rule-pack.ts'
import type { VitalCode } from '#core/clinical/vital.ts'
import { MEWS } from '#core/clinical/packs/mews.ts'
import { NEWS2 } from '#core/clinical/packs/news2.ts'
import { QSOFA } from '#core/clinical/packs/qsofa.ts'
import { SIRS } from '#core/clinical/packs/sirs.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const HEART: readonly VitalCode[] = ['heartRate', 'pulseRate']

interface VitalMore {
  zero?: ZeroMeaning
  slew?: number
  frozenMs?: number
  sigma?: number
  trend?: number
}

/** A vital sign: how long it counts, what is plausible, the most that it changes in a second, spread and trend in whole units. */
function vital(
  name: VitalCode,
  validMs: number,
  [least, most]: readonly [number, number],
  more: VitalMore = {}
): VitalRule {
  return {
    vital: name,
    validMs,
    minMilli: least * 1000,
    maxMilli: most * 1000,
    zero: more.zero ?? 'value',
    slewMilliPerS: 1000 * (more.slew ?? 0),
    frozenMs: more.frozenMs ?? 0,
    sigmaMilli: Math.round(1000 * (more.sigma ?? 0)),
    trendMilliPerHour: 1000 * (more.trend ?? 0)
  }
}

const RATE: VitalMore = { zero: 'missing', slew: 30, frozenMs: HOUR_MS, sigma: 2, trend: 20 }

const VITALS: readonly VitalRule[] = [
  vital('heartRate', MINUTE_MS, [20, 300], RATE),
  vital('pulseRate', MINUTE_MS, [20, 300], RATE),
  vital('respiratoryRate', MINUTE_MS, [0, 80], {
    zero: 'missingWithHeart',
    slew: 15,
    frozenMs: HOUR_MS,
    sigma: 1,
    trend: 6
  }),
  vital('oxygenSaturation', MINUTE_MS, [50, 100], { zero: 'missing', slew: 5, sigma: 0.5, trend: 4 }),
  vital('perfusionIndex', MINUTE_MS, [0, 100]),
  vital('oxygen', 12 * HOUR_MS, [0, 1]),
  vital('systolic', 4 * HOUR_MS, [40, 300], { zero: 'missing', sigma: 5, trend: 20 }),
  vital('diastolic', 4 * HOUR_MS, [20, 200], { zero: 'missing' }),
  vital('mean', 4 * HOUR_MS, [20, 250], { zero: 'missing' }),
  vital('temperature', 12 * HOUR_MS, [25, 44], { zero: 'missing', sigma: 0.1, trend: 1 }),
  vital('consciousness', 12 * HOUR_MS, [0, 4]),
  vital('comaScore', 12 * HOUR_MS, [3, 15])
]

function alarm(name: string, priority: Priority, test: AlarmTest, of: Partial<AlarmRule> = {}): AlarmRule {
  return { name, priority, delayMs: 15_000, clearMs: 30_000, isLatched: false, mayBeOff: false, test, ...of }
}

function limit(
  vitals: readonly VitalCode[],
  side: 'low' | 'high',
  at: number,
  more: { floor?: number; scale?: 0 | 1 | 2 } = {}
): AlarmTest {
  const floorMilli = more.floor == null ? null : more.floor * 1000
  return { on: 'limit', vitals, side, limitMilli: Math.round(at * 1000), floorMilli, scale: more.scale ?? 0 }
}

const technical = (cause: Extract<AlarmTest, { on: 'technical' }>['cause'], ...vitals: VitalCode[]): AlarmTest => ({
  on: 'technical',
  cause,
  vitals
})

const YELLOW: Partial<AlarmRule> = { mayBeOff: true }
const AT_ONCE: Partial<AlarmRule> = { delayMs: 0, clearMs: 0, mayBeOff: true }

/** Vital signs by the names that their rules have; a sensor of the first two lists is worn, the third is asked for now and then. */
const RATES: readonly (readonly [string, VitalCode])[] = [
  ['heart', 'heartRate'],
  ['pulse', 'pulseRate'],
  ['respiration', 'respiratoryRate']
]
const CONTINUOUS: typeof RATES = [...RATES, ['saturation', 'oxygenSaturation']]
const SPOT: typeof RATES = [
  ['systolic', 'systolic'],
  ['temperature', 'temperature'],
  ['consciousness', 'consciousness'],
  ['oxygen', 'oxygen']
]

const ALARMS: readonly AlarmRule[] = [
  alarm('saturation.extreme', 'high', limit(['oxygenSaturation'], 'low', 83), { isLatched: true }),
  alarm('saturation.red', 'medium', limit(['oxygenSaturation'], 'low', 91, { scale: 1 })),
  alarm('respiration.low.red', 'medium', limit(['respiratoryRate'], 'low', 8)),
  alarm('respiration.high.red', 'medium', limit(['respiratoryRate'], 'high', 25)),
  alarm('heart.low.red', 'medium', limit(HEART, 'low', 40)),
  alarm('heart.high.red', 'medium', limit(HEART, 'high', 131)),
  alarm('systolic.low.red', 'medium', limit(['systolic'], 'low', 90)),
  alarm('systolic.high.red', 'medium', limit(['systolic'], 'high', 220)),
  alarm('temperature.low.red', 'medium', limit(['temperature'], 'low', 35)),
  alarm('consciousness.red', 'medium', limit(['consciousness'], 'high', 1), { delayMs: 0 }),
  alarm('coma.red', 'medium', limit(['comaScore'], 'low', 14), { delayMs: 0 }),
  alarm('news2.high', 'high', { on: 'score', score: 'news2', fromRisk: 4 }, { isLatched: true }),
  alarm('news2.medium', 'medium', { on: 'score', score: 'news2', fromRisk: 3 }),
  alarm('qsofa.positive', 'info', { on: 'score', score: 'qsofa', fromRisk: 3 }),
  alarm('saturation', 'low', limit(['oxygenSaturation'], 'low', 93, { floor: 91, scale: 1 }), YELLOW),
  alarm('respiration.high', 'low', limit(['respiratoryRate'], 'high', 21, { floor: 25 }), YELLOW),
  alarm('heart.low', 'low', limit(HEART, 'low', 50, { floor: 40 }), YELLOW),
  alarm('heart.high', 'low', limit(HEART, 'high', 111, { floor: 131 }), YELLOW),
  alarm('systolic.low', 'low', limit(['systolic'], 'low', 100, { floor: 90 }), YELLOW),
  alarm('temperature.high', 'low', limit(['temperature'], 'high', 39.1), YELLOW),
  alarm('heart.drift', 'low', { on: 'drift', vital: 'heartRate' }, AT_ONCE),
  alarm('respiration.drift', 'low', { on: 'drift', vital: 'respiratoryRate' }, AT_ONCE),
  alarm('saturation.drift', 'low', { on: 'drift', vital: 'oxygenSaturation' }, AT_ONCE),
  alarm('heart.lost', 'high', technical('heartSignalLost', ...HEART), { delayMs: 10_000, clearMs: 5000 }),
  ...CONTINUOUS.map(([name, each]) =>
    alarm(`${name}.silent`, 'medium', technical('silent', each), { clearMs: 0, mayBeOff: true })
  ),
  ...SPOT.map(([name, each]) => alarm(`${name}.due`, 'low', technical('silent', each), AT_ONCE)),
  alarm('rates.disagree', 'low', technical('ratesDisagree'), { delayMs: MINUTE_MS, mayBeOff: true }),
  ...RATES.map(([name, each]) => alarm(`${name}.frozen`, 'low', technical('frozen', each), AT_ONCE)),
  alarm('link.lost', 'medium', technical('linkLost'), { delayMs: 5000, clearMs: 5000 }),
  alarm('clock.bad', 'low', technical('clockBad'), AT_ONCE),
  alarm('disk.full', 'medium', technical('diskNearlyFull'), AT_ONCE),
  alarm('keys.failed', 'medium', technical('keyStore'), AT_ONCE),
  alarm('path.down', 'high', technical('alarmPath'), { delayMs: 0, clearMs: 0 }),
  alarm('gap', 'medium', technical('gap'), { ...AT_ONCE, isLatched: true })
]

/** The pack. */
export const ADULT_WARD: RulePack = {
  name: 'adult-ward',
  version: 1,
  scores: [NEWS2, MEWS, QSOFA, SIRS],
  vitals: VITALS,
  gate: { settleMs: 5000, differMilli: 5000, differMs: 5000, doubtMs: MINUTE_MS, perfusionMilli: 300 },
  adapt: { weightMilli: 50, slackMilli: 500, boundMilli: 5000, widthMilli: 3000, leastSlots: 36 },
  alarms: ALARMS,
  timers: {
    confirmMs: 5000,
    respondMs: 30_000,
    remindMs: 2 * MINUTE_MS,
    maxPauseMs: 2 * MINUTE_MS,
    maxOffMs: 4 * HOUR_MS
  }
}

/**
 * Clinical figures of the gateway: NEWS2 against a second reading of its chart, what it says of 4,000 stays, alarm onsets on bedside
 * recordings beside the plain rule of 15 and 30 seconds, and how long an alert takes inside the monitor.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import type { Reading } from '#core/batch/reading.ts'
import { MAX_ALERT_BYTES, type Alert } from '#core/clinical/alert.ts'
import { initialEngine, type Rules } from '#core/clinical/engine-state.ts'
import { step } from '#core/clinical/engine.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { NEWS2 } from '#core/clinical/packs/news2.ts'
import { shippedPack } from '#core/clinical/packs/shipped.ts'
import { encodeRulePack } from '#core/clinical/rule-pack-form.ts'
import { scoreOf } from '#core/clinical/score.ts'
import { trustPack } from '#core/clinical/signed-rule-pack.ts'
import { createMonitor } from '#gateway/clinical/monitor.ts'
import { decodeCanonical } from '#core/encoding/canonical.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { episodesOf, isCaught, onsetsOf, playRecording, readBidmc } from '#scripts/bench/gateway/clinical-bidmc.ts'
import { scoreStays } from '#scripts/bench/gateway/clinical-icu.ts'
import { readMimicNumerics } from '#scripts/bench/gateway/clinical-mimic.ts'
import { news2ByChart, randomVector, seededBelow } from '#scripts/bench/gateway/clinical-oracle.ts'
import { percentile, type Bench } from '#scripts/bench/report.ts'

const bytes32 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const RULES: Rules = {
  ...{ p, gateway: bytes32(2), patient: bytes32(3), trusted: shippedPack(p), order: null, chain: [2, 1] }
}
const DATA = fileURLToPath(new URL('../../../../shared/data/gateway', import.meta.url))

/** Onsets per hour that the plain rule counts (gateway reference, 1.5), by the rule that answers to it. */
const PLAIN: readonly (readonly [string, string, number])[] = [
  ['saturation', 'SpO2<=93', 9],
  ['saturation.red', 'SpO2<=91', 2],
  ['respiration.high.red', 'RR>=25', 6],
  ['respiration.low.red', 'RR<=8', 4],
  ['heart.high', 'HR>=111', 3]
]

/** Runs the figures. */
export async function runClinical(bench: Bench): Promise<void> {
  measureScore(bench)
  await measureMonitor(bench)
  if (!existsSync(DATA)) {
    bench.progress('skipped: no reference data')
    return
  }
  await measureOnsets(bench)
  await measureLeadOff(bench)
  await measureStays(bench)
}

function measureScore(bench: Bench): void {
  const count = bench.quick ? 100_000 : 1_000_000
  bench.progress(`NEWS2 of ${String(count)} vectors`)
  const below = seededBelow(7)
  let unequal = 0
  for (let i = 0; i < count; i++) {
    const values = randomVector(below)
    const scale = below(2) === 0 ? 1 : 2
    const { total, worst } = scoreOf(NEWS2, values, scale)
    const chart = news2ByChart(values, scale)
    if (total !== chart.total || worst !== chart.worst) unequal++
  }
  bench.figure({
    metric: `clinical.news2.unequal-of-${String(count)}`,
    samples: [unequal],
    unit: 'vectors',
    goal: '0',
    meets: value => value === 0
  })
}

/** Alerts under 5,000 readings a second of 50 devices: every tenth batch of 10 ms ends with a value that raises or ends an alarm. */
async function measureMonitor(bench: Bench): Promise<void> {
  bench.progress('alerts under 5,000 readings a second')
  const alarms = ADULT_WARD.alarms.map(rule => ({ ...rule, delayMs: 0, clearMs: 0, isLatched: false }))
  const pack = trustPack(p, encodeRulePack({ ...ADULT_WARD, alarms }))
  const latencies: number[] = []
  let startedMs = 0
  const monitor = createMonitor(
    { p, random: length => crypto.getRandomValues(new Uint8Array(length)), clock: Date.now },
    {
      ...{ gateway: bytes32(2), patient: bytes32(3), signSeed: bytes32(5), pack, order: null, chain: [2, 1] },
      watch: { gateway: bytes32(2), group: bytes32(6), secret: bytes32(7) },
      onEvent: event => {
        if (event.type === 'alert') latencies.push(performance.now() - startedMs)
      }
    }
  )
  const metrics = [HEART_RATE, PULSE_RATE, RESPIRATORY_RATE, OXYGEN_SATURATION]
  const value = [70, 70, 16, 97]
  const batches = (bench.quick ? 5 : 30) * 100
  const begun = performance.now()
  const cpu = process.cpuUsage()
  for (let batch = 0; batch < batches; batch++) {
    const waitMs = begun + 10 * batch - performance.now()
    if (waitMs > 0) await pause(waitMs)
    const readings = Array.from({ length: 50 }, (_, device): Reading => {
      const kind = (batch + device) % 4
      const isLast = device === 49 && batch % 10 === 0
      const metric = isLast ? OXYGEN_SATURATION : (metrics[kind] ?? HEART_RATE)
      const mantissa = isLast && batch % 20 === 0 ? 90 : isLast ? 97 : (value[kind] ?? 70)
      const stream = { device: isLast ? 'oximeter' : `monitor${String(device)}`, ...metric, exponent: 0 }
      return { stream, sequence: batch, deviceTimeMs: 10 * batch, receivedAtMs: Date.now(), mantissa, flags: 0 }
    })
    startedMs = performance.now()
    monitor.take(readings)
  }
  const { user, system } = process.cpuUsage(cpu)
  const figure = (metric: string, samples: readonly number[], goal: number): void => {
    bench.figure({ metric, samples, unit: 'ms', goal: `< ${String(goal)} ms`, meets: each => each < goal })
  }
  figure('clinical.alert.p50', [percentile(latencies, 50)], 1)
  figure('clinical.alert.p99', [percentile(latencies, 99)], 5)
  figure('clinical.alert.max', [Math.max(...latencies)], 50)
  bench.figure({ metric: 'clinical.cpu-per-reading', samples: [(user + system) / (50 * batches)], unit: 'µs' })
}

async function measureOnsets(bench: Bench): Promise<void> {
  bench.progress('alarm onsets on BIDMC')
  const recordings = await readBidmc(`${DATA}/bidmc`)
  const played = recordings.map(({ name, recording }) => playRecording(RULES, name, recording))
  const hours = played.reduce((sum, each) => sum + each.hours, 0)
  for (const [rule, metric, plain] of PLAIN) {
    bench.figure({
      metric: `clinical.onsets.${metric}`,
      samples: [onsetsOf(played, [rule]) / hours],
      unit: '/h',
      versus: { name: '15 s + 30 s', samples: [plain / hours] },
      goal: '<= 15 s + 30 s',
      meets: (_, ratio) => (ratio ?? 2) <= 1
    })
  }
  const red = ADULT_WARD.alarms.flatMap(({ name, test }) =>
    test.on === 'limit' && test.floorMilli == null && name.endsWith('.red') ? [{ name, test }] : []
  )
  let missed = 0
  let episodes = 0
  for (const each of played) {
    for (const { name, test } of red) {
      const rows = each.rows[test.vitals[0] ?? 'heartRate'] ?? []
      for (const episode of episodesOf(rows, { side: test.side, milli: test.limitMilli }, 15_000)) {
        episodes++
        if (!isCaught(each, [name], episode)) missed++
      }
    }
  }
  bench.figure({
    metric: `clinical.episodes.missed-of-${String(episodes)}`,
    samples: [missed],
    unit: 'episodes',
    goal: '0 of those of 15 s at three points',
    meets: value => value === 0
  })
}

async function measureLeadOff(bench: Bench): Promise<void> {
  let state = initialEngine(RULES)
  let alarms = 0
  for (const input of await readMimicNumerics(`${DATA}/mimic_wfdb/s25047`)) {
    const next = step(RULES, state, input)
    state = next.state
    for (const each of next.events) if (each.type === 'alert' && isOfZero(each.bytes)) alarms++
  }
  bench.figure({
    metric: 'clinical.heart-rate-0.alarms',
    samples: [alarms],
    unit: 'alarms',
    goal: '0',
    meets: n => n === 0
  })
}

function isOfZero(alert: Uint8Array): boolean {
  const { milli, vital } = decodeCanonical(alert, { area: 'ALERT', maxBytes: MAX_ALERT_BYTES }) as Alert
  return milli === 0 && (vital === 'heartRate' || vital === 'pulseRate')
}

async function measureStays(bench: Bench): Promise<void> {
  bench.progress('NEWS2 of 4,000 stays')
  const figures = await scoreStays(`${DATA}/icu2012`)
  bench.figure({ metric: 'clinical.icu2012.evaluations', samples: [figures.evaluations], unit: 'scores' })
  bench.figure({
    metric: 'clinical.icu2012.mean-auroc',
    samples: [figures.meanArea],
    unit: '',
    goal: '0.759 ± 0.001',
    meets: value => Math.abs(value - 0.759) <= 0.001
  })
  bench.figure({ metric: 'clinical.icu2012.max-auroc', samples: [figures.maxArea], unit: '' })
}

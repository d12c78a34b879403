import { expect } from 'chai'
import { OXYGEN_SATURATION, SYSTOLIC_PRESSURE, type Metric } from '#core/batch/metrics.ts'
import { READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { openAlert } from '#core/clinical/alert.ts'
import { initialEngine, type Input, type Rules } from '#core/clinical/engine-state.ts'
import { step } from '#core/clinical/engine.ts'
import {
  decodeLoggedInput,
  encodeLoggedEvent,
  encodeLoggedInput,
  type LoggedInput,
  type ToldInput
} from '#core/clinical/log-form.ts'
import { shippedPack } from '#core/clinical/packs/shipped.ts'
import { vitalOf } from '#core/clinical/vital.ts'
import { createMonitorPort, type ClinicalPort } from '#gateway/clinical/monitor-port.ts'
import type { MonitorInit } from '#gateway/clinical/monitor.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { survivesMutations } from '#test/mutations.ts'
import { seededRandom } from '#test/seeded-random.ts'

const START_MS = 1_700_000_000_000
const bytes32 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const SIGN_SEED = bytes32(5)
const RULES: Rules = {
  ...{ p, gateway: bytes32(2), patient: bytes32(3), trusted: shippedPack(p), order: null, chain: [2, 1] }
}

function port(change: Partial<MonitorInit> = {}): ClinicalPort {
  return createMonitorPort(
    { p, random: seededRandom('port'), clock: () => START_MS },
    {
      ...{ gateway: bytes32(2), patient: bytes32(3), signSeed: SIGN_SEED, pack: shippedPack(p), order: null },
      ...{ chain: [2, 1], watch: null, onEvent: () => undefined, ...change }
    }
  )
}

function reading(metric: Metric, mantissa: number, second: number): Reading {
  const atMs = START_MS + 1000 * second
  const stream = { device: 'monitor', ...metric, exponent: 0 }
  return { stream, sequence: second, deviceTimeMs: 1000 * second, receivedAtMs: atMs, mantissa, flags: 0 }
}

const idsOf = (records: readonly BatchRecord[]): string[] =>
  records.flatMap(({ kind, body }) =>
    kind === 'alarm' ? [toHex(openAlert(p, body, p.ed25519PublicKey(SIGN_SEED)).id)] : []
  )

const rulesOf = (records: readonly BatchRecord[]): string[] =>
  records.flatMap(({ kind, body }) => {
    if (kind !== 'alarm') return []
    const { alert } = openAlert(p, body, p.ed25519PublicKey(SIGN_SEED))
    return [`${alert.rule} ${alert.kind}`]
  })

describe('monitor port', () => {
  it('gives the log what comes to the same alerts again', () => {
    const one = port()
    const records: BatchRecord[] = []
    const log: Reading[] = []
    for (let second = 0; second < 120; second++) {
      const atMs = START_MS + 1000 * second
      const jump = second % 20 === 7 ? 94 : 97
      const judged = [one.take([reading(OXYGEN_SATURATION, second < 40 ? 80 : jump, second)], atMs)]
      if (second === 50) judged.push(one.act({ type: 'acknowledge', rule: 'saturation.extreme', person: 1 }, atMs))
      if (second === 60) judged.push(one.technical('linkLost', true, atMs))
      if (second === 90) judged.push(one.tick(atMs), one.tick(atMs - 5000))
      log.push(...judged.flatMap(each => each.readings))
      records.push(...judged.flatMap(each => each.records))
    }
    expect(log.some(({ flags }) => flags === READING_FLAGS.artefact)).to.equal(true)
    const told = records.flatMap(({ kind, body }) => (kind === 'clinical' ? [decodeLoggedInput(body)] : []))
    const again: string[] = []
    let state = initialEngine(RULES)
    const feed = (input: Input): void => {
      const next = step(RULES, state, input)
      state = next.state
      again.push(...next.events.flatMap(each => (each.type === 'alert' ? [toHex(each.id)] : [])))
    }
    const waiting = told.filter((each): each is ToldInput => each != null)
    for (const { stream, mantissa, flags, receivedAtMs } of log) {
      while (waiting[0]?.after === state.sampleCount) feed(waiting.shift()?.input ?? expect.fail())
      const value = vitalOf({ stream, mantissa })
      if (value != null) feed({ type: 'sample', device: stream.device, ...value, flags, atMs: receivedAtMs })
    }
    expect(again.length).to.be.greaterThan(4)
    expect(again).to.deep.equal(idsOf(records))
  })

  it('tells the risk, and when it last raised a high alarm, also after a restart, which it tells as a gap', () => {
    const one = port()
    expect([one.risk(), one.lastHighAlertMs()]).to.deep.equal(['routine', null])
    for (let second = 0; second < 20; second++) {
      one.take([reading(SYSTOLIC_PRESSURE, 85, second)], START_MS + 1000 * second)
    }
    expect(one.risk()).to.equal('medium')
    for (let second = 20; second < 40; second++) {
      one.take([reading(OXYGEN_SATURATION, 80, second)], START_MS + 1000 * second)
    }
    const after = port({ snapshot: one.snapshot() })
    for (const each of [one, after]) {
      // By the gateway's clock, which stands still here.
      expect([each.risk(), each.lastHighAlertMs()]).to.deep.equal(['high', START_MS])
    }
    expect(rulesOf(after.tick(START_MS + 40_000).records)).to.deep.equal(['gap onset'])
    expect(rulesOf(after.tick(START_MS + 41_000).records)).to.deep.equal([])
  })

  it('begins anew, with a gap, where its snapshot is damaged or of other rules', () => {
    const good = port().snapshot()
    for (const snapshot of [encodeCanonical([null]), Uint8Array.of(0xff), good.subarray(1), new Uint8Array()]) {
      const [gap] = port({ snapshot })
        .tick(START_MS)
        .records.filter(({ kind }) => kind === 'alarm')
      expect(gap == null ? undefined : openAlert(p, gap.body, p.ed25519PublicKey(SIGN_SEED)).alert.rule).to.equal('gap')
    }
  })

  it('reads what it logged, and refuses damaged records by code', async () => {
    const told: LoggedInput[] = [
      { type: 'technical', atMs: START_MS, cause: 'gap', isBad: true },
      { type: 'confirm', atMs: START_MS, alert: bytes32(1), person: 0 },
      { type: 'off', atMs: START_MS, rule: 'heart.low', forMs: 60_000 },
      { type: 'pause', atMs: START_MS, forMs: 1 },
      { type: 'resume', atMs: START_MS }
    ]
    for (const each of told) {
      const bytes = encodeLoggedInput(each, 9)
      expect(decodeLoggedInput(bytes)).to.deep.equal({ input: each, after: 9 })
      await survivesMutations(bytes, { seed: each.type, count: 100 }, decodeLoggedInput)
    }
    const found = encodeLoggedEvent({ type: 'score', atMs: START_MS, name: 'news2', total: 1, risk: 1, missing: 0 })
    expect(decodeLoggedInput(found)).to.equal(undefined)
  })
})

import { expect } from 'chai'
import { portablePrimitives as p } from '#core/crypto/portable.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { AlarmRule, RulePack } from '#core/clinical/rule-pack.ts'
import { decodeRulePack, encodeRulePack } from '#core/clinical/rule-pack-form.ts'
import { openRulePack, signRulePack } from '#core/clinical/signed-rule-pack.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'
import { HOUR_MS, PACK, PATIENT, START_MS, bytes32, someOrder } from '#test/core/clinical/fixtures.ts'
import { openOrder, signOrder, type Corridor } from '#core/clinical/order.ts'

const withAlarm = (name: string, change: (rule: AlarmRule) => AlarmRule): RulePack => ({
  ...ADULT_WARD,
  alarms: ADULT_WARD.alarms.map(each => (each.name === name ? change(each) : each))
})

describe('rule pack', () => {
  it('comes back from its bytes', () => {
    expect(decodeRulePack(encodeRulePack(ADULT_WARD))).to.deep.equal(ADULT_WARD)
  })

  it('is trusted by its signer only', async () => {
    const bytes = signRulePack(p, ADULT_WARD, bytes32(7))
    const signer = p.ed25519PublicKey(bytes32(7))
    expect(openRulePack(p, bytes, [bytes32(1), signer]).digest).to.deep.equal(PACK.digest)
    await expectCode('SIGNED_PACK_SIGNER', () => openRulePack(p, bytes, [bytes32(1)]))
    const forged = bytes.with(20, 1 ^ (bytes[20] ?? 0))
    await expectCode('SIGNED_PACK_SIGNATURE', () => openRulePack(p, forged, [signer]))
  })

  it('is refused where it could hide what it is to show', async () => {
    const unsafe: RulePack[] = [
      // A limit beyond its floor, and a floor that nobody watches.
      withAlarm('saturation', rule => ({ ...rule, test: { ...rule.test, limitMilli: 90_000 } as AlarmRule['test'] })),
      { ...ADULT_WARD, alarms: ADULT_WARD.alarms.filter(each => each.name !== 'respiration.high.red') },
      // The rule that watches a floor must not be switched off, nor the one of the alarm path.
      withAlarm('heart.low.red', rule => ({ ...rule, mayBeOff: true })),
      withAlarm('path.down', rule => ({ ...rule, mayBeOff: true })),
      withAlarm('news2.high', rule => ({ ...rule, test: { on: 'score', score: 'nothing', fromRisk: 4 } })),
      withAlarm('heart.drift', rule => ({ ...rule, test: { on: 'drift', vital: 'diastolic' } })),
      { ...ADULT_WARD, vitals: ADULT_WARD.vitals.slice(1) },
      { ...ADULT_WARD, alarms: [...ADULT_WARD.alarms, ...ADULT_WARD.alarms.slice(0, 1)] },
      { ...ADULT_WARD, adapt: { ...ADULT_WARD.adapt, leastSlots: 1 } },
      { ...ADULT_WARD, timers: { ...ADULT_WARD.timers, confirmMs: 0 } }
    ]
    for (const pack of unsafe) await expectCode('RULE_PACK_UNSAFE', () => decodeRulePack(encodeRulePack(pack)))
  })

  it('is refused by code when its bytes are damaged', async () => {
    const bytes = encodeRulePack(ADULT_WARD)
    await expectCode('RULE_PACK_VERSION', () => decodeRulePack(encodeCanonical({ ...ADULT_WARD, v: 2 })))
    await expectCode('RULE_PACK_OVERSIZE', () => decodeRulePack(new Uint8Array(70_000)))
    const { refused } = await survivesMutations(bytes, { count: 300, seed: 'pack' }, decodeRulePack)
    expect(Object.keys(refused)).to.include.members(['RULE_PACK_TRUNCATED', 'RULE_PACK_SHAPE'])
  })
})

describe('clinician’s order', () => {
  const corridor: Corridor = { rule: 'heart.high', fromMilli: 100_000, toMilli: 125_000 }

  it('is taken for its patient, its pack and its time', async () => {
    expect(someOrder({ corridors: [corridor], scale: 2 }).order).to.deep.include({ scale: 2, corridors: [corridor] })
    await expectCode('ORDER_PATIENT', () => someOrder({ patient: bytes32(4) }))
    await expectCode('ORDER_PACK', () => someOrder({ pack: bytes32(4) }))
    await expectCode('ORDER_TIME', () => someOrder({ untilMs: START_MS }))
    await expectCode('ORDER_TIME', () => someOrder({ untilMs: START_MS + 32 * 24 * HOUR_MS }))
  })

  it('opens no corridor across three points, nor for a rule that does not adapt', async () => {
    const corridors: Corridor[] = [
      { ...corridor, toMilli: 132_000 },
      { rule: 'saturation', fromMilli: 90_000, toMilli: 95_000 },
      { rule: 'saturation.red', fromMilli: 90_000, toMilli: 95_000 },
      { rule: 'nothing', fromMilli: 1000, toMilli: 2000 },
      { ...corridor, fromMilli: 126_000 }
    ]
    for (const each of corridors) await expectCode('ORDER_CORRIDOR', () => someOrder({ corridors: [each] }))
    await expectCode('ORDER_CORRIDOR', () => someOrder({ corridors: [corridor, corridor] }))
  })

  it('is refused by code when it is damaged, and never read otherwise than it was signed', async () => {
    const fields = { patient: PATIENT, pack: PACK.digest, scale: 1 as const, corridors: [corridor] }
    const bytes = signOrder(p, { ...fields, fromMs: START_MS, untilMs: START_MS + HOUR_MS }, bytes32(9))
    const read = (damaged: Uint8Array): unknown => openOrder(p, damaged, { patient: PATIENT, trusted: PACK })
    const { accepted } = await survivesMutations(bytes, { count: 300, seed: 'order' }, read)
    expect(accepted).to.equal(0)
  })
})

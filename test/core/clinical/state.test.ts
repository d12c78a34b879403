import { expect } from 'chai'
import { decodeEngine, encodeEngine, MAX_STATE_BYTES } from '#core/clinical/engine-state-form.ts'
import { encodeRulePack } from '#core/clinical/rule-pack-form.ts'
import { trustPack } from '#core/clinical/signed-rule-pack.ts'
import { VITALS } from '#core/clinical/vital.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'
import { RULES, START_MS, run, sample } from '#test/core/clinical/fixtures.ts'

/** Every vital sign each minute of a day and more, with alarms, a doubt and a pause. */
const busy = run([
  ...Array.from({ length: 1500 }, (_, minute) =>
    VITALS.map(vital => sample(vital, 60 * minute, vital === 'temperature' ? 37.2 : 60 + (minute % 7)))
  ).flat(),
  { type: 'pause', atMs: START_MS + 1500 * 60_000, forMs: 60_000 },
  { type: 'technical', atMs: START_MS + 1500 * 60_000, cause: 'linkLost', isBad: true }
]).state

describe('state of the clinical engine', () => {
  it('comes back from its bytes, and stays small', () => {
    const bytes = encodeEngine(busy)
    expect(decodeEngine(RULES, bytes)).to.deep.equal(busy)
    expect(bytes.length).to.be.below(MAX_STATE_BYTES / 8)
  })

  it('of another pack is refused', async () => {
    const { alarms } = ADULT_WARD
    const shorter = trustPack(RULES.p, encodeRulePack({ ...ADULT_WARD, alarms: alarms.slice(0, -1) }))
    await expectCode('CLINICAL_STATE_SHAPE', () => decodeEngine({ trusted: shorter }, encodeEngine(busy)))
  })

  it('damaged in any way is refused by code or read as something that can go on', async () => {
    const { refused } = await survivesMutations(encodeEngine(busy), { seed: 'state', count: 300 }, bytes => {
      const state = decodeEngine(RULES, bytes)
      run([sample('heartRate', 1501 * 60, 80)], RULES, state)
    })
    expect(Object.keys(refused).every(code => code.startsWith('CLINICAL_STATE_'))).to.equal(true)
  })
})

import { expect } from 'chai'
import type { Event } from '#core/clinical/engine-state.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { episodesOf, isCaught, onsetsOf, playRecording, readBidmc } from '#scripts/bench/gateway/clinical-bidmc.ts'
import { scoreStays } from '#scripts/bench/gateway/clinical-icu.ts'
import { readMimicNumerics } from '#scripts/bench/gateway/clinical-mimic.ts'
import { referenceData } from '#test/reference-data.ts'
import { RULES, openedAlerts, run } from '#test/core/clinical/fixtures.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { utf8 } from '#core/encoding/bytes.ts'

const RED = ADULT_WARD.alarms.flatMap(({ name, test }) =>
  test.on === 'limit' && test.floorMilli == null && name.endsWith('.red') ? [{ name, test }] : []
)

describe('clinical rules on recordings', () => {
  it('catch every spell of 15 s at three points, and no shorter one, in a recording of our own', () => {
    const value = (second: number): number => (second % 100 < (second < 400 ? 16 : 15) ? 88 : 97)
    const lines = Array.from({ length: 800 }, (_, second) => `${String(second)},70,70,16,${String(value(second))}`)
    const recording = parseRecording(utf8(`Time [s],HR,PULSE,RESP,SpO2\n${lines.join('\n')}\n`))
    const played = playRecording(RULES, 'own', recording)
    const rows = played.rows.oxygenSaturation ?? []
    const episodes = episodesOf(rows, { side: 'low', milli: 91_000 }, 15_000)
    expect(episodes).to.have.length(4)
    expect(episodes.every(each => isCaught(played, ['saturation.red'], each))).to.equal(true)
    expect(onsetsOf([played], ['saturation.red'])).to.equal(4)
  })

  it('raise no more alarms on BIDMC than the plain rule, and miss no spell of 15 s at three points', async function () {
    const recordings = await readBidmc(referenceData(this, 'gateway/bidmc'))
    const played = recordings.map(({ name, recording }) => playRecording(RULES, name, recording))
    const names = ['saturation', 'saturation.red', 'respiration.high.red', 'respiration.low.red', 'heart.high']
    const onsets = names.map(name => onsetsOf(played, [name]))
    expect(onsets).to.deep.equal([9, 2, 6, 2, 3])
    for (const each of played) {
      for (const { name, test } of RED) {
        const rows = each.rows[test.vitals[0] ?? 'heartRate'] ?? []
        for (const episode of episodesOf(rows, { side: test.side, milli: test.limitMilli }, 15_000)) {
          expect(isCaught(each, [name], episode), `${each.name} ${name}`).to.equal(true)
        }
      }
    }
  })

  it('raise no alarm of a heart rate of zero where the lead is off', async function () {
    const events: readonly Event[] = run(
      await readMimicNumerics(referenceData(this, 'gateway/mimic_wfdb/s25047'))
    ).events
    const ofRate = openedAlerts(events).filter(({ vital }) => vital === 'heartRate' || vital === 'pulseRate')
    expect(ofRate.length).to.be.greaterThan(0)
    expect(ofRate.filter(({ milli }) => milli === 0)).to.deep.equal([])
  })

  it('score 1,101 of 4,000 stays as the reference does', async function () {
    const { stays, meanArea, maxArea, rejected } = await scoreStays(referenceData(this, 'gateway/icu2012'))
    expect([stays, rejected]).to.deep.equal([1101, 1086])
    expect(meanArea).to.be.within(0.758, 0.76)
    expect(maxArea).to.be.within(0.708, 0.71)
  })
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { scoreOf, type SaturationScale } from '#core/clinical/score.ts'
import type { Values, VitalCode } from '#core/clinical/vital.ts'
import { MEWS } from '#core/clinical/packs/mews.ts'
import { NEWS2 } from '#core/clinical/packs/news2.ts'
import { QSOFA } from '#core/clinical/packs/qsofa.ts'
import { SIRS } from '#core/clinical/packs/sirs.ts'
import { referenceData } from '#test/reference-data.ts'
import { news2ByChart, randomVector, seededBelow } from '#scripts/bench/gateway/clinical-oracle.ts'
import { BOUNDARIES } from '#test/core/clinical/news2-cases.ts'

const WELL: Values = {
  respiratoryRate: 16_000,
  oxygenSaturation: 98_000,
  oxygen: 0,
  systolic: 120_000,
  heartRate: 70_000,
  consciousness: 0,
  temperature: 37_000
}

const PARAMETERS: Readonly<Record<string, VitalCode>> = {
  respiration_rate: 'respiratoryRate',
  systolic_bp: 'systolic',
  pulse: 'heartRate',
  temperature: 'temperature'
}

describe('scores', () => {
  it('NEWS2 gives the chart’s points on both sides of every boundary', () => {
    for (const { vital, value, points, scale, isOnOxygen } of BOUNDARIES) {
      const values = { ...(isOnOxygen ? { oxygen: 1000 } : {}), [vital]: Math.round(value * 1000) }
      const { total } = scoreOf(NEWS2, values, scale)
      expect(total - (isOnOxygen ? 2 : 0), `${vital} ${String(value)} on scale ${String(scale)}`).to.equal(points)
    }
  })

  it('NEWS2 gives the points of all reference cases', async function () {
    const folder = referenceData(this, 'gateway/news2')
    const { cases } = JSON.parse(await readFile(join(folder, 'boundaries.json'), 'utf8')) as {
      cases: { param: string; value: number; score: number }[]
    }
    expect(cases).to.have.length(58)
    for (const { param, value, score } of cases) {
      const scale: SaturationScale = param.startsWith('spo2_scale2') ? 2 : 1
      const isOnOxygen = param.endsWith('oxygen')
      const vital = PARAMETERS[param] ?? 'oxygenSaturation'
      const values = { oxygen: isOnOxygen ? 1000 : 0, [vital]: Math.round(value * 1000) }
      expect(scoreOf(NEWS2, values, scale).total - (isOnOxygen ? 2 : 0), `${param} ${String(value)}`).to.equal(score)
    }
  })

  it('NEWS2 equals a second reading of the chart on 100,000 random vectors, partial ones included', () => {
    const below = seededBelow(1)
    for (let i = 0; i < 100_000; i++) {
      const values = randomVector(below)
      const scale: SaturationScale = below(2) === 0 ? 1 : 2
      const { total, worst, risk } = scoreOf(NEWS2, values, scale)
      const chart = news2ByChart(values, scale)
      const expected = total >= 7 ? 4 : total >= 5 ? 3 : worst === 3 ? 2 : total >= 1 ? 1 : 0
      if (total === chart.total && worst === chart.worst && risk === expected) continue
      expect.fail(`${JSON.stringify(values)} on scale ${String(scale)}`)
    }
  })

  it('NEWS2 is 0 of a well person and 20 at most', () => {
    expect(scoreOf(NEWS2, WELL, 1)).to.deep.include({ total: 0, risk: 0, missing: 0 })
    const worst = {
      ...{ respiratoryRate: 25_000, oxygenSaturation: 80_000, oxygen: 1000, systolic: 60_000 },
      ...{ heartRate: 140_000, consciousness: 4000, temperature: 34_000 }
    }
    expect(scoreOf(NEWS2, worst, 1)).to.deep.include({ total: 20, risk: 4 })
  })

  it('a missing parameter adds nothing, and is named', () => {
    const { points, missing } = scoreOf(NEWS2, { systolic: 85_000 }, 1)
    expect(points).to.deep.equal([null, null, null, 3, null, null, null])
    expect(missing).to.equal(0b1110111)
    expect(scoreOf(NEWS2, {}, 1)).to.deep.include({ total: 0, risk: 0, missing: 127 })
  })

  it('the pulse stands in for a heart rate that is not known, the coma score for consciousness', () => {
    expect(scoreOf(NEWS2, { pulseRate: 140_000 }, 1).total).to.equal(3)
    expect(scoreOf(NEWS2, { heartRate: 70_000, pulseRate: 140_000 }, 1).total).to.equal(0)
    expect(scoreOf(NEWS2, { comaScore: 14_000 }, 1).total).to.equal(3)
    expect(scoreOf(NEWS2, { comaScore: 15_000 }, 1).total).to.equal(0)
  })

  it('MEWS, qSOFA and SIRS change at their limits', () => {
    const points = (table: typeof MEWS, vital: VitalCode, ...values: number[]): number[] =>
      values.map(value => scoreOf(table, { [vital]: Math.round(value * 1000) }, 1).total)
    expect(points(MEWS, 'systolic', 70, 71, 80, 81, 100, 101, 199, 200)).to.deep.equal([3, 2, 2, 1, 1, 0, 0, 2])
    expect(points(MEWS, 'heartRate', 40, 41, 50, 51, 100, 101, 110, 111, 129, 130)).to.deep.equal([
      2, 1, 1, 0, 0, 1, 1, 2, 2, 3
    ])
    expect(points(MEWS, 'respiratoryRate', 8, 9, 14, 15, 20, 21, 29, 30)).to.deep.equal([2, 0, 0, 1, 1, 2, 2, 3])
    expect(points(MEWS, 'temperature', 34.9, 35, 38.4, 38.5)).to.deep.equal([2, 0, 0, 2])
    expect(points(MEWS, 'consciousness', 0, 1, 2, 3, 4)).to.deep.equal([0, 1, 1, 2, 3])
    expect(points(QSOFA, 'respiratoryRate', 21, 22)).to.deep.equal([0, 1])
    expect(points(QSOFA, 'systolic', 100, 101)).to.deep.equal([1, 0])
    expect(points(SIRS, 'temperature', 35.9, 36, 38, 38.1)).to.deep.equal([1, 0, 0, 1])
    expect(scoreOf(QSOFA, { respiratoryRate: 22_000, systolic: 90_000 }, 1).risk).to.equal(3)
  })
})

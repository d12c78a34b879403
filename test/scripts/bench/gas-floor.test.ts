import { expect } from 'chai'
import { floorOf, type Footprint } from '#scripts/bench/gas/floor.ts'
import { renderGasTable } from '#scripts/bench/gas/table.ts'

const NOTHING: Footprint = {
  data: '0x',
  newSlots: 0,
  changedSlots: 0,
  readSlots: 0,
  calledContracts: 0,
  recoveries: 0,
  p256Checks: 0,
  logs: []
}

describe('the floor of gas', () => {
  const cases: Record<string, [Partial<Footprint>, number]> = {
    'an empty transaction': [{}, 21_000],
    'data, at the price that large data has (EIP-7623)': [{ data: '0x00ff00ff' }, 21_000 + 10 * (2 + 8)],
    'data, at its ordinary price where there is work': [{ data: '0x00ff', newSlots: 1 }, 21_000 + 4 + 16 + 22_100],
    slots: [{ newSlots: 1, changedSlots: 2, readSlots: 3 }, 21_000 + 22_100 + 10_000 + 6_300],
    'signatures and contracts asked': [
      { recoveries: 2, p256Checks: 1, calledContracts: 1 },
      21_000 + 6_000 + 6_900 + 2_600
    ],
    logs: [{ logs: [{ topics: 3, bytes: 64 }] }, 21_000 + 375 * 4 + 512]
  }
  for (const [what, [part, gas]] of Object.entries(cases)) {
    it(`counts ${what}`, () => {
      expect(floorOf({ ...NOTHING, ...part })).to.equal(gas)
    })
  }

  it('lets data be the price of a call with much data and little work', () => {
    const data = `0x${'ff'.repeat(1000)}`
    expect(floorOf({ ...NOTHING, data, readSlots: 1 })).to.equal(21_000 + 40_000)
  })

  it('is shown beside goals and what others need', () => {
    const table = renderGasTable([
      { name: 'FirmwareRegistry.holdOnDuty', gas: 33_000, floor: 30_000 },
      { name: 'AccessGrants.grantBatch, 100', gas: 1_100_000, floor: 1_000_000 }
    ])
    expect(table)
      .to.contain('| a hold, direct | 30,000 | 33,000 (FirmwareRegistry.holdOnDuty) | **no** |')
      .and.to.contain('| a grant in a batch of 100 | 12,000 | 11,000 (AccessGrants.grantBatch, 100) | yes |')
      .and.to.contain('| a claim, direct | 30,000 | not measured | |')
      .and.to.contain('| FirmwareRegistry.holdOnDuty | 33,000 | 30,000 | 1.10 |  |')
  })
})

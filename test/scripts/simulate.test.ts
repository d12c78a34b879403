import { expect } from 'chai'
import { simulatePlacement } from '#scripts/simulate/placement.ts'

describe('simulation of placement', () => {
  const scenario = { nodes: 100, blobs: 20_000, replicas: 3, blobBytes: 1_000, operators: 0 }
  const figures = simulatePlacement(scenario)

  it('loads nodes evenly, as far as chance allows', () => {
    // A node of weight 1 holds 300 of 60,000 replicas: six standard deviations are a third of it.
    expect(figures.load.maxOverMean).to.be.within(1, 1.35)
    expect(figures.load.minOverMean).to.be.within(0.65, 1)
  })

  it('makes again what died, about the share of those who died, and loses what had no holder left', () => {
    const { oneDies, tenPercentDie } = figures
    expect(oneDies.lostBlobs).to.equal(0)
    expect(oneDies.repairedShare).to.be.within(0.002, 0.03)
    expect(oneDies.repairBytes).to.equal(Math.round(oneDies.repairedShare * 60_000) * 1_000)
    expect(tenPercentDie.repairedShare).to.be.within(0.06, 0.14)
    expect(tenPercentDie.lostBlobs).to.be.within(1, 80)
  })

  it('moves little more than a newcomer takes', () => {
    expect(figures.joinMovement).to.be.within(0.7, 1.3)
  })

  it('is the same every time', () => {
    const { load, oneDies } = simulatePlacement(scenario)
    expect({ load, oneDies }).to.deep.equal({ load: figures.load, oneDies: figures.oneDies })
  })

  it('loses nothing to the death of one operator of many', () => {
    const spread = simulatePlacement({ ...scenario, blobs: 2_000, operators: 10 })
    expect(spread.oneDies.lostBlobs).to.equal(0)
  })
})

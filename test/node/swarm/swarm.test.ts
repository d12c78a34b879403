import { expect } from 'chai'
import { soakByzantine } from '#scripts/soak/byzantine.ts'
import { soakKill } from '#scripts/soak/kill.ts'
import { soakPartition } from '#scripts/soak/partition.ts'

const progress = (): undefined => undefined

/** The short form of `npm run -s soak`: real processes, few of them, briefly. */
describe('a swarm of processes', function () {
  this.timeout(180_000)

  it('loses nothing that was acknowledged when nodes are killed while they write', async () => {
    const { ok, figures } = await soakKill({ times: 3, nodes: 2, progress })
    expect(ok, JSON.stringify(figures)).to.equal(true)
    expect(figures).to.include({ kills: 3, lost: 0 })
    expect(figures['acknowledged']).to.be.greaterThan(0)
  })

  it('brings both sides of a partition together', async () => {
    const { ok, figures } = await soakPartition({ times: 1, nodes: 2, progress })
    expect(ok, JSON.stringify(figures)).to.equal(true)
    expect(figures).to.include({ partitions: 1, written: 40, messages: 40 })
  })

  it('delivers what honest nodes write among hostile peers, in bounded memory', async () => {
    const { ok, figures } = await soakByzantine({ times: 30, nodes: 3, progress })
    expect(ok, JSON.stringify(figures)).to.equal(true)
    expect(figures['deliveredPercent']).to.equal(100)
  })
})

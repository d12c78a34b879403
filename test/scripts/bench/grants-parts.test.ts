import { expect } from 'chai'
import { benchAttributes } from '#scripts/bench/grants/attributes.ts'
import { benchCapsules } from '#scripts/bench/grants/capsule.ts'
import { benchFlat } from '#scripts/bench/grants/flat.ts'
import { benchLog } from '#scripts/bench/grants/log.ts'
import { benchRevocation } from '#scripts/bench/grants/revocation.ts'
import { benchSearch } from '#scripts/bench/grants/search.ts'
import { benchSharing } from '#scripts/bench/grants/sharing.ts'
import { startBenchWorld } from '#scripts/bench/grants/world.ts'
import { collectedBench } from '#test/scripts/bench/collect.ts'

describe('the bench of grants', function () {
  this.timeout(180_000)

  it('measures capsules, attributes, the log and search', async () => {
    const bench = collectedBench()
    await benchCapsules(bench, 1)
    await benchAttributes(bench)
    await benchLog(bench, [20])
    await benchSearch(bench, [50])
    expect(bench.of('capsule.bytes.x25519.10-years').versus?.name).to.equal('50 separate HPKE wraps')
    expect(bench.of('attributes.bytes').versus?.name).to.contain('RSA')
    expect(bench.of('log.verify.20').samples).to.have.lengthOf(20)
    expect(bench.of('search.local.code-and-words.50').versus).to.not.equal(undefined)
  })

  it('measures sharing, revocation and the cost over records of any size between processes', async () => {
    const bench = collectedBench()
    const world = await startBenchWorld()
    try {
      await benchSharing(bench, world, 1)
      await benchRevocation(bench, world, 1)
      await benchFlat(bench, world, { sizes: [1, 3], rounds: 1 })
    } finally {
      await world.stop()
    }
    const gas = bench.of('flat.gas.3-entries')
    expect(gas.samples[0]).to.be.closeTo(gas.versus?.samples[0] ?? 0, 100)
    expect(bench.of('share.grant.gas').samples[0]).to.be.within(40_000, 78_000)
    expect(bench.of('share.record-1MB.open-from-peer', 'Romel et al., from S3').goal).to.contain('S3')
    const [first] = bench.of('revoke.first-node-refuses').samples
    const [every] = bench.of('revoke.every-node-refuses').samples
    expect(every).to.be.at.least(first ?? Number.POSITIVE_INFINITY)
  })
})

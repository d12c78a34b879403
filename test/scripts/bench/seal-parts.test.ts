import { expect } from 'chai'
import { benchDayTree } from '#scripts/bench/seal/day-tree.ts'
import { benchHpke } from '#scripts/bench/seal/hpke.ts'
import { benchPadding } from '#scripts/bench/seal/padding.ts'
import { filesInTar, madeUpRecords, resourcesOf } from '#scripts/bench/seal/records.ts'
import { collectedBench } from '#test/scripts/bench/collect.ts'

describe('the bench of sealing', () => {
  it('measures the day tree and every suite against a yardstick', async function () {
    this.timeout(180_000)
    const bench = collectedBench()
    await benchDayTree(bench, { rounds: 2, repeat: 2 })
    await benchHpke(bench, { rounds: 2, repeat: 1 })
    for (const suite of ['x-wing', 'x25519', 'p-256']) {
      expect(bench.of(`hpke.seal.${suite}`).versus?.samples).to.have.lengthOf(2)
      expect(bench.of(`hpke.open.${suite}`).samples).to.have.lengthOf(2)
    }
    expect(bench.of('hpke.overhead.x-wing').samples).to.deep.equal([1136])
    expect(bench.of('day-tree.leaf-of-10-year-cover').unit).to.equal('derivations/s')
  })

  it('tells what padding costs and hides over a record', async () => {
    const bench = collectedBench()
    await benchPadding(bench, [madeUpRecords(2, 4)])
    const [lengths = 0] = bench.of('padding.lengths.made-up-resources', 'not padded').samples
    const unpadded = bench.of('padding.lengths.made-up-resources', 'not padded').versus?.samples[0] ?? 0
    expect(lengths).to.be.lessThan(unpadded)
    const [bytes = 0] = bench.of('padding.bytes.made-up-resources').samples
    expect(bytes).to.be.at.least(2048)
    expect(bench.of('padding.type-named.made-up-resources', 'not padded').samples[0]).to.be.within(0, 100)
  })

  it('cuts bundles into their resources as they were written', () => {
    const bundle =
      '{"resourceType":"Bundle","entry":[{"resource":{ "resourceType" : "Patient", "n": 7.10 }},{"fullUrl":"x"}]}'
    const [only, ...more] = resourcesOf(bundle)
    expect(more).to.deep.equal([])
    expect(only?.type).to.equal('Patient')
    expect(new TextDecoder().decode(only?.body)).to.equal('{ "resourceType" : "Patient", "n": 7.10 }')
    expect(resourcesOf('{"resourceType":"Bundle"}')).to.deep.equal([])
  })

  it('reads the files of an archive', () => {
    const archive = Buffer.alloc(4 * 512)
    archive.write('folder/one.json', 0)
    archive.write('00000000005\0', 124)
    archive.write('hello', 512)
    const files = [...filesInTar(archive)].map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)])
    expect(files).to.deep.equal([['folder/one.json', 'hello']])
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { offerWithin, replacementOffer } from '#core/chain/fees.ts'
import { expectCode } from '#test/error-code.ts'

const wei = fc.bigInt({ min: 0n, max: 10n ** 13n })
const offer = fc.tuple(wei, wei).map(([a, b]) => ({
  maxFeePerGas: a > b ? a : b,
  maxPriorityFeePerGas: a > b ? b : a
}))

describe('offers for gas', () => {
  it('stay within the cap, and are refused where the cap pays for no block', async () => {
    expect(offerWithin({ maxFeePerGas: 20n, maxPriorityFeePerGas: 2n }, 20n).maxFeePerGas).to.equal(20n)
    const capped = offerWithin({ maxFeePerGas: 20n, maxPriorityFeePerGas: 15n }, 10n)
    expect(capped).to.deep.equal({ maxFeePerGas: 10n, maxPriorityFeePerGas: 10n })
    await expectCode('RELAY_FEE_CAP', () => offerWithin({ maxFeePerGas: 21n, maxPriorityFeePerGas: 1n }, 10n))
  })

  it('of a replacement rise by an eighth at least, never over the cap, and never below what is usual', () => {
    fc.assert(
      fc.property(offer, offer, wei, (before, usual, cap) => {
        const next = replacementOffer(before, usual, cap)
        if (next == null) {
          expect(8n * cap < 9n * before.maxFeePerGas + 8n).to.equal(true)
          return
        }
        expect(8n * next.maxFeePerGas >= 9n * before.maxFeePerGas).to.equal(true)
        expect(next.maxFeePerGas > before.maxFeePerGas).to.equal(true)
        expect(8n * next.maxPriorityFeePerGas >= 9n * before.maxPriorityFeePerGas).to.equal(true)
        expect(next.maxFeePerGas <= cap && next.maxPriorityFeePerGas <= next.maxFeePerGas).to.equal(true)
        if (usual.maxFeePerGas <= cap) expect(next.maxFeePerGas >= usual.maxFeePerGas).to.equal(true)
      })
    )
  })
})

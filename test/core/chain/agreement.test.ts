import { expect } from 'chai'
import fc from 'fast-check'
import { agreedHead, agreedLevel, isCertain, judge, paceOf, type Answer } from '#core/chain/agreement.ts'

const answer: fc.Arbitrary<Answer> = fc.constantFrom('a', 'b', 'c', null, undefined)
const poll = fc.record({
  said: fc.constantFrom('a', 'b'),
  others: fc.array(answer, { maxLength: 7 }),
  needed: fc.integer({ min: 1, max: 8 })
})

describe('what endpoints agree on', () => {
  it('is what enough say, and more than say any one other thing', () => {
    const verdicts = (
      [
        [[], 1, 'agreed'],
        [['b'], 1, 'disputed'],
        [[null], 1, 'agreed'],
        [[undefined], 1, 'agreed'],
        [['a', 'b'], 2, 'agreed'],
        [['b', null], 2, 'disputed'],
        [[null, undefined], 2, 'short'],
        [['a', 'b', 'b'], 2, 'disputed'],
        // Two who say different things are not two for one thing.
        [['a', 'b', 'c'], 2, 'agreed']
      ] as const
    ).map(([others, needed, verdict]) => [judge({ said: 'a', others, needed }), verdict])
    for (const [found, verdict] of verdicts) expect(found).to.equal(verdict)
  })

  it('is never a lie while more who answer are honest than lie, and as many as the quorum must say it', () => {
    fc.assert(
      fc.property(fc.nat(4), fc.nat(4), fc.nat(3), (liars, more, silent) => {
        const honest = liars + 1 + more
        const others = [...Array<Answer>(liars).fill('lie'), ...Array<Answer>(silent).fill(null)]
        const needed = 1 + Math.floor(honest / 2)
        // Of a liar as the one that is read from.
        expect(judge({ said: 'lie', others: [...others, ...Array<Answer>(honest).fill('true')], needed })).to.equal(
          'disputed'
        )
        const rest = [...others, ...Array<Answer>(honest - 1).fill('true')]
        expect(judge({ said: 'true', others: rest, needed })).to.equal('agreed')
      })
    )
  })

  it('depends neither on the order of answers nor on those who answer nothing', () => {
    fc.assert(
      fc.property(poll, fc.infiniteStream(fc.nat()), ({ said, others, needed }, order) => {
        const shuffled = others.map(one => ({ one, at: order.next().value as number })).sort((a, b) => a.at - b.at)
        const verdict = judge({ said, others, needed })
        expect(judge({ said, others: shuffled.map(({ one }) => one), needed })).to.equal(verdict)
        expect(judge({ said, others: others.filter(one => one != null), needed })).to.equal(verdict)
      })
    )
  })

  it('is certain only where no answer that is out can change it', () => {
    fc.assert(
      fc.property(poll, fc.array(fc.constantFrom('a', 'b', 'c', null)), ({ said, others, needed }, late) => {
        if (!isCertain({ said, others, needed })) return
        const all = others.map(one => (one === undefined ? (late.pop() ?? 'c') : one))
        expect(judge({ said, others: all, needed })).to.equal('agreed')
      })
    )
  })
})

describe('the head that is followed', () => {
  const claims = (numbers: readonly number[], late: readonly number[] = []) =>
    numbers.map(number => ({ number, keepsUp: !late.includes(number) }))

  it('is the highest of one, the lower of two, and the second highest of three', () => {
    expect(agreedHead(claims([7]), 1)).to.equal(7)
    expect(agreedHead(claims([7, 9]), 1)).to.equal(7)
    expect(agreedHead(claims([7, 9], [7]), 1)).to.equal(9)
    expect(agreedHead(claims([7, 9, 8]), 2)).to.equal(8)
    expect(agreedHead(claims([7, 9, 8], [7, 8]), 2)).to.equal(8)
    expect(agreedHead(claims([7, 9, 8], [7, 8]), 3)).to.equal(7)
  })

  it('cannot be raised by a liar alone where two others keep up', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), fc.nat(), (one, other, lie) => {
        for (const quorum of [1, 2]) {
          expect(agreedHead(claims([one, other, lie]), quorum)).to.be.at.most(Math.max(one, other))
        }
        expect(paceOf([one, other, lie])).to.be.at.most(Math.max(one, other))
        expect(agreedLevel([one, other, lie], 2)).to.be.at.most(Math.max(one, other))
        expect(agreedLevel([one, lie], 1)).to.be.at.most(one)
      })
    )
  })

  it('is at no level that too few know', () => {
    expect(agreedLevel([5, null, null], 2)).to.equal(null)
    expect(agreedLevel([5, null, 6], 2)).to.equal(5)
    expect(agreedLevel([5, null], 1)).to.equal(5)
    expect(agreedLevel([], 1)).to.equal(null)
  })
})

import { expect } from 'chai'
import { createTurns, type Turn } from '#node/network/turns.ts'

describe('turns', () => {
  it('go round among those who wait, however many each waits for', async () => {
    const turns = createTurns(1)
    const order: string[] = []
    const first = await turns.take('greedy')
    const begun: Turn[] = []
    const waiting = ['greedy', 'greedy', 'greedy', 'modest', 'other'].map(async key => {
      begun.push(await turns.take(key))
      order.push(key)
    })
    first()
    for (const [i] of waiting.entries()) {
      while (begun.length <= i) await Promise.resolve()
      begun[i]?.()
    }
    await Promise.all(waiting)
    expect(order).to.deep.equal(['greedy', 'modest', 'other', 'greedy', 'greedy'])
  })

  it('are as many at once as there may be, and given back once', async () => {
    const turns = createTurns(2)
    const [a] = [await turns.take('x'), await turns.take('x')]
    let got = 0
    const waiting = [turns.take('y'), turns.take('y')].map(async turn => {
      await turn
      got++
    })
    a()
    a()
    await waiting[0]
    await Promise.resolve()
    expect(got).to.equal(1)
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { streamToEnd, type OpenStream } from '#core/network/stream-share.ts'

const stream = (peer: string, activeMs: number): OpenStream => ({ peer, activeMs })
const NOW_MS = 100_000

describe('places for streams', () => {
  it('go from the peer that has most of them to one that has fewer, the longest idle first', () => {
    const open = [stream('a', 50_000), stream('b', 1), stream('a', 40_000), stream('a', 60_000)]
    expect(streamToEnd(open, 'c', NOW_MS)).to.equal(2)
    expect(streamToEnd(open, 'b', NOW_MS)).to.equal(2)
  })

  it('go, where all have as many, from who does nothing with its own', () => {
    const open = [stream('a', NOW_MS - 100), stream('b', NOW_MS - 5_000), stream('c', NOW_MS - 3_000)]
    expect(streamToEnd(open, 'd', NOW_MS)).to.equal(1)
    expect(streamToEnd(open, 'b', NOW_MS)).to.equal(2)
    expect(streamToEnd([stream('a', NOW_MS - 100)], 'd', NOW_MS)).to.equal(-1)
    expect(streamToEnd([], 'd', NOW_MS)).to.equal(-1)
  })

  it('end with equal shares, however many one peer asked for first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(7), { minLength: 40, maxLength: 120 }),
        (peers, asks) => {
          let open: OpenStream[] = Array.from({ length: 24 }, () => stream('first', 0))
          // Everyone is busy: only shares count.
          for (const ask of [...asks, ...asks]) {
            const newcomer = `p${String(ask % peers)}`
            const end = streamToEnd(open, newcomer, 1_000)
            if (end >= 0) open = [...open.filter((_, i) => i !== end), stream(newcomer, 0)]
          }
          const counts = new Map<string, number>()
          for (const { peer } of open) counts.set(peer, (counts.get(peer) ?? 0) + 1)
          const asking = new Set(asks.map(ask => `p${String(ask % peers)}`))
          expect(open).to.have.length(24)
          for (const peer of asking) expect(counts.get(peer) ?? 0).to.be.at.least(1)
          const most = Math.max(...counts.values())
          for (const peer of asking) {
            const times = asks.filter(ask => `p${String(ask % peers)}` === peer).length
            expect(counts.get(peer) ?? 0).to.be.at.least(Math.min(most - 1, times))
          }
        }
      )
    )
  })
})

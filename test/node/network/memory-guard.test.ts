import { expect } from 'chai'
import { createMemoryGuard, type MemoryGuardComponents } from '#node/network/memory-guard.ts'
import { log, until } from '#test/node/network/peer.ts'

describe('the memory guard', () => {
  /** What becomes of a peer with one stream. */
  async function look(
    readBufferLength: number,
    writeBufferLength: number
  ): Promise<{ ended: number; penalties: string[] }> {
    let ended = 0
    let looks = 0
    const penalties: string[] = []
    const streams = [{ readBufferLength, writeBufferLength, abort: () => ended++ }]
    const libp2p = {
      getPeers: () => {
        looks++
        return ['a']
      },
      getConnections: () => [{ streams }]
    } as unknown as MemoryGuardComponents['libp2p']
    const bans = { penalise: (_peer: string, _points: number, code: string) => penalties.push(code) }
    const guard = createMemoryGuard({ libp2p, bans, log }, { maxHeldBytes: 100, intervalMs: 1 })
    guard.start()
    await until('it looked', () => looks > 0)
    guard.stop()
    return { ended, penalties }
  }

  it('cuts off who sends more than is read, and does not end what is within bounds', async () => {
    expect((await look(101, 0)).penalties).to.include('PEER_MEMORY')
    expect(await look(50, 50)).to.deep.equal({ ended: 0, penalties: [] })
  })

  it('gives up what a peer does not take, and does not hold that against it', async () => {
    const { ended, penalties } = await look(1, 100)
    expect(ended).to.be.above(0)
    expect(penalties).to.deep.equal([])
  })
})

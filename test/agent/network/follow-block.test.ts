import { expect } from 'chai'
import { followBlock } from '#agent/network/follow-block.ts'
import type { NodeClient } from '#node/http/client.ts'

/** A node whose head is one block further at each question, up to a last one; asking takes a second of the clock. */
function nodeUpTo(last: number): { node: Pick<NodeClient, 'status'>; clock: () => number; asked: () => number } {
  let blockNumber = 0
  let asked = 0
  const status = async () => {
    asked++
    blockNumber = Math.min(last, blockNumber + 1)
    return Promise.resolve({ chain: { blockNumber } } as never)
  }
  return { node: { status }, clock: () => asked * 10_000, asked: () => asked }
}

describe('following a block', () => {
  it('ends when the node has seen it', async () => {
    const { node, clock, asked } = nodeUpTo(3)
    await followBlock({ node, clock }, 3)
    expect(asked()).to.equal(3)
  })

  it('ends at a node that stands still', async () => {
    const { node, clock, asked } = nodeUpTo(1)
    await followBlock({ node, clock }, 1000)
    expect(asked()).to.be.within(2, 5)
  })
})

import { expect } from 'chai'
import { SalusError } from '#core/error.ts'
import { createBatcher } from '#node/chain/rpc-batch.ts'
import { expectCode } from '#test/error-code.ts'

interface Request {
  readonly id: number
}

/** An endpoint that takes single requests, and does something else with lists. */
function single(ofLists: () => Promise<unknown>): {
  post: (payload: unknown) => Promise<unknown>
  lists: () => number
} {
  let lists = 0
  return {
    lists: () => lists,
    async post(payload) {
      if (!Array.isArray(payload)) return Promise.resolve({ id: (payload as Request).id, result: '0x1' })
      lists++
      return ofLists()
    }
  }
}

describe('questions that come at once', () => {
  const refusals: readonly (readonly [string, number])[] = [
    ['CHAIN_RPC_FAILED', 1],
    ['CHAIN_ANSWER_TOO_LARGE', 2]
  ]
  for (const [code, tried] of refusals) {
    it(`are asked one by one where a list fails with ${code}`, async () => {
      const endpoint = single(async () => Promise.reject(new SalusError(code, 'no')))
      const send = createBatcher(endpoint.post)
      for (let i = 0; i < 2; i++) {
        const answers = await Promise.all([send('eth_chainId', []), send('eth_blockNumber', [])])
        expect(answers).to.deep.equal(['0x1', '0x1'])
      }
      expect(endpoint.lists()).to.equal(tried)
    })
  }

  it('are not asked again of an endpoint that is away', async () => {
    const endpoint = single(async () => Promise.reject(new SalusError('CHAIN_UNREACHABLE', 'no')))
    const send = createBatcher(endpoint.post)
    const asked = [send('eth_chainId', []), send('eth_blockNumber', [])]
    for (const one of asked) await expectCode('CHAIN_UNREACHABLE', async () => one)
  })
})

import { expect } from 'chai'
import { createGuard } from '#agent/glass/guard.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import type { NodeClient } from '#node/http/client.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { keysOf, NETWORK, PATIENT } from '#test/core/people.ts'
import { seededRandom } from '#test/seeded-random.ts'

const peerId = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

describe('standing guard', () => {
  it('asks a node that answers at once no faster than a few times a second', async () => {
    let asked = 0
    const node: Partial<NodeClient> = {
      status: async () => Promise.resolve({ peerId } as never),
      queryHead: async () => {
        asked++
        return Promise.resolve(null)
      }
    }
    const keys = await keysOf(1)
    const state = { network: NETWORK, patient: PATIENT }
    const components = {
      ...{ p, random: seededRandom('guard'), clock: () => 0, node },
      keeper: {
        onChange: () => undefined,
        state: () => ({ patient: { operations: [] } }),
        hold: async (use: () => Promise<unknown>) => use()
      },
      accounts: { patient: async () => Promise.resolve({ account: { state }, keys, evidence: new Uint8Array(8) }) },
      shelf: { standing: { read: async () => Promise.resolve({ instruction: {} }) } }
    }
    const guard = createGuard(components as unknown as GlassComponents)
    expect(await guard.wait(5_000)).to.equal('news')
    const end = performance.now() + 1_000
    while (performance.now() < end) expect(await guard.wait(5_000)).to.equal('none')
    expect(asked).to.be.within(2, 8)
  })
})

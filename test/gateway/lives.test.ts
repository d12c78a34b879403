import { expect } from 'chai'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { deriveGateway } from '#gateway/identity.ts'
import { playLives, type Lives } from '#scripts/soak/gateway/lives.ts'
import { drawFrom } from '#scripts/soak/gateway/draw.ts'

describe('gateway whose power is cut at any step', function () {
  this.timeout(60_000)

  async function play(gateways: number, rot: number): Promise<Lives> {
    const identity = await deriveGateway(p, new Uint8Array(32).fill(7))
    const all = { lives: 0, acknowledged: 0, lost: 0, repeated: 0, equivocations: 0, noticed: 0 }
    for (let i = 0; i < gateways; i++) {
      const one = await playLives(identity, drawFrom(`lives ${String(rot)} ${String(i)}`), { lives: 20, rot })
      for (const key of Object.keys(all) as (keyof Lives)[]) all[key] += one[key]
    }
    return all
  }

  it('keeps what it acknowledged, once, and signs no number twice', async () => {
    const { lost, repeated, equivocations, acknowledged, lives } = await play(8, 0)
    expect({ lost, repeated, equivocations }).to.deep.equal({ lost: 0, repeated: 0, equivocations: 0 })
    expect([lives, acknowledged > 200]).to.deep.equal([168, true])
  })

  it('cures or names a rotten bit, and never passes over it', async () => {
    const { lost, repeated, equivocations, noticed } = await play(12, 30)
    expect({ lost, repeated, equivocations }).to.deep.equal({ lost: 0, repeated: 0, equivocations: 0 })
    expect(noticed).to.be.greaterThan(0)
  })
})

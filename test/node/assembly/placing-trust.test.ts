import { expect } from 'chai'
import { placingTrust } from '#node/assembly/placing-trust.ts'

const CONFIGURED = '12D3KooWHFrmLWTTDD4NodngtRMEVYgxrsDMp4F9iSwYntZ9WjHa'
const STRANGER = '12D3KooWGQmdpbHERG6TmbsFUvKKWm6oLRTGeJ5wHVWPbhZYQfWV'

describe('whom placement takes at their word', () => {
  const members = { listed: () => ({ operator: 'a', bytes: 1 }) }

  it('is nobody in an open network but the peers that were configured', () => {
    const peers = [`/ip4/127.0.0.1/tcp/1/p2p/${CONFIGURED}`, '/ip4/127.0.0.1/tcp/2']
    for (const admission of [undefined, { mode: 'open' } as const]) {
      const { vouched, listed, isOpen } = placingTrust({ peers, ...(admission == null ? {} : { admission }) }, members)
      expect([vouched?.(CONFIGURED), vouched?.(STRANGER), listed, isOpen]).to.deep.equal([true, false, undefined, true])
    }
  })

  it('is everyone who was let in where not everyone is', () => {
    const { vouched, isOpen } = placingTrust(
      { admission: { mode: 'private', networkKey: new Uint8Array(32) } },
      members
    )
    expect([vouched?.(STRANGER), isOpen]).to.deep.equal([true, false])
    const consortium = placingTrust({ admission: { mode: 'consortium' } }, members)
    expect(consortium.listed?.(new Uint8Array(32))).to.deep.equal({ operator: 'a', bytes: 1 })
    expect([consortium.vouched, consortium.isOpen]).to.deep.equal([undefined, false])
  })
})

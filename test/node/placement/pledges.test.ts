import { expect } from 'chai'
import { decodePledge } from '#core/placement/pledge.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { loadOrCreateIdentity, peerSeedOf } from '#node/network/identity.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { createMembers } from '#node/placement/members.ts'
import { createPledges } from '#node/placement/pledges.ts'
import { log, usePeers, type TestPeer } from '#test/node/network/peer.ts'
import { join } from 'node:path'

const NETWORK = new Uint8Array(32).fill(7)

describe('the pledge of a node', () => {
  const open = usePeers()

  /** Numbers of the pledges that a node makes in one life, at a clock. */
  async function life(peer: TestPeer, clock: () => number): Promise<number> {
    const { libp2p } = peer.host
    const elapsedMs = (): number => performance.now()
    const members = createMembers({ p, clock, elapsedMs }, { networkId: NETWORK, deadAfterMs: 60_000 })
    const peerSeed = peerSeedOf(await loadOrCreateIdentity(join(peer.directory, 'identity.key')))
    const rate = createRateLimiter({ clock: Date.now }, { perSecond: 10, burst: 10 })
    const pledges = createPledges(
      { libp2p, bans: peer.bans, log, rate, p, clock, members, db: peer.db, peerSeed },
      { networkId: NETWORK, pledgedBytes: 5, operator: '', region: '', everyMs: 60_000 }
    )
    await pledges.start()
    await pledges.stop()
    const own = members.get(peer.host.peerId.toString())
    return decodePledge(p, own?.bytes ?? expect.fail(), NETWORK).sequence
  }

  it('counts up, though the clock is set back and the process begins anew', async () => {
    const peer = await open({})
    const nowMs = 1_795_300_000_000
    const first = await life(peer, () => nowMs)
    expect(first).to.equal(nowMs)
    // It was an hour ahead, and is set right: those who heard the first would take none of the next for an hour.
    const second = await life(peer, () => nowMs - 3_600_000)
    expect(second).to.be.greaterThan(first)
    expect(await life(peer, () => nowMs + 5_000)).to.equal(nowMs + 5_000)
  })
})

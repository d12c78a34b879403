import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { toHex } from '#core/encoding/bytes.ts'
import { allTopics, topicOf } from '#core/network/topic.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createGossip, type Gossip } from '#node/network/gossip.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { createTestWorld, messageOf, noteOf, until, type TestWorld } from '#test/node/http/world.ts'
import { log, openPeer, type TestPeer } from '#test/node/network/peer.ts'

interface Speaker extends TestPeer {
  readonly gossip: Gossip
  readonly heard: string[]
}

describe('a message that is sent again after a restart', function () {
  this.timeout(60_000)
  let world: TestWorld
  let directory: string
  const speakers: Speaker[] = []

  before(async () => {
    world = await createTestWorld()
    directory = await mkdtemp(join(tmpdir(), 'salus-replay-'))
  })

  after(async () => {
    for (const speaker of speakers) await speaker.stop()
    await world.stop()
    await rm(directory, { recursive: true })
  })

  /** A peer that speaks gossip and keeps nothing. */
  async function speaker(name: string, address: string): Promise<Speaker> {
    const opened = await openPeer(join(directory, name), { topics: allTopics(world.network), peers: [address] })
    const heard: string[] = []
    const accept = (bytes: Uint8Array): Promise<{ verdict: 'accept' }> => {
      heard.push(toHex(bytes))
      return Promise.resolve({ verdict: 'accept' })
    }
    const useless = createRateLimiter({ clock: Date.now }, { perSecond: 1, burst: 50 })
    const { libp2p } = opened.host
    const gossip = createGossip(
      { libp2p, primitives: p, bans: opened.bans, log, accept, useless },
      { networkId: world.network }
    )
    gossip.start()
    const made = { ...opened, gossip, heard }
    speakers.push(made)
    return made
  }

  it('is not passed on', async () => {
    const first = await world.node()
    const patient = await world.patient(first)
    const old = messageOf(world.network, patient, noteOf(patient))
    const { position } = await first.client.publish(old)
    await first.stop()
    const again = await world.node({ dataDir: first.dataDir })
    const listener = await speaker('listener', again.multiaddr)
    const attacker = await speaker('attacker', again.multiaddr)
    const pseudonym = patient.state.patient
    const topic = topicOf(p, world.network, pseudonym)
    for (const { host } of [listener, attacker]) {
      // Not in the types of gossipsub 17.1.1.
      const pubsub = host.libp2p.services.pubsub as unknown as { getMeshPeers(topic: string): string[] }
      await until(() => pubsub.getMeshPeers(topic).length > 0)
    }
    // Signed anew as gossip, so that no cache of gossipsub knows it.
    for (let i = 0; i < 10; i++) await attacker.gossip.publish(old, pseudonym)
    const fresh = messageOf(world.network, patient, noteOf(patient))
    await attacker.gossip.publish(fresh, pseudonym)
    await until(() => listener.heard.includes(toHex(fresh)))
    expect(listener.heard).to.deep.equal([toHex(fresh)])
    expect(await again.client.publish(old)).to.deep.equal({ status: 'known', position })
    expect((await again.client.status()).messages).to.equal(2)
  })
})

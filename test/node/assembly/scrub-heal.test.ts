import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import type { NodeContext } from '#node/node.ts'
import { openTable } from '#node/store/database.ts'
import { osRandom } from '#scripts/story/people.ts'
import { createTestWorld, messageOf, noteOf, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'

describe('healing a node’s store from its peers', function () {
  this.timeout(60_000)
  let world: TestWorld
  let node: TestNode
  let context: NodeContext
  let peerContext: NodeContext

  before(async () => {
    world = await createTestWorld()
    node = await world.node({
      mending: { everyMs: 50 },
      services: it => {
        context = it
        return []
      }
    })
    await world.node({
      peers: [node.multiaddr],
      services: it => {
        peerContext = it
        return []
      }
    })
  })
  after(async () => {
    await world.stop()
  })

  async function flip(table: string, key: string, at: number): Promise<void> {
    const rows = openTable(context.db, table)
    const bytes = Uint8Array.from((await rows.get(key)) ?? [])
    bytes[at] = (bytes[at] ?? 0) ^ 1
    await rows.put(key, bytes)
  }
  const logRows = async (): Promise<string[]> =>
    (await openTable(context.db, 'log').iterator().all()).map(
      ([key, bytes]) => `${key} ${Buffer.from(bytes).toString('hex')}`
    )

  it('brings damaged messages of every kind again, under their positions', async () => {
    const patient = await world.patient(node)
    await node.client.publish(messageOf(world.network, patient, noteOf(patient)))
    await world.grantee(node, patient, 1)
    await node.client.publish(messageOf(world.network, patient, noteOf(patient)))
    const head = await context.messages.head()
    await until(async () => (await peerContext.messages.head()) === head)
    // The ids are there: the peer has asked for them.
    const ids = openTable(context.db, 'message-ids')
    await until(async () => new TextDecoder().decode(await ids.get('cursor')) === String(head))
    const before = await logRows()
    for (const row of before) {
      const [key = '', hex = ''] = row.split(' ')
      await flip('log', key, Math.floor(hex.length / 4))
    }
    expect(await logRows()).not.to.deep.equal(before)
    const { messages } = await context.upkeep.scrub()
    expect(messages).to.deep.equal({ read: before.length, damaged: before.length, healed: before.length })
    expect(await logRows()).to.deep.equal(before)
    expect((await context.upkeep.scrub()).messages.damaged).to.equal(0)
  })

  it('is read by a new peer but for what is damaged, and not cut off for that', async () => {
    const [first = ''] = await openTable(context.db, 'log').keys({ limit: 1 }).all()
    await flip('log', first, 0)
    let late: NodeContext | undefined
    const reader = await world.node({
      peers: [node.multiaddr],
      services: it => {
        late = it
        return []
      }
    })
    const head = await context.messages.head()
    await until(async () => (await late?.messages.head()) === head - 1)
    // Where a round breaks off, it is not noted how far it came, and the next one asks for the same.
    const cursors = late == null ? undefined : openTable(late.db, 'sync')
    await until(async () => ((await cursors?.keys().all()) ?? []).length > 0)
    expect(late?.host.libp2p.getPeers().map(String)).to.deep.equal([context.host.peerId.toString()])
    await reader.stop()
    expect((await context.upkeep.scrub()).messages).to.include({ damaged: 1, healed: 1 })
  })

  it('makes missing checksums again of messages that stand for themselves, without a peer', async () => {
    const before = await logRows()
    await openTable(context.db, 'log-sum').clear()
    const lone = peerContext.host.peerId
    await context.host.libp2p.hangUp(lone)
    const report = await context.upkeep.scrub()
    expect(report.messages.damaged).to.equal(0)
    expect(report.sums + report.unchecked).to.equal(before.length)
    expect(report.sums).to.be.at.least(3)
    expect(await logRows()).to.deep.equal(before)
  })

  it('goes on asking for a block that no peer had when it was found damaged', async () => {
    const bytes = osRandom(1_000)
    const cid = CID.createV1(raw.code, await sha256.digest(bytes))
    await context.blockstore.put(cid, bytes)
    const names = await openTable(context.db, 'blocks').iterator().all()
    const [name = ''] = names.find(([, each]) => Buffer.from(each).equals(bytes)) ?? []
    await flip('blocks', name, 5)
    const { smallBlocks } = await context.upkeep.scrub()
    expect([smallBlocks.damaged, smallBlocks.healed]).to.deep.equal([1, 0])
    expect(await context.blockstore.has(cid)).to.equal(false)
    await peerContext.blockstore.put(cid, bytes)
    await context.host.libp2p.dial(peerContext.host.libp2p.getMultiaddrs())
    await until(async () => context.blockstore.has(cid))
    expect(context.blockstore.damaged()).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { decodeEntry } from '#core/record/entry.ts'
import type { DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import { createTestWorld, messageOf, noteOf, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'

describe('acknowledged by as many nodes as were asked for', function () {
  this.timeout(90_000)
  let world: TestWorld
  let nodes: TestNode[]
  let patient: DemoPatient
  let ids: string[]

  before(async () => {
    world = await createTestWorld()
    const first = await world.node({ confirm: { waitMs: 2_000 } })
    const others = [await world.node({ peers: [first.multiaddr] }), await world.node({ peers: [first.multiaddr] })]
    nodes = [first, ...others]
    await until(async () => (await first.client.status()).peers === 2)
    patient = await world.patient(first)
    ids = await Promise.all(nodes.map(async ({ client }) => (await client.status()).peerId))
  })
  after(async () => {
    await world.stop()
  })
  const at = (index: number): TestNode => nodes[index] as TestNode

  it('says which nodes have a message on their disks', async () => {
    const message = messageOf(world.network, patient, noteOf(patient))
    const answer = await at(0).client.publish(message, { replicas: 3 })
    expect(answer.heldBy).to.have.members(ids)
    for (const { client } of nodes) expect((await client.status()).messages).to.equal(1)
    expect((await at(0).client.publish(message, { replicas: 2 })).heldBy).to.have.length(2)
    expect(await at(0).client.publish(message)).not.to.have.property('heldBy')
  })

  it('says so where there are not as many, and keeps it all the same', async () => {
    const message = messageOf(world.network, patient, noteOf(patient))
    await expectCode('STORE_REPLICAS', async () => at(0).client.publish(message, { replicas: 4 }))
    expect((await at(0).client.publish(message, { replicas: 3 })).status).to.equal('known')
  })

  it('has nodes prove that they hold a blob', async () => {
    const note = noteOf(patient, 2 << 20)
    const { blob } = decodeEntry(note.headerBytes).header
    await at(0).client.publish(messageOf(world.network, patient, note, false), { replicas: 3 })
    await at(0).client.putBlob(blob.toString(), note.blob, { replicas: 1 })
    await until(async () => (await at(1).client.status()).blobsWanted === 0)
    await at(0).client.putBlob(blob.toString(), note.blob, { replicas: 2 })
    await expectCode('STORE_REPLICAS', async () => at(0).client.putBlob(blob.toString(), note.blob, { replicas: 4 }))
  })

  it('refuses a number that makes no sense', async () => {
    const message = messageOf(world.network, patient, noteOf(patient))
    for (const replicas of [0, 17, 1.5]) {
      await expectCode('HTTP_BODY_SHAPE', async () => at(0).client.publish(message, { replicas }))
    }
  })
})

import { expect } from 'chai'
import { toHex } from '#core/encoding/bytes.ts'
import { acceptedOf } from '#core/network/accept.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { openAcceptIndex } from '#node/assembly/accept-index.ts'
import { createDemoPatient } from '#scripts/story/people.ts'
import { createAcceptWorld, type AcceptWorld } from '#test/core/network/accept-world.ts'
import { byHttp, entryNaming, openPaperNode, someCid, type PaperNode } from '#test/node/assembly/paper-node.ts'

describe('the index of accepted messages', () => {
  let world: AcceptWorld
  let node: PaperNode

  beforeEach(async () => {
    world = await createAcceptWorld()
    node = await openPaperNode(world)
  })

  afterEach(async () => {
    await node.stop()
  })

  const accepted = (bytes: Uint8Array) => acceptedOf(decodeMessage(bytes, world.network))

  it('never moves its cursor past a message that it has not written', async () => {
    const [first, second, third] = [1, 2, 3].map(() => accepted(entryNaming(world.patient, someCid(), 10)))
    if (first == null || second == null || third == null) throw new Error('three messages')
    const late = node.index.reserve(first)
    await node.index.reserve(second).commit(2, true)
    expect(node.index.cursor()).to.equal(0)
    expect((await openAcceptIndex(node.db)).cursor()).to.equal(0)
    await node.index.reserve(third).commit(3, true)
    await late.commit(1, true)
    expect(node.index.cursor()).to.equal(3)
    expect((await openAcceptIndex(node.db)).wants.total()).to.equal(3)
  })

  it('keeps the newest capsule of a grant where an older one is written after it', async () => {
    const capsule = { kind: 'capsule', patient: world.patient.state.patient, grantId: world.grantId } as const
    const older = node.index.reserve({ ...capsule, revision: 1 })
    await node.index.reserve({ ...capsule, revision: 2 }).commit(1, false)
    await older.commit(2, false)
    expect(node.index.view.capsuleRevision(world.grantId)).to.equal(2)
    expect(node.index.capsulePosition(toHex(world.grantId))).to.equal(1)
  })

  it('knows a blob in every size that is named, so that a false one takes nothing away', async () => {
    const blob = someCid()
    const cid = blob.toString()
    await node.acceptor.accept(entryNaming(world.patient, blob, 100_000), byHttp)
    await node.acceptor.accept(entryNaming(world.patient, blob, 1), byHttp)
    expect(await node.index.largestSize(blob)).to.equal(100_000)
    expect(node.index.names({ cid, sizeBytes: 100_000 })).to.equal(true)
    expect(node.index.names({ cid, sizeBytes: 1 })).to.equal(true)
    expect(node.index.names({ cid, sizeBytes: 2 })).to.equal(false)
    await node.index.wants.unwant({ cid, sizeBytes: 1 })
    const left = await node.index.wants.due(0, 10)
    expect(left.map(({ sizeBytes }) => sizeBytes)).to.deep.equal([100_000])
  })

  it('leaves a blob to the patient who named it first, and knows who else does', async () => {
    const other = await createDemoPatient(world.deployment)
    const blob = someCid()
    const named = { cid: blob.toString(), sizeBytes: 9 }
    const [mine, theirs] = [world.patient, other].map(({ state }) => toHex(state.patient))
    const entries = [world.patient, other, world.patient].map(who => accepted(entryNaming(who, blob, 9)))
    for (const [i, entry] of entries.entries()) await node.index.reserve(entry).commit(i + 1, true)
    expect(node.index.patientOf(named)).to.equal(mine)
    expect(await node.index.blobs(undefined, 9)).to.deep.equal([{ ...named, patient: mine }])
    const others: string[] = []
    for await (const patient of node.index.otherPatientsOf(named)) others.push(patient)
    expect(others).to.deep.equal([theirs])
    expect(node.index.patientOf({ ...named, sizeBytes: 8 })).to.equal(undefined)
  })

  it('gives every patient’s blobs a turn, and those that were not found a later one', async () => {
    const other = await createDemoPatient(world.deployment)
    for (let i = 0; i < 40; i++) {
      const entry = accepted(entryNaming(world.patient, someCid(), 10))
      await node.index.reserve(entry).commit(i + 1, true)
    }
    const honest = accepted(entryNaming(other, someCid(), 20))
    await node.index.reserve(honest).commit(41, true)
    const { wants } = node.index
    const seen = new Set<string>()
    const first = await wants.due(1_000, 32)
    expect(first.some(({ sizeBytes }) => sizeBytes === 20)).to.equal(true)
    for (let turn = 0; turn < 5; turn++) {
      for (const want of await wants.due(1_000, 32)) {
        seen.add(want.cid)
        await wants.postpone(want, 1_000)
      }
    }
    expect(seen.size).to.equal(41)
    expect(await wants.due(1_000, 32)).to.deep.equal([])
    expect(await wants.due(6_000, 32)).to.have.length(9)
    const [again] = await wants.due(6_000, 1)
    if (again == null) throw new Error('one is due')
    await wants.postpone(again, 6_000)
    const reopened = await openAcceptIndex(node.db)
    expect(reopened.wants.total()).to.equal(41)
    expect((await reopened.wants.due(15_999, 50)).some(({ cid }) => cid === again.cid)).to.equal(false)
  })
})

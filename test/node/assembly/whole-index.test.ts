import { expect } from 'chai'
import { signErasure } from '#core/custody/erasure.ts'
import { encodeMessage, entryKeyOf } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openTable } from '#node/store/database.ts'
import { forgetIndexes } from '#node/store/rebuild.ts'
import { osRandom } from '#scripts/story/people.ts'
import { createAcceptWorld, DAY, patientEntry, type AcceptWorld } from '#test/core/network/accept-world.ts'
import { byHttp, entryNaming, openPaperNode, someCid, type PaperNode } from '#test/node/assembly/paper-node.ts'
import { until } from '#test/node/network/peer.ts'

describe('an index that lacks messages of the log', () => {
  let world: AcceptWorld
  let node: PaperNode

  beforeEach(async () => {
    world = await createAcceptWorld()
    node = await openPaperNode(world)
  })
  afterEach(async () => {
    await node.stop()
  })

  /** Has every write to the index fail, as on a disk that has just become full. */
  function breakIndex(): () => void {
    const { db } = node
    const write = db.batch.bind(db) as (...args: unknown[]) => Promise<void>
    let isBroken = true
    Object.defineProperty(db, 'batch', {
      configurable: true,
      value: async (...args: unknown[]) => {
        const [changes] = args as [readonly { readonly key: string }[]]
        if (isBroken && changes.some(({ key }) => key.startsWith('!accept!')))
          throw new Error('No space left on device')
        await write(...args)
      }
    })
    return () => {
      isBroken = false
    }
  }
  const erasureOf = (entry: ReturnType<typeof patientEntry>): Uint8Array => {
    const { network, patient } = world
    const { cid } = decodeEntry(entry.header)
    const asked = { network, patient: patient.state.patient, day: DAY, nonce: osRandom(16), entries: [cid] }
    return encodeMessage({ kind: 'erasure', network, erasure: signErasure(p, asked, patient.keys) })
  }

  it('excludes what they exclude all the same, tells of them late, and is made whole by itself', async () => {
    const entry = patientEntry(world)
    const heard: string[] = []
    node.acceptor.onAccepted(({ kind }) => heard.push(kind))
    const mend = breakIndex()
    const { verdict, position } = await node.acceptor.accept(erasureOf(entry), byHttp)
    expect([verdict, position, heard]).to.deep.equal(['accept', 1, []])
    expect((await node.acceptor.accept(encodeMessage(entry), byHttp)).code).to.equal('ENTRY_ERASED')
    expect((await node.acceptor.accept(entryNaming(world.patient, someCid(), 10), byHttp)).position).to.equal(2)
    expect(node.index.cursor()).to.equal(0)
    mend()
    await until('it is whole', () => node.index.cursor() === 2)
    await until('it is told', () => heard.length === 2)
    expect(heard).to.deep.equal(['erasure', 'entry'])
    expect(
      (await node.again()).index.view.isErased(world.patient.state.patient, decodeEntry(entry.header).cid.toString())
    ).to.equal(true)
    expect(node.index.wants.total()).to.equal(1)
  })

  it('is made whole across messages that were erased, however many', async () => {
    const entries = Array.from({ length: 300 }, () => patientEntry(world))
    for (const entry of entries) await node.acceptor.accept(encodeMessage(entry), byHttp)
    const gone = entries.slice(2, 299).map(({ header }) => entryKeyOf(decodeEntry(header).cid))
    await node.messages.erase(gone, world.patient.state.patient)
    await forgetIndexes(node.db)
    const { acceptor, index } = await node.again()
    await acceptor.start()
    expect(index.cursor()).to.equal(300)
    const next = await acceptor.accept(encodeMessage(patientEntry(world)), byHttp)
    expect([next.position, index.cursor()]).to.deep.equal([301, 301])
    await acceptor.stop()
  })

  it('is made without a message that the disk has changed, and gets it when that is mended', async () => {
    const blob = someCid()
    const { position = 0 } = await node.acceptor.accept(entryNaming(world.patient, blob, 10), byHttp)
    await node.acceptor.accept(encodeMessage(patientEntry(world)), byHttp)
    const log = openTable(node.db, 'log')
    const [first] = await log.iterator({ limit: 1 }).all()
    if (first == null) throw new Error('a message')
    const [key, bytes] = first
    await log.put(key, bytes.slice(1))
    await forgetIndexes(node.db)
    const { acceptor, index } = await node.again()
    await acceptor.start()
    expect([index.cursor(), await index.largestSize(blob)]).to.deep.equal([2, undefined])
    await acceptor.reindex({ position, bytes })
    expect([index.cursor(), await index.largestSize(blob)]).to.deep.equal([2, 10])
    await acceptor.stop()
  })
})

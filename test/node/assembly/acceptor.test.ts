import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { signErasure } from '#core/custody/erasure.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { encodeKeyBundle } from '#core/identity/key-bundle.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { encodeMessage, entryKeyOf } from '#core/network/envelope.ts'
import { topicOf } from '#core/network/topic.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { Hex } from '#core/chain/events.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createDemoPatient } from '#scripts/story/people.ts'
import { createAcceptWorld, DAY, doctorEntry, patientEntry, type AcceptWorld } from '#test/core/network/accept-world.ts'
import {
  byGossip,
  byHttp,
  bySync,
  entryNaming,
  openPaperNode,
  someCid,
  type PaperNode
} from '#test/node/assembly/paper-node.ts'

describe('taking messages in', () => {
  let world: AcceptWorld
  let node: PaperNode

  beforeEach(async () => {
    world = await createAcceptWorld()
    node = await openPaperNode(world, { maxOpenWants: 8 })
  })

  afterEach(async () => {
    await node.stop()
  })

  it('does not let an envelope with broken evidence decide on the honest one', async () => {
    const good = patientEntry(world)
    const other = await createDemoPatient(world.deployment)
    const mixed = { sign: world.patient.keys.bundle.sign, kem: other.keys.bundle.kem }
    const evidence = encodeEvidence({ bundle: encodeKeyBundle(mixed) })
    const bad = node.acceptor.accept(encodeMessage({ ...good, evidence }), byGossip)
    const honest = await node.acceptor.accept(encodeMessage(good), bySync)
    expect(honest.verdict).to.equal('accept')
    expect((await bad).verdict).to.equal('ignore')
    expect(await node.messages.head()).to.equal(1)
  })

  it('lets only the same bytes wait in one place', async () => {
    const stranger = await createDemoPatient(world.deployment)
    const early = patientEntry({ ...world, patient: stranger })
    const whole = encodeMessage(early)
    const origin = { ...byGossip, waitMs: 0 }
    expect((await node.acceptor.accept(encodeMessage({ ...early, blob: null }), origin)).retry).to.equal(false)
    expect((await node.acceptor.accept(whole, origin)).retry).to.equal(false)
    registered(stranger)
    const due = await node.pending.due(world.chain.view())
    expect(due.map(({ bytes }) => Buffer.from(bytes).equals(whole)).sort()).to.deep.equal([false, true])
  })

  it('judges a copy on its own topic, whatever topic another came on', async () => {
    const grant = Array.from(world.chain.rows).find(([key]) => key.startsWith('grant/'))
    const bytes = encodeMessage(doctorEntry(world))
    if (grant == null) throw new Error('the world has a grant')
    world.chain.rows.delete(grant[0])
    expect(await node.acceptor.accept(bytes, { ...byGossip, topic: '/salus/1/00000000/0' })).to.deep.equal({
      verdict: 'reject',
      code: 'MESSAGE_TOPIC'
    })
    const topic = topicOf(p, world.network, world.patient.state.patient)
    const honest = node.acceptor.accept(bytes, { ...byGossip, topic })
    world.chain.rows.set(...grant)
    node.block()
    expect((await honest).verdict).to.equal('accept')
  })

  it('keeps the blob of a whole message although a copy without it came first', async () => {
    const whole = patientEntry(world)
    const { header } = decodeEntry(whole.header)
    await node.acceptor.accept(encodeMessage({ ...whole, blob: null }), byGossip)
    expect(await node.blockstore.has(header.blob)).to.equal(false)
    expect(node.index.wants.total()).to.equal(1)
    const forged = Uint8Array.from(whole.blob ?? [], byte => byte ^ 1)
    const refused = await node.acceptor.accept(encodeMessage({ ...whole, blob: forged }), byHttp)
    expect(refused.code).to.equal('BLOB_DIGEST')
    const short = await node.acceptor.accept(encodeMessage({ ...whole, blob: forged.subarray(1) }), byHttp)
    expect(short.code).to.equal('BLOB_SIZE')
    const known = await node.acceptor.accept(encodeMessage(whole), byHttp)
    expect(known).to.deep.equal({ verdict: 'ignore', code: 'MESSAGE_KNOWN', position: 1 })
    expect(await node.blockstore.has(header.blob)).to.equal(true)
    expect(node.index.wants.total()).to.equal(0)
  })

  it('does not write an entry that is erased while its blob is put', async () => {
    const entry = patientEntry(world)
    const { cid } = decodeEntry(entry.header)
    const { network, patient, keys } = { ...world, ...world.patient, patient: world.patient.state.patient }
    const nonce = new Uint8Array(16)
    const erasure = signErasure(p, { network, patient, day: DAY, nonce, entries: [cid] }, keys)
    const put = node.blockstore.put.bind(node.blockstore)
    let erased: Awaited<ReturnType<typeof node.acceptor.accept>> | undefined
    node.blockstore.put = async (...args) => {
      erased = await node.acceptor.accept(encodeMessage({ kind: 'erasure', network, erasure }), byHttp)
      return put(...args)
    }
    const outcome = await node.acceptor.accept(encodeMessage(entry), byHttp)
    expect(erased?.verdict).to.equal('accept')
    expect(outcome).to.include({ verdict: 'ignore', code: 'ENTRY_ERASED' })
    expect(await node.messages.getByKey(entryKeyOf(cid))).to.equal(undefined)
  })

  it('takes one of two envelopes of a message that come at once, and the blob of both', async () => {
    const whole = patientEntry(world)
    const outcomes = await Promise.all([
      node.acceptor.accept(encodeMessage({ ...whole, blob: null }), byGossip),
      node.acceptor.accept(encodeMessage(whole), byHttp)
    ])
    expect(outcomes.map(({ verdict }) => verdict).sort()).to.deep.equal(['accept', 'ignore'])
    expect(await node.blockstore.has(decodeEntry(whole.header).header.blob)).to.equal(true)
  })

  it('looks again at a waiting message only when the chain says something new of what it waits for', async () => {
    const stranger = await createDemoPatient(world.deployment)
    const bytes = encodeMessage(patientEntry({ ...world, patient: stranger }))
    await node.acceptor.accept(bytes, { ...byGossip, waitMs: 0 })
    for (let i = 0; i < 3; i++) expect(await node.pending.due(world.chain.view())).to.deep.equal([])
    registered(stranger)
    const taken = new Promise<void>(resolve => node.acceptor.onAccepted(() => resolve()))
    node.block()
    await taken
    expect(await node.messages.head()).to.equal(1)
  })

  it('gives each peer a share of the queue, so that one cannot hold up what others send', async () => {
    const stranger = await createDemoPatient(world.deployment)
    const early = (): Uint8Array => encodeMessage(patientEntry({ ...world, patient: stranger }))
    const outcomes = []
    for (let i = 0; i < 65; i++) outcomes.push(await node.acceptor.accept(early(), { ...byGossip, waitMs: 0 }))
    expect(outcomes.filter(({ retry }) => retry === false)).to.have.length(64)
    expect((await node.acceptor.accept(early(), bySync)).retry).to.equal(false)
  })

  it('bounds the blobs that one patient has wanted at once', async () => {
    for (let i = 0; i < 8; i++) await node.acceptor.accept(entryNaming(world.patient, someCid(), 300_000), byHttp)
    const next = entryNaming(world.patient, someCid(), 300_000)
    expect((await node.acceptor.accept(next, byHttp)).code).to.equal('BLOB_QUOTA')
    expect((await node.acceptor.accept(encodeMessage(patientEntry(world)), byHttp)).verdict).to.equal('accept')
    expect((await node.acceptor.accept(next, bySync)).verdict).to.equal('accept')
  })

  function registered(patient: Awaited<ReturnType<typeof createDemoPatient>>): void {
    const keyBundle = keccak256(patient.keys.bundleBytes) as Hex
    world.chain.add({ name: 'PatientRegistered', patient: toHex(patient.state.patient), signer: '0x', keyBundle })
  }
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ChainView } from '#core/chain/view.ts'
import { openPending, type Wait } from '#node/assembly/pending.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { PaperChain } from '#test/core/network/accept-world.ts'

describe('the queue of waiting messages', () => {
  let dir: string
  let db: Database
  const patient = `0x${'11'.repeat(32)}` as const
  const wait: Wait = { awaited: { kind: 'patient', id: patient }, seen: '' }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-pending-'))
    db = await openDatabase(dir)
  })

  afterEach(async () => {
    await db.close()
    await rm(dir, { recursive: true, force: true })
  })

  function at(timeS: number, chain: PaperChain = new PaperChain()): ChainView {
    chain.timeS = timeS
    return chain.view()
  }

  it('is bounded in messages and bytes, and takes each message once', async () => {
    const few = await openPending(db, { maxMessages: 2 })
    expect(await few.add('a', new Uint8Array(10), 'x', wait, 0)).to.equal(true)
    expect(await few.add('a', new Uint8Array(10), 'x', wait, 0)).to.equal(true)
    expect(await few.add('b', new Uint8Array(10), 'x', wait, 0)).to.equal(true)
    expect(await few.add('c', new Uint8Array(10), 'x', wait, 0)).to.equal(false)
    await few.remove('a')
    expect(await few.add('c', new Uint8Array(10), 'x', wait, 0)).to.equal(true)
    const small = await openPending(db, { maxBytes: 25 })
    expect(await small.add('d', new Uint8Array(10), 'x', wait, 0)).to.equal(false)
  })

  it('gives each peer its share', async () => {
    const shared = await openPending(db, { maxPeerMessages: 1 })
    expect(await shared.add('a', new Uint8Array(1), 'x', wait, 0)).to.equal(true)
    expect(await shared.add('b', new Uint8Array(1), 'x', wait, 0)).to.equal(false)
    expect(await shared.add('b', new Uint8Array(1), 'y', wait, 0)).to.equal(true)
    await shared.remove('a')
    expect(await shared.add('c', new Uint8Array(1), 'x', wait, 0)).to.equal(true)
  })

  it('gives out only what the chain says something new of', async () => {
    const chain = new PaperChain()
    const pending = await openPending(db)
    await pending.add('a', Uint8Array.of(1), 'x', wait, 1_000)
    await pending.add('b', Uint8Array.of(2), 'x', { awaited: { kind: 'time', atS: 1_100 }, seen: 'false' }, 1_000)
    expect(await pending.due(at(1_050, chain))).to.deep.equal([])
    expect(await pending.due(at(1_100, chain))).to.deep.equal([{ key: 'b', bytes: Uint8Array.of(2) }])
    chain.add({ name: 'PatientRegistered', patient, signer: '0x', keyBundle: patient })
    expect((await pending.due(at(1_050, chain))).map(({ key }) => key)).to.deep.equal(['a'])
    pending.again('a', { ...wait, seen: patient })
    expect(await pending.due(at(1_050, chain))).to.deep.equal([])
  })

  it('does not wait for what comes too late', async () => {
    const pending = await openPending(db)
    const far: Wait = { awaited: { kind: 'time', atS: 1_601 }, seen: 'false' }
    expect(await pending.add('a', Uint8Array.of(1), 'x', far, 1_000)).to.equal(false)
  })

  it('survives a restart and forgets after ten minutes of the chain', async () => {
    await (await openPending(db)).add('a', Uint8Array.of(1, 2), 'x', wait, 1_000)
    const again = await openPending(db)
    // Neither times nor waits are kept: the first look counts as the arrival, and judges once.
    expect(await again.due(at(5_000))).to.deep.equal([{ key: 'a', bytes: Uint8Array.of(1, 2) }])
    expect(await again.due(at(5_600))).to.have.length(1)
    expect(await again.due(at(5_601))).to.deep.equal([])
    expect(await (await openPending(db)).due(at(9_000))).to.deep.equal([])
  })
})

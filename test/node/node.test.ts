import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { pino } from 'pino'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createNode } from '#node/node.ts'
import { openDatabase, openTable } from '#node/store/database.ts'
import type { DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'
import {
  createTestWorld,
  messageOf,
  noteOf,
  readRequest,
  until,
  type TestNode,
  type TestWorld
} from '#test/node/http/world.ts'

describe('a network of nodes', function () {
  this.timeout(90_000)
  let world: TestWorld
  let first: TestNode
  let patient: DemoPatient

  beforeEach(async () => {
    world = await createTestWorld()
    first = await world.node()
    patient = await world.patient(first)
  })

  afterEach(async () => {
    await world.stop()
  })

  async function entriesAt(node: TestNode): Promise<string[]> {
    const authorization = await readRequest(node, patient, patient.state.patient, null)
    const { entries } = await node.client.queryEntries({ authorization })
    return entries.map(({ header }) => toHex(header))
  }

  it('passes an entry and its large blob on to a peer', async () => {
    const second = await world.node({ peers: [first.multiaddr], relayer: 2 })
    await until(async () => (await second.client.status()).peers > 0)
    const note = noteOf(patient, 2 << 20)
    await first.client.publish(messageOf(world.network, patient, note, false))
    await first.client.putBlob(decodeEntry(note.headerBytes).header.blob.toString(), note.blob)
    await until(async () => (await second.client.status()).messages === 1)
    await until(async () => (await second.client.status()).blobsWanted === 0)
    await first.stop()
    const blob = await second.client.getBlob(decodeEntry(note.headerBytes).header.blob.toString())
    expect(Buffer.from(blob).equals(note.blob)).to.equal(true)
    expect(await entriesAt(second)).to.deep.equal([toHex(note.headerBytes)])
  })

  it('keeps what it acknowledged over a restart, and its identity', async () => {
    const note = noteOf(patient)
    const { position } = await first.client.publish(messageOf(world.network, patient, note))
    const { peerId } = await first.client.status()
    await first.node.stop()
    const again = await world.node({ dataDir: first.dataDir })
    expect((await again.client.status()).peerId).to.equal(peerId)
    expect(await entriesAt(again)).to.deep.equal([toHex(note.headerBytes)])
    expect(await again.client.publish(messageOf(world.network, patient, note))).to.deep.equal({
      status: 'known',
      position
    })
  })

  it('makes the index of its messages again where a crash lost it', async () => {
    const { grantId } = await world.grantee(first, patient, 1)
    await first.node.stop()
    const db = await openDatabase(join(first.dataDir, 'db'))
    await openTable(db, 'accept').clear()
    await db.close()
    const again = await world.node({ dataDir: first.dataDir })
    expect(await again.client.queryCapsules(toHex(grantId))).to.have.length(1)
  })

  it('brings a node that was away up to date', async () => {
    const notes = [noteOf(patient), noteOf(patient)]
    for (const note of notes) await first.client.publish(messageOf(world.network, patient, note))
    const late = await world.node({ peers: [first.multiaddr], relayer: 2 })
    await until(async () => (await late.client.status()).messages === 2)
    expect(await entriesAt(late)).to.have.members(notes.map(({ headerBytes }) => toHex(headerBytes)))
  })

  it('lets a message wait that a peer knows of before the chain says so here', async () => {
    // Fifty confirmations: this node is behind, as one whose endpoint is slow.
    const slow = await world.node({ peers: [first.multiaddr], relayer: 2, follower: { pollMs: 50, confirmations: 40 } })
    await until(async () => (await slow.client.status()).peers > 0)
    await first.client.publish(messageOf(world.network, patient, noteOf(patient)))
    await expectCode('READ_NOT_YET', async () => entriesAt(slow))
    await world.chain.provider.send('anvil_mine', ['0x40'])
    await until(async () => (await slow.client.status()).messages === 1)
    expect(await entriesAt(slow)).to.have.length(1)
  })

  it('says that it waits for the chain, and goes on when it is there', async () => {
    await world.chain.chain.stop()
    await until(async () => !(await first.client.ready().catch(() => ({ ok: false }))).ok)
    expect((await first.client.status()).chain.state).to.equal('waiting')
  })

  it('can be stopped while it waits for a chain that is not there', async () => {
    const provider = createProvider('http://127.0.0.1:9', world.chain.deployment.chainId)
    const dataDir = `${first.dataDir}-waiting`
    let isWaiting = false
    const write = (line: string): void => {
      isWaiting ||= line.includes('CHAIN_UNREACHABLE')
    }
    const log = pino({ level: 'warn' }, { write })
    const node = createNode(
      { provider, deployment: world.chain.deployment, log },
      { dataDir, host: { listen: [] }, http: { port: 0 }, version: '0.0.0', follower: { pollMs: 20 } }
    )
    const outcome = expectCode('CHAIN_STOPPED', async () => node.start())
    await until(() => isWaiting)
    await node.stop()
    await outcome
    provider.destroy()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('leaves nothing open when it is stopped at any moment of its start', async () => {
    const dataDir = `${first.dataDir}-brief`
    for (const ticks of [0, 1, 5, 20, 100]) {
      const provider = createProvider(world.chain.rpcUrl, world.chain.deployment.chainId)
      const node = createNode(
        { provider, deployment: world.chain.deployment, log: silentLog },
        { dataDir, host: { listen: [] }, http: { port: 0 }, version: '0.0.0', follower: { pollMs: 20 } }
      )
      const started = Promise.allSettled([node.start()])
      for (let tick = 0; tick < ticks; tick++) await nextTurn()
      await node.stop()
      // Opens only if no other holds the lock.
      await (await openDatabase(join(dataDir, 'db'))).close()
      await started
      provider.destroy()
    }
    await rm(dataDir, { recursive: true, force: true })
  })

  it('refuses a folder that another node uses', async () => {
    await expectCode('STORE_LOCKED', async () => world.node({ dataDir: first.dataDir }))
  })
})

import { expect } from 'chai'
import type { Agent } from '#agent/agent.ts'
import { eraseEntry } from '#agent/custody/erasure.ts'
import { replaceKeys } from '#agent/patient/grants.ts'
import { importFile } from '#agent/patient/import.ts'
import { reviseEntry } from '#agent/patient/revise.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { seededRandom } from '#test/seeded-random.ts'
import type { PaperNetwork } from '#test/agent/paper-agent.ts'
import { openTwoDevices, type TwoDevices } from '#test/agent/two-devices.ts'

const NOW_MS = 1_795_180_000_000

describe('what waits in the outbox', () => {
  let network: PaperNetwork
  let devices: TwoDevices
  let first: Agent
  let second: Agent

  beforeEach(async () => {
    devices = await openTwoDevices(NOW_MS)
    ;({ network, first, second } = devices)
  })

  afterEach(async () => devices.close())

  function refuse(what: string, code: string): void {
    network.before = each => {
      if (each === what) throw new SalusError(code, 'Refused on paper.')
    }
  }

  const write = async (agent: Agent, bytes: Uint8Array): Promise<string> =>
    (await importFile(agent, { bytes, type: 'text/plain', compartment: 'labs' })).entries[0] ?? ''
  const headersOf = (id: string): number =>
    network.entries().filter(({ header }) => toHex(decodeEntry(header).header.entry) === id).length

  it('is told on top of what another device said of the same entry meanwhile', async () => {
    const entry = await write(first, utf8('one'))
    const say = async (agent: Agent, text: string) =>
      reviseEntry(agent, { kind: 'update', entry, reason: '', content: { type: 'text/plain', body: utf8(text) } })
    refuse('entry', 'STORE_BUSY')
    expect((await say(first, 'mine')).waiting).to.equal(1)
    network.before = () => undefined
    await say(second, 'theirs')
    expect(await first.operations.resume()).to.equal(0)
    const { read } = await second.record.read(entry)
    const texts = read.history.map(({ content }) => new TextDecoder().decode(content?.body))
    expect(texts).to.deep.equal(['one', 'theirs', 'mine'])
    expect(read.standing.map(({ content }) => new TextDecoder().decode(content?.body))).to.deep.equal(['mine'])
    expect(await first.outbox.names()).to.deep.equal([])
  })

  it('says which header was written where another device was first', async () => {
    const entry = await write(first, utf8('one'))
    const wish = (text: string) =>
      ({ kind: 'update', entry, reason: '', content: { type: 'text/plain', body: utf8(text) } }) as const
    let isDone = false
    network.before = what => {
      if (what !== 'entry' || isDone) return
      isDone = true
      throw new SalusError('ENTRY_REVISION_USED', 'Refused on paper.')
    }
    const { header, waiting } = await reviseEntry(first, wish('mine'))
    expect(waiting).to.equal(0)
    expect((await first.record.log()).node(header)?.stands).to.equal(true)
  })

  it('is sealed again once, however often handing it in fails', async () => {
    const file = { bytes: seededRandom('image')(100_000), type: 'image/png', compartment: 'labs' }
    refuse('entry', 'STORE_BUSY')
    const [entry = ''] = (await importFile(first, file)).entries
    network.before = () => undefined
    await replaceKeys(second, ['labs'])
    refuse('blob', 'NODE_TIMEOUT')
    for (let i = 0; i < 3; i++) {
      expect(await first.operations.resume()).to.equal(1)
      expect(await first.outbox.names()).to.have.lengthOf(1)
    }
    network.before = () => undefined
    expect(await first.operations.resume()).to.equal(0)
    expect(headersOf(entry)).to.equal(1)
    expect((await first.record.open(entry)).content.body).to.deep.equal(file.bytes)
  })

  it('is the same entry where the same file is written again', async () => {
    const entry = await write(first, utf8('one'))
    expect(await write(first, utf8('one'))).to.equal(entry)
    expect(await write(second, utf8('one'))).to.equal(entry)
    expect(headersOf(entry)).to.equal(1)
  })

  it('is another entry where a node has used its name up, and the record has nothing of it', async () => {
    let isDone = false
    network.before = what => {
      if (what !== 'entry' || isDone) return
      isDone = true
      throw new SalusError('ENTRY_REVISION_USED', 'Refused on paper.')
    }
    const entry = await write(first, utf8('one'))
    expect(headersOf(entry)).to.equal(0)
    const { entries } = await first.record.list({ after: 0, limit: 10 })
    expect(entries).to.have.lengthOf(1)
    expect((await first.record.open(entries[0]!.cid.toString())).content.body).to.deep.equal(utf8('one'))
  })

  it('is written again where the same file was erased before', async () => {
    const [kept, gone] = [await write(first, utf8('kept')), await write(first, utf8('one'))]
    await eraseEntry(first, gone)
    expect(headersOf(gone)).to.equal(0)
    const again = await write(first, utf8('one'))
    expect(again).to.equal(gone)
    const texts = async (agent: Agent): Promise<string[]> => {
      const { entries } = await agent.record.list({ after: 0, limit: 10 })
      const opened = await Promise.all(entries.map(async ({ cid }) => agent.record.open(cid.toString())))
      return opened.map(({ content }) => new TextDecoder().decode(content.body))
    }
    expect(await texts(first)).to.deep.equal(['kept', 'one'])
    expect(await texts(second)).to.deep.equal(['kept', 'one'])
    expect([headersOf(kept), headersOf(gone)]).to.deep.equal([1, 1])
  })
})

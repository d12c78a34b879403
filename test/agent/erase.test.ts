import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createKeeper } from '#agent/vault/keeper.ts'
import { placeOfEntry } from '#core/agent/patient-entries.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { openEntry } from '#core/record/seal-entry.ts'
import { decodeSlot } from '#core/record/slot.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { nativeStretch } from '#node/crypto/native-scrypt.ts'
import { openDatabase } from '#node/store/database.ts'
import { until } from '#scripts/story/until.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Entry {
  entry: string
  header: string
}

interface Found {
  readonly body: string
  readonly wrapped: Uint8Array
}

describe('an entry that its patient erases', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let patient: AgentProcess
  let others: string[]
  let certificate: string
  let erased: Found
  let state: PatientState

  const secret = 'what nobody shall ever read again'
  const entriesOf = async (): Promise<Entry[]> =>
    (await patient.client.get<{ entries: Entry[] }>('/v1/patient/entries')).entries

  before(async () => {
    world = await createAgentWorld()
    others = world.nodes.slice(1).map(({ httpUrl }) => httpUrl)
    certificate = join(world.dir, 'certificate.json')
    patient = await world.agent('patient')
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    await patient.run('patient', 'import', await world.file('secret.txt', secret))
    await patient.run('patient', 'import', await world.file('kept.txt', 'what stays'))
    state = await stateOf(patient)
    for (const { dataDir } of world.nodes) {
      await until('every disk gives both', 60_000, async () => (await openAll(dataDir)).length === 2)
    }
    erased = (await openAll(world.nodes[0]!.dataDir)).find(({ body }) => body === secret)!
  })

  after(async () => {
    await world.stop()
  })

  /** Everything that the patient's own agent knows: who has all its keys. */
  async function stateOf({ home }: AgentProcess): Promise<PatientState> {
    const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
    const copy = await mkdtemp(join(tmpdir(), 'salus-home-'))
    await cp(home, copy, { recursive: true })
    const keeper = createKeeper({ p, random, stretch: nativeStretch }, { home: copy })
    await keeper.unlock(PASSPHRASE)
    const kept = keeper.state().patient!.state
    const found = structuredClone(kept)
    await keeper.lock()
    await rm(copy, { recursive: true, force: true })
    return found
  }

  /** All bodies that a copy of a node's disk gives to who has every key of the patient. */
  async function openAll(dataDir: string): Promise<Found[]> {
    const copy = await mkdtemp(join(tmpdir(), 'salus-disk-'))
    await cp(join(dataDir, 'db'), copy, { recursive: true }).catch(() => undefined)
    const db = await openDatabase(copy)
    try {
      const found: Found[] = []
      for await (const bytes of db.values()) {
        const opened = tryOpen(Uint8Array.from(bytes))
        if (opened != null) found.push(opened)
      }
      return found
    } finally {
      await db.close()
      await rm(copy, { recursive: true, force: true })
    }
  }

  function tryOpen(bytes: Uint8Array): Found | undefined {
    try {
      const message = decodeMessage(bytes, state.network)
      if (message.kind !== 'entry' || message.blob == null) return undefined
      const { header } = decodeEntry(message.header)
      if (!equalBytes(header.patient, state.patient)) return undefined
      const { leafKey } = placeOfEntry(p, state, header)
      const sealed = { headerBytes: message.header, slotBytes: message.slot, blob: message.blob }
      const { content } = openEntry(p, { ...sealed, leafKey, tag: header.tag })
      return { body: new TextDecoder().decode(content.body), wrapped: decodeSlot(message.slot).wrapped }
    } catch (error) {
      if (isSalusError(error)) return undefined
      throw error
    }
  }

  /** Files below a folder that hold bytes. */
  async function filesWith(dir: string, bytes: Uint8Array): Promise<string[]> {
    const found: string[] = []
    for (const file of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue
      const content = await readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0))
      if (content.includes(Buffer.from(bytes))) found.push(file.name)
    }
    return found
  }

  it('is attested by every keeper, and who is away is named until it is back', async () => {
    for (const { dataDir } of world.nodes) expect(await filesWith(dataDir, erased.wrapped)).to.not.deep.equal([])
    const entries = await entriesOf()
    expect(entries).to.have.lengthOf(2)
    const bodies = await Promise.all(
      entries.map(async ({ header }) => patient.client.bytes(`/v1/patient/entries/${header}/body`))
    )
    const at = bodies.findIndex(body => Buffer.from(body).toString() === secret)
    const away = ['--keepers', ...others, 'http://127.0.0.1:1', '--wait', '4', '--certificate', certificate]
    const first = await patient.run('patient', 'erase', entries[at]!.entry, ...away)
    expect(first).to.include({ isComplete: false })
    expect(first['unreachable']).to.deep.equal(['http://127.0.0.1:1'])
    const again = await patient.run('patient', 'erase', '--keepers', ...others, '--certificate', certificate)
    expect(again).to.include({ isComplete: true })
    expect((again['attested'] as { had: number }[]).map(({ had }) => had)).to.deep.equal([1, 1, 1])
    expect(again['missing']).to.deep.equal([])
  })

  it('is gone from the list, and cannot be erased or named again', async () => {
    const entries = await entriesOf()
    expect(entries).to.have.lengthOf(1)
    const gone = ['patient', 'erase', `0x${'00'.repeat(16)}`, '--certificate', join(world.dir, 'none.json')]
    expect((await patient.attempt(...gone)).errorText).to.contain('ENTRY_UNKNOWN')
    const none = ['patient', 'erase', '--certificate', join(world.dir, 'none.json')]
    expect((await patient.attempt(...none)).errorText).to.contain('ERASURE_CERTIFICATE')
    const forged = await world.file('forged.json', JSON.stringify({ erasure: 'AAAA' }))
    expect((await patient.attempt('patient', 'erase', '--certificate', forged)).errorText).to.contain('ERASURE_')
  })

  it('opens from no disk, not even for who has every key, the chain’s included', async () => {
    for (const { dataDir } of world.nodes) {
      expect((await openAll(dataDir)).map(({ body }) => body)).to.deep.equal(['what stays'])
      expect(await filesWith(dataDir, erased.wrapped)).to.deep.equal([])
    }
    expect(await filesWith(join(world.dir, 'chain'), erased.wrapped)).to.deep.equal([])
    expect(await filesWith(join(world.dir, 'logs'), erased.wrapped)).to.deep.equal([])
    expect(await filesWith(patient.home, erased.wrapped)).to.deep.equal([])
  })
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { grantTo } from '#test/agent/granting.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Listed {
  entry: string
  header: string
  place: string
  status: string
  act: string | null
  reason: string
  proposals: number
  comments: number
  code: string | null
}

interface Version {
  header: string
  act: string
  reason: string
  text: string | null
  author: { kind: string }
}

interface Shown {
  status: string
  standing: Version[]
  proposed: Version[]
  originals: Version[]
  history: Version[]
  comments: { entry: string; standing: Version[] }[]
}

describe('entries with their revisions, between two agents', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let patient: AgentProcess
  let doctor: AgentProcess
  let grant: string
  let entry: string

  const listed = async (): Promise<Listed[]> => (await patient.run('patient', 'entries'))['entries'] as Listed[]
  const show = async (id = entry): Promise<Shown> =>
    (await patient.run('patient', 'entry', 'show', id)) as unknown as Shown
  const texts = (versions: readonly Version[]): (string | null)[] => versions.map(({ text }) => text)

  /** Entries by others take a moment from node to node. */
  async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
    const deadline = Date.now() + 30_000
    for (;;) {
      const seen = await look()
      if (holds(seen) || Date.now() > deadline) return seen
      await pause(500)
    }
  }

  before(async () => {
    world = await createAgentWorld()
    patient = await world.agent('patient')
    doctor = await world.agent('doctor', { node: 1 })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile, '--device', 'laptop')
    await doctor.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    await patient.run('patient', 'import', await world.file('note.txt', 'blood group A'))
    entry = (await listed())[0]?.entry ?? ''
    grant = await grantTo(patient, doctor, ['--compartment', 'documents', '--read', '--write', '--history'])
  })

  after(async () => {
    await world.stop()
  })

  it('correct what was wrong, and keep it readable', async () => {
    const right = await world.file('right.txt', 'blood group B')
    const refused = await patient.attempt('patient', 'entry', 'correct', entry, right)
    expect(refused.errorText).to.contain('STATEMENT_SHAPE')
    await patient.run('patient', 'entry', 'correct', entry, right, '--because', 'typing error')
    const { status, standing, history } = await show()
    expect(status).to.equal('current')
    expect(texts(standing)).to.deep.equal(['blood group B'])
    expect(standing[0]).to.include({ act: 'correct', reason: 'typing error' })
    expect(texts(history)).to.deep.equal(['blood group A', 'blood group B'])
    expect((await listed()).map(({ place }) => place)).to.deep.equal(['superseded', 'stands'])
    expect(await readBody(entry)).to.equal('blood group B')
  })

  it('show what another says as a proposal, until it is accepted or declined', async () => {
    const other = await world.file('other.txt', 'blood group zero')
    await until(
      async () => (await doctor.run('clinician', 'read', grant))['entries'] as Listed[],
      seen => seen.some(({ act }) => act === 'correct')
    )
    await doctor.run('clinician', 'entry', 'correct', grant, entry, other, '--because', 'laboratory report')
    const proposed = await until(show, ({ proposed }) => proposed.length > 0)
    expect(texts(proposed.standing)).to.deep.equal(['blood group B'])
    expect(proposed.proposed[0]).to.deep.include({ text: 'blood group zero', reason: 'laboratory report' })
    const header = proposed.proposed[0]?.header ?? ''
    expect((await patient.attempt('patient', 'entry', 'decline', entry, header)).errorText).to.contain(
      'STATEMENT_SHAPE'
    )
    await patient.run('patient', 'entry', 'decline', entry, header, '--because', 'another person’s report')
    const declined = await show()
    expect(texts(declined.standing)).to.deep.equal(['blood group B'])
    expect(declined.proposed).to.have.lengthOf(0)
    expect((await patient.attempt('patient', 'entry', 'accept', entry, header)).errorText).to.contain(
      'REVISION_NO_PROPOSAL'
    )
  })

  it('take a proposal up with the reason that it gave', async () => {
    await until(
      async () => (await doctor.run('clinician', 'read', grant))['entries'] as Listed[],
      seen => seen.some(({ act }) => act === 'decline')
    )
    const again = await world.file('again.txt', 'blood group AB')
    await doctor.run('clinician', 'entry', 'correct', grant, entry, again, '--because', 'second report')
    const { proposed } = await until(show, seen => seen.proposed.length > 0)
    await patient.run('patient', 'entry', 'accept', entry, proposed[0]?.header ?? '')
    const { standing } = await show()
    expect(standing[0]).to.deep.include({ text: 'blood group AB', reason: 'second report', act: 'correct' })
    expect(standing[0]?.author.kind).to.equal('patient')
  })

  it('attach comments', async () => {
    const comment = await world.file('comment.txt', 'please repeat the test')
    await doctor.run('clinician', 'entry', 'comment', grant, entry, comment)
    const { comments } = await until(show, seen => seen.comments.length > 0)
    expect(comments.map(({ standing }) => texts(standing))).to.deep.equal([['please repeat the test']])
    const newest = (await listed()).find(each => each.entry === entry && each.place === 'stands')
    expect(newest).to.include({ comments: 1, proposals: 0, status: 'current' })
  })

  it('find words and days in what stands, and nothing that is gone', async () => {
    const found = async (...args: string[]): Promise<Listed[]> =>
      (await patient.run('patient', 'search', ...args))['entries'] as Listed[]
    expect((await found('blood ab')).map(each => each.entry)).to.deep.equal([entry])
    expect(await found('blood zero')).to.have.lengthOf(0)
    expect(await found('repe*')).to.have.lengthOf(1)
    expect(await found('blood', '--to', '2001-01-01')).to.have.lengthOf(0)
    expect(await found('blood', '--from', '2001-01-01', '--compartment', 'labs')).to.have.lengthOf(0)
    const { entries } = await doctor.run('clinician', 'search', grant, 'repeat')
    expect(entries).to.have.lengthOf(1)
  })

  it('retract, and say so', async () => {
    await patient.run('patient', 'import', await world.file('wrong.txt', 'unicorn'))
    const wrong = (await listed()).at(-1)?.entry ?? ''
    await patient.run('patient', 'entry', 'retract', wrong, '--because', 'of somebody else')
    const { status, history } = await show(wrong)
    expect([status, texts(history)]).to.deep.equal(['retracted', ['unicorn', null]])
    expect((await patient.attempt('patient', 'entry', 'update', `0x${'ab'.repeat(16)}`, 'x')).code).to.not.equal(0)
    expect((await patient.run('patient', 'search', 'unicorn'))['entries']).to.have.lengthOf(0)
  })

  it('hold all of it after a restart, sealed on the disk', async () => {
    const before = await listed()
    await patient.stop()
    const files = await readFile(join(world.dir, 'patient', 'index', 'CURRENT'), 'utf8')
    expect(files).to.contain('MANIFEST')
    patient = await world.agent('patient')
    await patient.run('agent', 'unlock', '--passphrase-file', world.passphraseFile)
    expect(await listed()).to.deep.equal(before)
    expect((await patient.run('patient', 'search', 'blood ab'))['entries']).to.have.lengthOf(1)
  })

  async function readBody(name: string): Promise<string> {
    return new TextDecoder().decode(await patient.client.bytes(`/v1/patient/entries/${name}/body`))
  }
})

import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCustodyClient } from '#node/http/client-custody.ts'
import { until } from '#scripts/story/until.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Entry {
  readonly code?: string
  header: string
  type: string | null
}

const entriesIn = (answer: Record<string, unknown>): Entry[] => answer['entries'] as Entry[]
const textOf = (answer: Record<string, unknown>, field: string): string => (answer[field] as { text: string }).text

describe('a grant whose keys custodians give once', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let patient: AgentProcess
  let doctor: AgentProcess
  let custodians: string[]
  let grant: string
  let answer: string

  before(async () => {
    world = await createAgentWorld({ nodeArgs: ['--custodian', '--custody-finality', '4'] })
    custodians = world.nodes.map(({ httpUrl }) => httpUrl)
    patient = await world.agent('patient')
    doctor = await world.agent('doctor', { node: 1 })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    await doctor.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    await patient.run('patient', 'import', await world.file('letter.txt', 'Dear colleague'))
    await patient.run('patient', 'import', await world.file('scan.png', Buffer.alloc(300_000, 7)))
  })

  after(async () => {
    await world.stop()
  })

  const ask = async (...more: string[]): Promise<string> => {
    const asked = ['clinician', 'request', '--name', 'Dr. A', '--compartment', 'documents', '--read', '--history']
    return textOf(await doctor.run(...asked, ...more), 'code')
  }

  it('is refused for more than one use, with one custodian, or with the same one twice', async () => {
    const code = await ask()
    const [first = '', second = ''] = custodians
    const refuse = async (expected: string, ...options: string[]) => {
      const { errorText } = await patient.attempt('patient', 'grant', '--to', code, ...options)
      expect(errorText).to.contain(expected)
    }
    await refuse('GRANT_ONCE', '--uses', '2', '--custodians', ...custodians)
    await refuse('GRANT_ONCE', '--custodians', ...custodians)
    await refuse('HTTP_BODY_SHAPE', '--once', '--custodians', first)
    await refuse('CUSTODIANS_CHOICE', '--once', '--custodians', first, first)
    await refuse('SHARES_RANGE', '--once', '--custodians', first, second, '--threshold', '3')
    expect((await patient.run('patient', 'grants'))['grants']).to.deep.equal([])
  })

  it('is given by shares, without a capsule, and says so', async () => {
    const code = await ask()
    const given = await patient.run('patient', 'grant', '--to', code, '--once', '--custodians', ...custodians)
    grant = String(given['grant'])
    answer = textOf(given, 'answer')
    expect(given['progress']).to.deep.equal({ state: 'done', code: null })
    const { grants } = (await patient.run('patient', 'grants')) as { grants: { uses: number; custody: string }[] }
    expect(grants.map(({ uses, custody }) => [uses, custody])).to.deep.equal([[1, 'shared']])
    for (const { client } of world.nodes) expect(await client.queryCapsules(grant)).to.deep.equal([])
  })

  it('gets no capsule when keys are replaced, though others of the same part do', async () => {
    const other = await ask()
    const given = await patient.run('patient', 'grant', '--to', other)
    await patient.run('patient', 'revoke', String(given['grant']))
    const { grants } = (await patient.run('patient', 'grants')) as { grants: { custody: string | null }[] }
    expect(grants.map(({ custody }) => custody)).to.deep.equal(['outdated', null])
    for (const { client } of world.nodes) expect(await client.queryCapsules(grant)).to.deep.equal([])
    await patient.run('patient', 'import', await world.file('later.txt', 'after the keys were replaced'))
  })

  it('is claimed once on the chain, and opened with what two of three custodians give', async () => {
    const [, , third] = world.nodes
    await third?.service.stop()
    const claimed = await doctor.run('clinician', 'claim', answer)
    expect(claimed).to.deep.equal({ grant, usesLeft: 0, keys: 'held' })
    const all = entriesIn(await doctor.run('clinician', 'read', grant))
    const entries = all.filter(({ code }) => code == null)
    // What was written after the keys were replaced does not open.
    expect(entries.map(({ type }) => type)).to.deep.equal(['text/plain', 'image/png'])
    const out = join(world.dir, 'read.txt')
    await doctor.run('clinician', 'read', grant, '--entry', entries[0]?.header ?? '', '--out', out)
    expect(await readFile(out, 'utf8')).to.equal('Dear colleague')
  })

  it('is not claimed a second time', async () => {
    expect((await doctor.attempt('clinician', 'claim', answer)).errorText).to.contain('ANSWER_CODE_REPLAYED')
    expect((await doctor.attempt('clinician', 'claim', grant)).errorText).to.contain('GRANT_SPENT')
    const other = await world.agent('other')
    await other.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    expect((await other.attempt('clinician', 'claim', answer)).errorText).to.contain('ANSWER_CODE_SWAPPED')
    expect((await other.attempt('clinician', 'claim', grant)).errorText).to.contain('GRANT')
    await other.stop()
  })

  it('left a receipt at each custodian that gave its share', async () => {
    for (const url of custodians.slice(0, 2)) {
      await until('the custodian has a receipt', 20_000, async () => {
        const [, size] = (await createCustodyClient({ url }).checkpoint()).split('\n')
        return Number(size) > 0
      })
    }
  })

  it('shows the patient the receipts, each once, and names a custodian that is away', async () => {
    const look = async () =>
      (await patient.run('patient', 'accesses')) as {
        accesses: { what: string; grant: string; source: string }[]
        alarms: { url: string; code: string }[]
      }
    const { accesses, alarms } = await look()
    const released = accesses.filter(({ what }) => what === 'key-released')
    expect(released.map(each => each.grant)).to.deep.equal([grant, grant])
    expect(new Set(released.map(({ source }) => source.split('#')[0])).size).to.equal(2)
    expect(accesses.some(({ what }) => what === 'read')).to.equal(true)
    expect(alarms).to.deep.equal([{ url: custodians[2], code: 'NODE_UNREACHABLE' }])
    expect((await look()).accesses).to.deep.equal(accesses)
  })

  it('lies on the doctor’s disk only sealed', async () => {
    for (const name of await readdir(doctor.home, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue
      const bytes = await readFile(join(name.parentPath, name.name)).catch(() => Buffer.alloc(0))
      expect(bytes.includes('Dear colleague')).to.equal(false)
    }
  })
})

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Code {
  text: string
  parts: string[]
  check: string
}

interface Entry {
  entry: string
  header: string
  compartment: string | null
  type: string | null
  bodyBytes: number | null
  author: { kind: string } | null
  code: string | null
}

const codeIn = (answer: Record<string, unknown>, field: string): Code => answer[field] as Code
const entriesIn = (answer: Record<string, unknown>): Entry[] => answer['entries'] as Entry[]

describe('a patient’s and a clinician’s agents', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let patient: AgentProcess
  let doctor: AgentProcess
  let grant: string

  before(async () => {
    world = await createAgentWorld()
    patient = await world.agent('patient')
    doctor = await world.agent('doctor', { node: 1 })
  })

  after(async () => {
    await world.stop()
  })

  it('make vaults, register the patient and import a file', async () => {
    const made = await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile, '--device', 'laptop')
    expect(made['progress']).to.deep.equal({ state: 'done', code: null })
    await doctor.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    const letter = await world.file('letter.txt', 'Dear colleague')
    const imported = await patient.run('patient', 'import', letter)
    expect(imported).to.include({ importer: 'document', waiting: 0 })
    const [entry] = entriesIn(await patient.run('patient', 'entries'))
    expect(entry).to.include({ compartment: 'documents', type: 'text/plain', bodyBytes: 14, code: null })
    expect(entry?.author?.kind).to.equal('patient')
  })

  it('write the same file once, unless told', async () => {
    const letter = join(world.dir, 'letter.txt')
    await patient.run('patient', 'import', letter)
    expect(entriesIn(await patient.run('patient', 'entries'))).to.have.lengthOf(1)
    await patient.run('patient', 'import', letter, '--again')
    expect(entriesIn(await patient.run('patient', 'entries'))).to.have.lengthOf(2)
  })

  it('keep what does not fit a message as a blob', async () => {
    const image = await world.file('scan.png', randomBytes(300_000))
    await patient.run('patient', 'import', image, '--compartment', 'imaging')
    const found = entriesIn(await patient.run('patient', 'entries')).find(({ type }) => type === 'image/png')
    expect(found).to.include({ compartment: 'imaging', bodyBytes: 300_000 })
  })

  it('let the doctor ask by a code and read what was granted, nothing else', async () => {
    const asked = await doctor.run(
      ...['clinician', 'request', '--name', 'Dr. Ada Example', '--compartment', 'documents', '--read', '--write'],
      ...['--history', '--for', '30d', '--purpose', 'treatment']
    )
    const code = codeIn(asked, 'code')
    const scanned = await patient.run('patient', 'requests', '--scan', code.parts.toReversed().join('\n'))
    expect(scanned).to.include({ check: code.check, name: 'Dr. Ada Example' })
    const given = await patient.run('patient', 'grant', '--request', String(scanned['id']), '--check', code.check)
    grant = String(given['grant'])
    const claimed = await doctor.run('clinician', 'claim', codeIn(given, 'answer').text)
    expect(claimed).to.deep.equal({ grant, usesLeft: null })
    const entries = entriesIn(await doctor.run('clinician', 'read', grant))
    const letters = entries.filter(({ compartment }) => compartment === 'documents')
    expect(letters).to.have.lengthOf(2)
    expect(entries.filter(({ code }) => code != null).map(({ code }) => code)).to.include('GRANT_NO_KEY')
    const out = join(world.dir, 'read.txt')
    await doctor.run('clinician', 'read', grant, '--entry', letters[0]?.entry ?? '', '--out', out)
    expect(await readFile(out, 'utf8')).to.equal('Dear colleague')
  })

  it('let the doctor write where the grant says so', async () => {
    const note = await world.file('note.txt', 'seen today')
    await doctor.run('clinician', 'write', grant, note, '--compartment', 'documents')
    const refused = await doctor.attempt('clinician', 'write', grant, note, '--compartment', 'mental')
    expect(refused.errorText).to.contain('GRANT_NO_WRITE')
    const deadline = Date.now() + 20_000
    let notes: Entry[] = []
    while (notes.length === 0 && Date.now() < deadline) {
      notes = entriesIn(await patient.run('patient', 'entries')).filter(({ author }) => author?.kind === 'grantee')
    }
    expect(notes).to.have.lengthOf(1)
  })

  it('refuse a request that was answered, and an answer that was taken', async () => {
    const asked = await doctor.run(
      'clinician',
      'request',
      '--name',
      'Dr. A',
      '--compartment',
      'labs',
      '--read',
      '--once'
    )
    const code = codeIn(asked, 'code')
    const swapped = await patient.attempt('patient', 'grant', '--to', code.text, '--check', '0000-0000-0000')
    expect(swapped.errorText).to.contain('CODE_SWAPPED')
    const given = await patient.run('patient', 'grant', '--to', code.text)
    const again = await patient.attempt('patient', 'grant', '--to', code.text)
    expect(again.errorText).to.contain('REQUEST_CODE_REPLAYED')
    const answer = codeIn(given, 'answer').text
    expect(await doctor.run('clinician', 'claim', answer)).to.include({ usesLeft: 0 })
    const taken = await doctor.attempt('clinician', 'claim', answer)
    expect(taken.errorText).to.contain('ANSWER_CODE_REPLAYED')
    const other = await world.agent('other')
    await other.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    expect((await other.attempt('clinician', 'claim', answer)).errorText).to.contain('ANSWER_CODE_SWAPPED')
    await other.stop()
  })

  it('show what was granted and what happened', async () => {
    const { grants } = (await patient.run('patient', 'grants')) as { grants: { state: string; rights: string[] }[] }
    expect(grants.map(({ state }) => state)).to.deep.equal(['live', 'live'])
    expect(grants[0]?.rights).to.deep.equal(['read', 'write', 'history'])
    const { accesses } = (await patient.run('patient', 'accesses')) as { accesses: { what: string }[] }
    expect(accesses.map(({ what }) => what)).to.deep.equal(['granted', 'granted', 'claimed'])
    const held = (await doctor.run('clinician', 'list')) as { grants: { state: string; hasKeys: boolean }[] }
    expect(held.grants.map(({ state }) => state)).to.deep.equal(['live', 'spent'])
    expect(held.grants.every(({ hasKeys }) => hasKeys)).to.equal(true)
  })

  it('shut the record to a revoked doctor', async () => {
    expect(await patient.run('patient', 'revoke', grant)).to.deep.include({ progress: { state: 'done', code: null } })
    await patient.run('patient', 'import', await world.file('later.txt', 'not for the doctor'))
    const deadline = Date.now() + 20_000
    let code = ''
    while (!code.includes('READ_REVOKED') && Date.now() < deadline) {
      code = (await doctor.attempt('clinician', 'read', grant)).errorText
    }
    expect(code).to.contain('READ_REVOKED')
    expect((await patient.attempt('patient', 'revoke', grant)).errorText).to.contain('GRANT_UNKNOWN')
  })

  it('leave no pseudonym, grant or name in a log', async () => {
    const { patient: account } = (await patient.run('agent', 'status')) as { patient: { id: string } }
    for (const name of ['patient', 'doctor']) {
      const log = await readFile(join(world.dir, 'logs', `${name}.log`), 'utf8')
      expect(log).to.contain('the vault changed')
      for (const secret of [account.id, grant, 'Ada', 'letter']) expect(log).to.not.contain(secret)
    }
  })

  it('sign with a wallet that lies elsewhere', async () => {
    const other = await world.agent('hardware')
    const [signerAddress] = (await askChain('eth_accounts')) as string[]
    const wallet = ['--signer', world.chain.rpcUrl, '--signer-address', signerAddress?.toLowerCase() ?? '']
    const made = await other.run('patient', 'create', '--passphrase-file', world.passphraseFile, ...wallet)
    expect(made).to.deep.include({ signer: signerAddress?.toLowerCase(), progress: { state: 'done', code: null } })
    const strange = ['--signer', world.chain.rpcUrl, '--signer-address', `0x${'11'.repeat(20)}`]
    const third = await world.agent('unknown')
    const refused = await third.attempt('patient', 'create', '--passphrase-file', world.passphraseFile, ...strange)
    expect(refused.errorText).to.contain('WALLET_REFUSED')
    expect((await third.run('agent', 'status'))['patient']).to.equal(null)
  })

  async function askChain(method: string): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(world.chain.rpcUrl, { method: 'POST', headers, body })
    return ((await answer.json()) as { result: unknown }).result
  }

  it('export every entry', async () => {
    const out = join(world.dir, 'export')
    const entries = entriesIn(await patient.run('patient', 'entries'))
    expect(await patient.run('patient', 'export', '--out', out)).to.include({ entries: entries.length, unopened: 0 })
    const [first] = entries
    expect(await readFile(join(out, 'documents', `${first?.header ?? ''}.txt`), 'utf8')).to.equal('Dear colleague')
  })
})

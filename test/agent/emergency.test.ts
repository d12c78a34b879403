import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { openRunningOffice, type RunningOffice } from '#test/agent/office.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'
import { PARAMEDIC, REVIEWER } from '#test/contracts/credential-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { account } from '#test/node/chain/test-chain.ts'

type Row = Record<string, unknown>
const rows = (answer: Row, field: string): Row[] => answer[field] as Row[]

/** One of the chain's own accounts, which signs for whoever asks the chain's endpoint. */
function keyOf(index: number): Key {
  const wallet = account(index)
  return {
    signer: wallet.address.toLowerCase(),
    id: wallet.address,
    sign: async (...args) => wallet.signTypedData(...args)
  }
}

describe('an emergency', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let office: RunningOffice
  let clinic: RunningOffice
  let patient: AgentProcess
  let guardian: AgentProcess
  let crew: AgentProcess
  let reviewer: AgentProcess
  let pseudonym: string
  let emergency: string
  let note: string
  let custodians: string[]

  before(async () => {
    world = await createAgentWorld({ nodeArgs: ['--custodian'] })
    custodians = world.nodes.flatMap(({ httpUrl }) => ['--custodian', httpUrl])
    office = await openRunningOffice(world)
    clinic = await openRunningOffice(world, accountKey('clinic'))
    patient = await world.agent('patient')
    guardian = await world.agent('guardian', { node: 2 })
    crew = await world.agent('crew', { node: 1 })
    reviewer = await world.agent('reviewer', { node: 2 })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    await guardian.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    for (const [agent, index] of [
      [crew, 5],
      [reviewer, 6]
    ] as const) {
      const wallet = ['--signer', world.chain.rpcUrl, '--signer-address', keyOf(index).signer]
      await agent.run('clinician', 'create', '--passphrase-file', world.passphraseFile, ...wallet)
    }
    await clinic.hire(keyOf(6), REVIEWER)
    pseudonym = String(((await patient.run('agent', 'status'))['patient'] as Row)['id'])
    note = await world.file('allergy.txt', 'penicillin: anaphylaxis')
    await patient.run('patient', 'import', note, '--compartment', 'emergency')
    await patient.run('patient', 'import', await world.file('pulse.txt', 'pulse 44'), '--compartment', 'vitals')
    await patient.run('patient', 'import', await world.file('diary.txt', 'a bad week'), '--compartment', 'mental')
  })

  after(async () => {
    office.stop()
    clinic.stop()
    await world.stop()
  })

  const declare = async (...more: string[]): Promise<Row> =>
    crew.run(
      ...['clinician', 'breakglass', '--patient', pseudonym, '--reason', 'found unconscious', '--hours', '2'],
      ...[...custodians, ...more]
    )
  const read = async (id: string): Promise<Row[]> =>
    rows(await crew.run('clinician', 'breakglass', '--read', id), 'entries')
  const told = async (agent: AgentProcess): Promise<Row[]> =>
    rows(await agent.run('agent', 'notifications'), 'notifications')

  it('is prepared by the patient’s agent, which has custodians keep shares', async () => {
    const prepared = await patient.run('patient', 'emergency', 'prepare', ...custodians, '--threshold', '2')
    expect(prepared).to.include({ custodians: 3, threshold: 2, hours: 24 })
    await guardian.run('agent', 'watch', pseudonym)
    expect(await told(patient)).to.deep.equal([])
  })

  it('is opened to nobody without a credential', async () => {
    const refused = await crew.attempt(
      ...['clinician', 'breakglass', '--patient', pseudonym, '--reason', 'curious', '--hours', '1', ...custodians]
    )
    expect(refused.errorText).to.contain('CREDENTIAL_NONE')
    expect(rows(await crew.run('clinician', 'breakglass'), 'emergencies')).to.deep.equal([])
  })

  it('lets a crew read the emergency compartment and the last vitals, and nothing else', async () => {
    await office.hire(keyOf(5), PARAMEDIC)
    const declared = await declare()
    emergency = String(declared['emergency'])
    expect(declared).to.include({ patient: pseudonym, state: 'open', isOffline: false, reason: 'found unconscious' })
    const entries = await read(emergency)
    const open = entries.filter(({ code }) => code == null)
    expect(open.map(({ compartment }) => compartment)).to.have.members(['emergency', 'vitals'])
    expect(entries.some(({ code }) => code === 'GRANT_NO_KEY')).to.equal(true)
    const out = join(world.dir, 'read.txt')
    const name = String(open.find(({ compartment }) => compartment === 'emergency')?.['entry'])
    await crew.run('clinician', 'breakglass', '--read', emergency, '--entry', name, '--out', out)
    expect(await readFile(out, 'utf8')).to.equal('penicillin: anaphylaxis')
  })

  it('is told to the patient, with the reason, and to a guardian, without', async () => {
    expect((await told(patient)).map(({ kind, subject }) => [kind, subject])).to.deep.equal([
      ['emergency-declared', emergency]
    ])
    expect((await told(guardian)).map(({ kind, patient: whose }) => [kind, whose])).to.deep.equal([
      ['emergency-declared', pseudonym]
    ])
    let found: Row | undefined
    for (const deadline = Date.now() + 20_000; found?.['reason'] == null && Date.now() < deadline;) {
      await pause(250)
      found = rows(await patient.run('patient', 'emergency', 'list'), 'emergencies')[0]
    }
    expect(found).to.include({ emergency, reason: 'found unconscious', isActive: true, isOffline: false })
  })

  it('is closed to others with a credential, and to the crew of another patient', async () => {
    const other = await reviewer.attempt('clinician', 'breakglass', '--read', emergency)
    expect(other.errorText).to.contain('EMERGENCY_UNKNOWN')
    const stranger = ['--patient', `0x${'11'.repeat(32)}`, '--reason', 'x', '--hours', '1', ...custodians]
    const refused = await crew.attempt('clinician', 'breakglass', ...stranger)
    expect(refused.errorText).to.contain('PATIENT_UNKNOWN')
  })

  it('is ended as a false alarm, after which the crew’s agent has nothing left', async () => {
    await crew.run('clinician', 'breakglass', '--end', emergency)
    const refused = await crew.attempt('clinician', 'breakglass', '--read', emergency)
    expect(refused.errorText).to.contain('EMERGENCY_OVER')
    const [held] = rows(await crew.run('clinician', 'breakglass'), 'emergencies')
    expect(held).to.include({ state: 'over' })
    const again = await crew.attempt('clinician', 'breakglass', '--collect', emergency)
    expect(again.errorText).to.contain('EMERGENCY_OVER')
  })

  it('has what it opened sealed under new keys afterwards, also after a restart', async () => {
    // Another one, which ends while the patient's agent does not run.
    const second = String((await declare())['emergency'])
    await patient.stop()
    await crew.run('clinician', 'breakglass', '--end', second)
    patient = await world.agent('patient')
    await patient.client.post('/v1/unlock', { passphrase: PASSPHRASE })
    let kinds: unknown[] = []
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      await pause(500)
      kinds = (await told(patient)).filter(({ subject }) => subject === second).map(({ kind }) => kind)
      if (kinds.includes('keys-replaced')) break
    }
    expect(kinds).to.include.members(['emergency-declared', 'emergency-over', 'keys-replaced'])
    await patient.run('patient', 'import', await world.file('later.txt', 'written later'), '--compartment', 'emergency')
    // The shares were renewed with the new keys: the next emergency opens old and new.
    const third = String((await declare())['emergency'])
    const entries = (await read(third)).filter(({ compartment }) => compartment === 'emergency')
    expect(entries).to.have.lengthOf(2)
    await patient.run('patient', 'emergency', 'end', third)
    expect((await crew.attempt('clinician', 'breakglass', '--read', third)).errorText).to.contain('EMERGENCY_OVER')
  })

  it('is disputed by the patient and reviewed by another organisation', async () => {
    await patient.run('patient', 'emergency', 'dispute', emergency, '--statement', 'I was asleep')
    const queue = rows(await reviewer.run('clinician', 'breakglass', '--queue'), 'emergencies')
    expect(queue.map(({ emergency: id }) => id)).to.include(emergency)
    expect(queue.find(({ emergency: id }) => id === emergency)).to.include({ isDisputed: true, isActive: false })
    const review = ['--review', emergency, '--outcome', 'justified', '--report', 'the alarm was plausible']
    expect(await reviewer.run('clinician', 'breakglass', ...review)).to.have.property('salt')
    const rest = rows(await reviewer.run('clinician', 'breakglass', '--queue'), 'emergencies')
    expect(rest.map(({ emergency: id }) => id)).to.not.include(emergency)
    expect((await told(patient)).map(({ kind }) => kind)).to.include('emergency-reviewed')
    const own = rows(await patient.run('patient', 'emergency', 'list'), 'emergencies')
    expect(own.find(({ emergency: id }) => id === emergency)).to.include({ outcome: 'justified', isDisputed: true })
  })

  it('leaves no pseudonym, reason or emergency in a log', async () => {
    for (const name of ['patient', 'crew', 'guardian']) {
      const log = await readFile(join(world.dir, 'logs', `${name}.log`), 'utf8')
      for (const secret of [pseudonym, emergency, 'unconscious']) expect(log).to.not.contain(secret)
    }
  })
})

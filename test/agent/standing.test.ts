import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { alarmContent, type Alarm } from '#core/consent/alarm.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

type Row = Readonly<Record<string, unknown>>
const rows = (answer: Record<string, unknown>, name: string): Row[] => answer[name] as Row[]
const codeOf = (answer: Record<string, unknown>, field: string): string => (answer[field] as { text: string }).text

describe('a standing instruction', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let patient: AgentProcess
  let monitor: AgentProcess
  let crew: AgentProcess
  let other: AgentProcess
  let gateway: string
  let count = 0

  before(async () => {
    world = await createAgentWorld()
    patient = await world.agent('patient')
    monitor = await world.agent('monitor', { node: 1 })
    crew = await world.agent('crew', { node: 2 })
    other = await world.agent('other', { node: 1 })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    for (const each of [monitor, crew, other]) {
      await each.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    }
    const note = await world.file('allergy.txt', 'penicillin: anaphylaxis')
    await patient.run('patient', 'import', note, '--compartment', 'emergency')
    await patient.run('patient', 'import', await world.file('pulse.txt', 'pulse 44'), '--compartment', 'vitals')
    await patient.run('patient', 'import', await world.file('diary.txt', 'a bad week'), '--compartment', 'mental')
    gateway = await granted(monitor, 'Bedside monitor')
  })

  after(async () => world.stop())

  /** A gateway writes under a grant, as a clinician with the right to write does. */
  async function granted(agent: AgentProcess, name: string): Promise<string> {
    const asked = await agent.run(
      ...['clinician', 'request', '--name', name, '--compartment', 'vitals', '--read', '--write']
    )
    const given = await patient.run('patient', 'grant', '--to', codeOf(asked, 'code'))
    await agent.run('clinician', 'claim', codeOf(given, 'answer'))
    return String(given['grant'])
  }

  async function alarm(
    alarm: Partial<Alarm> = {},
    by: { agent: AgentProcess; grant: string } = { agent: monitor, grant: gateway }
  ): Promise<string> {
    const said: Alarm = { severity: 'high', atMs: Date.now(), crew: null, isRetracted: false, ...alarm }
    const { body, type } = alarmContent(said, 'asystole')
    const file = await world.file(`alarm-${String(count++)}.json`, body)
    const written = await by.agent.run(
      ...['clinician', 'write', by.grant, file, '--compartment', 'vitals', '--type', type]
    )
    return String(written['entry'])
  }

  const alarms = async (): Promise<Row[]> => rows(await patient.run('patient', 'emergency', 'standing'), 'alarms')

  async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = Date.now() + 45_000; Date.now() < deadline;) {
      const found = await ask()
      if (found !== undefined) return found
      await pause(300)
    }
    throw new Error('It did not come.')
  }

  const judged = async (entry: string, state: string): Promise<Row> =>
    until(async () => (await alarms()).find(each => each['entry'] === entry && each['state'] === state))
  const told = async (agent: AgentProcess, kind: string): Promise<Row[]> =>
    rows(await agent.run('agent', 'notifications'), 'notifications').filter(each => each['kind'] === kind)

  it('names gateways that may write, and crews by what they signed', async () => {
    const asked = await crew.run(
      ...['clinician', 'request', '--name', 'Crew 7', '--compartment', 'emergency', 'vitals', '--read', '--history']
    )
    const code = codeOf(asked, 'code')
    const unknown = ['--gateway', `0x${'11'.repeat(32)}`, '--crew', code]
    const refused = await patient.attempt('patient', 'emergency', 'standing', ...unknown)
    expect(refused.errorText).to.contain('GRANT_UNKNOWN')
    const altered = `${code.slice(0, -4)}0000`
    const swapped = await patient.attempt('patient', 'emergency', 'standing', '--gateway', gateway, '--crew', altered)
    expect(swapped.code).to.not.equal(0)
    const set = await patient.run(
      ...['patient', 'emergency', 'standing', '--gateway', gateway, '--crew', code, '--for', '2h', '--per-day', '2']
    )
    expect(set['instruction']).to.deep.include({ gateways: [gateway], durationS: 7200, perDay: 2 })
    expect(set['alarms']).to.deep.equal([])
  })

  it('opens nothing for what is no high alarm of its gateways', async () => {
    await alarm({ severity: 'moderate' })
    await alarm({}, { agent: other, grant: await granted(other, 'Somebody else') })
    const old = await alarm({ atMs: Date.now() - 3_600_000 })
    await judged(old, 'refused')
    const all = await alarms()
    expect(all.map(({ why }) => why)).to.have.members(['not-meant', 'old'])
    expect(await told(patient, 'alarm-refused')).to.have.lengthOf(1)
    expect(await told(crew, 'access-given')).to.deep.equal([])
  })

  let opened: string
  it('gives the crew, unasked, one use of the emergency part and of the last vitals', async () => {
    opened = await alarm()
    const row = await judged(opened, 'opened')
    const grants = row['grants'] as string[]
    expect(grants).to.have.lengthOf(2)
    const heard = await until(async () => {
      const all = await told(crew, 'access-given')
      return all.length === 2 ? all : undefined
    })
    expect(heard.map(({ subject }) => subject)).to.have.members(grants)
    const held = rows(await crew.run('clinician', 'list'), 'grants')
    expect(held.map(({ uses, state }) => ({ uses, state }))).to.deep.equal([
      { uses: 1, state: 'live' },
      { uses: 1, state: 'live' }
    ])
    const bodies: string[] = []
    for (const grant of grants) {
      expect(await crew.run('clinician', 'claim', grant)).to.include({ usesLeft: 0 })
      const entries = rows(await crew.run('clinician', 'read', grant), 'entries').filter(({ code }) => code == null)
      for (const { entry, type } of entries) {
        if (type !== 'text/plain') continue
        const out = join(world.dir, `out-${String(count++)}`)
        await crew.run('clinician', 'read', grant, '--entry', String(entry), '--out', out)
        bodies.push(await readFile(out, 'utf8'))
      }
    }
    // Either grant opens what this agent has keys of by then.
    expect([...new Set(bodies)]).to.have.members(['penicillin: anaphylaxis', 'pulse 44'])
    expect(await told(patient, 'alarm-opened')).to.have.lengthOf(1)
    expect((await crew.attempt('clinician', 'claim', grants[0]!)).errorText).to.contain('GRANT_SPENT')
  })

  it('shuts again what a false alarm opened, when the gateway takes it back', async () => {
    const [before] = await alarms().then(all => all.filter(each => each['entry'] === opened))
    await monitor.run('clinician', 'entry', 'retract', gateway, opened, '--because', 'electrode was off')
    await judged(opened, 'retracted')
    expect(await told(patient, 'alarm-retracted')).to.have.lengthOf(1)
    const [grant] = before!['grants'] as string[]
    const refused = await crew.attempt('clinician', 'read', grant!)
    expect(refused.errorText).to.match(/READ_REVOKED|GRANT_REVOKED/)
  })

  it('shuts it when the patient takes it back, and opens no more in a day than it says', async () => {
    const second = await alarm()
    await judged(second, 'opened')
    const told = ['--because', 'I dropped the finger clip']
    await patient.run('patient', 'emergency', 'standing', '--retract', second, ...told)
    const row = (await alarms()).find(each => each['entry'] === second)
    expect(row).to.include({ state: 'retracted' })
    const third = await alarm()
    expect(await judged(third, 'refused')).to.include({ why: 'too-often' })
  })

  it('ends when it is taken back', async () => {
    await patient.run('patient', 'emergency', 'standing', '--stop')
    const before = (await alarms()).length
    await alarm()
    await pause(3_000)
    await told(patient, 'alarm-opened')
    expect(await alarms()).to.have.lengthOf(before)
  })

  it('leaves no alarm, reason or crew in a log', async () => {
    for (const name of ['patient', 'crew', 'monitor']) {
      const log = await readFile(join(world.dir, 'logs', `${name}.log`), 'utf8')
      for (const secret of [opened, gateway, 'asystole', 'electrode', 'Crew 7']) expect(log).to.not.contain(secret)
    }
  })
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { openRunningOffice, type RunningOffice } from '#test/agent/office.ts'
import { startProxy, type Proxy } from '#test/agent/proxy.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'
import { PARAMEDIC } from '#test/contracts/credential-requests.ts'
import { account } from '#test/node/chain/test-chain.ts'

type Row = Readonly<Record<string, unknown>>
const rows = (answer: Record<string, unknown>, name: string): Row[] => answer[name] as Row[]

describe('an emergency without a network', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let office: RunningOffice
  let [node, rpc]: Proxy[] = []
  let patient: AgentProcess
  let crew: AgentProcess
  let guardian: AgentProcess
  let pseudonym: string
  let card: string

  before(async () => {
    world = await createAgentWorld()
    office = await openRunningOffice(world)
    node = await startProxy(world.nodes[1]!.httpUrl)
    rpc = await startProxy(world.chain.rpcUrl)
    patient = await world.agent('patient')
    crew = await world.agent('crew', { nodeUrl: node.url, rpcUrl: rpc.url })
    guardian = await world.agent('guardian', { node: 2 })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    const wallet = account(5)
    const signer = ['--signer', world.chain.rpcUrl, '--signer-address', wallet.address.toLowerCase()]
    await crew.run('clinician', 'create', '--passphrase-file', world.passphraseFile, ...signer)
    await office.hire(
      {
        ...{ signer: wallet.address.toLowerCase(), id: wallet.address },
        sign: async (...args) => wallet.signTypedData(...args)
      },
      PARAMEDIC
    )
    pseudonym = String(((await patient.run('agent', 'status'))['patient'] as Row)['id'])
    const note = await world.file('allergy.txt', 'penicillin: anaphylaxis')
    await patient.run('patient', 'import', note, '--compartment', 'emergency')
    await patient.run('patient', 'import', await world.file('pulse.txt', 'pulse 44'), '--compartment', 'vitals')
    await patient.run('patient', 'import', await world.file('diary.txt', 'a bad week'), '--compartment', 'mental')
  })

  after(async () => {
    office.stop()
    await node?.stop()
    await rpc?.stop()
    await world.stop()
  })

  function cut(): void {
    for (const each of [node, rpc]) {
      each!.watcher.before = () => {
        throw new Error('away')
      }
    }
  }

  function mend(): void {
    for (const each of [node, rpc]) each!.watcher.before = () => undefined
  }

  const declare = async (...more: string[]): Promise<Row> =>
    crew.run('clinician', 'breakglass', '--patient', pseudonym, '--reason', 'under an avalanche', ...more)

  async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = Date.now() + 90_000; Date.now() < deadline;) {
      const found = await ask()
      if (found !== undefined) return found
      await pause(500)
    }
    throw new Error('It did not come.')
  }

  const told = async (kind: string): Promise<Row[]> =>
    rows(await patient.run('agent', 'notifications'), 'notifications').filter(each => each['kind'] === kind)

  it('is prepared with a card, and a package for each keeper of a share', async () => {
    const cards: string[] = []
    for (const [name, agent] of [
      ['crew', crew],
      ['guardian', guardian]
    ] as const) {
      const file = join(world.dir, `${name}.card`)
      await agent.run('patient', 'guardians', 'card', '--passphrase-file', world.passphraseFile, '--out', file)
      cards.push(file)
    }
    const made = await patient.run('patient', 'emergency', 'card', ...cards, '--out', join(world.dir, 'cards'))
    expect(made).to.include({ entries: 2 })
    card = String(made['card'])
    const packages = rows(made, 'packages').map(({ file }) => String(file))
    const other = await guardian.attempt('clinician', 'breakglass', '--keep', packages[0]!)
    expect(other.errorText).to.contain('SEALED_SHARE_RECIPIENT')
    for (const [i, agent] of [crew, guardian].entries()) {
      const kept = await agent.run('clinician', 'breakglass', '--keep', packages[i]!)
      expect(kept).to.include({ patient: pseudonym })
    }
    // What lies about opens nothing and names nobody.
    const bytes = await readFile(packages[0]!)
    expect(bytes.includes('anaphylaxis')).to.equal(false)
  })

  it('opens nothing by one share, or a share of something else', async () => {
    cut()
    const own = String((await crew.run('clinician', 'breakglass', '--hand', pseudonym))['card'])
    const alone = ['clinician', 'breakglass', '--patient', pseudonym, '--reason', 'x', '--hours', '1', '--card']
    expect((await crew.attempt(...alone, own)).errorText).to.contain('SHARES_TOO_FEW')
    const text = (await readFile(card, 'utf8')).trim()
    const altered = `${text.slice(0, -6)}AAAAAA`
    expect((await crew.attempt(...alone, altered)).errorText).to.match(/SHARE_WRONG|SHARE_CARD_/)
    expect(rows(await crew.run('clinician', 'breakglass'), 'emergencies')).to.deep.equal([])
    const stranger = await crew.attempt(
      ...[
        'clinician',
        'breakglass',
        '--patient',
        `0x${'22'.repeat(32)}`,
        '--reason',
        'x',
        '--hours',
        '1',
        '--card',
        own
      ]
    )
    expect(stranger.errorText).to.contain('SHARE_UNKNOWN')
  })

  let emergency: string
  it('opens the emergency part and the last vitals by the card and the crew’s own share', async () => {
    const held = await declare('--hours', '1', '--card', card)
    emergency = String(held['emergency'])
    expect(held).to.include({ state: 'open', isOffline: true, patient: pseudonym })
    const entries = rows(await crew.run('clinician', 'breakglass', '--read', emergency), 'entries')
    expect(entries.map(({ compartment }) => compartment)).to.have.members(['emergency', 'vitals'])
    const name = String(entries.find(({ compartment }) => compartment === 'emergency')?.['entry'])
    const out = join(world.dir, 'read.txt')
    await crew.run('clinician', 'breakglass', '--read', emergency, '--entry', name, '--out', out)
    expect(await readFile(out, 'utf8')).to.equal('penicillin: anaphylaxis')
    expect(await told('emergency-without-network')).to.deep.equal([])
  })

  it('opens it also by what a guardian shows', async () => {
    const shown = String((await guardian.run('clinician', 'breakglass', '--hand', pseudonym))['card'])
    const held = await declare('--hours', '20s', '--card', shown)
    expect(held).to.include({ state: 'open' })
    await until(async () => {
      const refused = await crew.attempt('clinician', 'breakglass', '--read', String(held['emergency']))
      return refused.errorText.includes('EMERGENCY_OVER') ? true : undefined
    })
  })

  it('is told to the patient, with the reason, when the network is back', async () => {
    mend()
    const found = await until(async () => {
      const all = await told('emergency-without-network')
      return all.length === 2 ? all : undefined
    })
    expect(found.map(({ subject }) => subject)).to.include(emergency)
    const own = rows(await patient.run('patient', 'emergency', 'list'), 'emergencies')
    expect(own.find(each => each['emergency'] === emergency)).to.include({
      ...{ isOffline: true, reason: 'under an avalanche', isActive: true }
    })
    // The one that is over had its keys replaced.
    await until(async () => ((await told('keys-replaced')).length > 0 ? true : undefined))
  })

  it('ends when the crew says so, and leaves nothing of it in a log', async () => {
    await crew.run('clinician', 'breakglass', '--end', emergency)
    const refused = await crew.attempt('clinician', 'breakglass', '--read', emergency)
    expect(refused.errorText).to.contain('EMERGENCY_OVER')
    for (const name of ['patient', 'crew', 'guardian']) {
      const log = await readFile(join(world.dir, 'logs', `${name}.log`), 'utf8')
      for (const secret of [pseudonym, emergency, 'avalanche', 'anaphylaxis']) expect(log).to.not.contain(secret)
    }
  })
})

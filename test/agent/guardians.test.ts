import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { JsonRpcProvider } from 'ethers'
import { until } from '#scripts/story/until.ts'
import { tell, toldRecord } from '#test/agent/told-record.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

describe('a patient whose home folder is gone', function () {
  this.timeout(400_000)
  let world: AgentWorld
  let patient: AgentProcess
  let doctor: AgentProcess
  let guardians: AgentProcess[]
  let id: string
  let before_: Map<string, string>
  let grants: unknown
  let grant: string

  const vault = { passphrase: PASSPHRASE, deviceName: 'a device' }
  const path = (name: string): string => join(world.dir, name)

  async function keepAll(dir: string): Promise<string[]> {
    const { guardians: known } = (await patient.run('patient', 'guardians', 'list')) as {
      guardians: { address: string }[]
    }
    const confirmations: string[] = []
    for (const [i, guardian] of guardians.entries()) {
      const out = path(`${dir}-confirmation-${String(i)}`)
      await guardian.run('patient', 'guardians', 'keep', join(path(dir), `${known[i]!.address}.share`), '--out', out)
      confirmations.push(out)
    }
    return confirmations
  }

  async function passDays(days: number): Promise<void> {
    const provider = new JsonRpcProvider(world.chain.rpcUrl)
    await provider.send('evm_increaseTime', [days * 86_400])
    await provider.send('evm_mine', [])
    provider.destroy()
  }

  before(async () => {
    world = await createAgentWorld()
    patient = await world.agent('patient')
    doctor = await world.agent('doctor')
    guardians = []
    for (const [i, name] of ['anna', 'ben', 'cleo'].entries()) guardians.push(await world.agent(name, { node: i }))
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    id = ((await patient.run('agent', 'status'))['patient'] as { id: string }).id
    await doctor.client.post('/v1/vault', vault)
    await doctor.client.post('/v1/clinician')
    await tell(patient, 'the first entry')
    await tell(patient, 'a laboratory value', 'labs')
    const wish = { name: 'Dr. A', compartments: ['documents'], rights: ['read', 'history'], purpose: 'treatment' }
    const { code } = await doctor.client.post<{ code: { text: string } }>('/v1/clinician/requests', wish)
    grant = String((await patient.run('patient', 'grant', '--to', code.text))['grant'])
  })

  after(async () => {
    await world.stop()
  })

  it('had named three guardians, and the chain hears of them once two keep their shares', async () => {
    const cards = guardians.map((_, i) => path(`card-${String(i)}`))
    for (const [i, guardian] of guardians.entries()) {
      const out = ['--passphrase-file', world.passphraseFile, '--out', cards[i]!]
      await guardian.run('patient', 'guardians', 'card', ...out)
    }
    const terms = ['--threshold', '2', '--delay', '3d', '--out', path('shares')]
    const twice = await patient.attempt('patient', 'guardians', 'set', cards[0]!, cards[0]!, ...terms)
    expect(twice.errorText).to.contain('GUARDIANS_TWICE')
    const never = ['--threshold', '2', '--delay', '60000d', '--out', path('never')]
    expect((await patient.attempt('patient', 'guardians', 'set', ...cards, ...never)).errorText).to.contain('HTTP_BODY')
    const none = await patient.attempt('patient', 'guardians', 'list')
    expect(none.errorText).to.contain('GUARDIANS_NONE')
    await patient.run('patient', 'guardians', 'set', ...cards, ...terms)
    const confirmations = await keepAll('shares')
    expect(await patient.run('patient', 'guardians', 'confirm', confirmations[0]!)).to.include({ progress: null })
    expect(await patient.run('patient', 'guardians', 'list')).to.include({ isActive: false, revision: 1 })
    await patient.run('patient', 'guardians', 'confirm', confirmations[1]!, confirmations[2]!)
    expect(await patient.run('patient', 'guardians', 'list')).to.include({ isActive: true, revision: 1 })
  })

  it('had given them new shares, which take the place of the old ones', async () => {
    await patient.run('patient', 'guardians', 'refresh', '--out', path('fresh'))
    const confirmations = await keepAll('fresh')
    await patient.run('patient', 'guardians', 'confirm', ...confirmations)
    expect(await patient.run('patient', 'guardians', 'list')).to.include({ isActive: true, revision: 2 })
    expect(await guardians[0]!.run('patient', 'guardians', 'kept')).to.deep.equal({
      shares: [{ patient: id, revision: 2 }]
    })
    const { guardians: known } = (await patient.run('patient', 'guardians', 'list')) as {
      guardians: { address: string }[]
    }
    const old = join(path('shares'), `${known[0]!.address}.share`)
    const stale = await guardians[0]!.attempt('patient', 'guardians', 'keep', old, '--out', path('never'))
    expect(stale.errorText).to.contain('SHARE_STALE')
    const foreign = join(path('fresh'), `${known[1]!.address}.share`)
    const other = await guardians[0]!.attempt('patient', 'guardians', 'keep', foreign, '--out', path('never'))
    expect(other.errorText).to.contain('SEALED_SHARE_RECIPIENT')
  })

  async function approvals(fresh: AgentProcess, name: string, who: readonly number[]): Promise<string[]> {
    const request = path(`${name}-request`)
    const begun = await fresh.run(
      ...['patient', 'recover', '--patient', id, '--out', request, '--passphrase-file', world.passphraseFile]
    )
    const files: string[] = []
    for (const i of who) {
      const out = path(`${name}-approval-${String(i)}`)
      const approve = ['patient', 'guardians', 'approve', request, '--out', out, '--check']
      const blind = await guardians[i]!.attempt(...approve, '0000-0000-0000')
      expect(blind.errorText).to.contain('CODE_SWAPPED')
      await guardians[i]!.run(...approve, String(begun['check']))
      files.push(out)
    }
    return files
  }

  it('could have stopped a recovery that it did not ask for', async () => {
    const thief = await world.agent('thief')
    const alone = await approvals(thief, 'thief', [0, 1])
    const few = await thief.attempt('patient', 'recover', '--approval', alone[0]!, alone[0]!)
    expect(few.code).to.not.equal(0)
    await thief.run('patient', 'recover', '--approval', ...alone)
    expect((await patient.run('patient', 'guardians', 'list'))['recoveryReadyAtS']).to.be.a('number')
    await patient.run('patient', 'guardians', 'veto')
    expect(await patient.run('patient', 'guardians', 'list')).to.include({ recoveryReadyAtS: null })
    expect((await thief.attempt('patient', 'recover', '--complete')).errorText).to.contain('CHAIN_RECOVERY_NOT_OPEN')
    const share = ['patient', 'guardians', 'release', path('thief-request'), '--out', path('never')]
    expect((await guardians[0]!.attempt(...share)).errorText).to.contain('RECOVERY_NOT_FINAL')
    await thief.stop()
  })

  it('has all of it again on a new device, from two guardians of three', async () => {
    before_ = await toldRecord(patient)
    expect(before_.size).to.equal(2)
    grants = await patient.client.get('/v1/patient/grants')
    await patient.stop()
    await rm(patient.home, { recursive: true })
    const fresh = await world.agent('fresh', { node: 2 })
    const request = path('fresh-request')
    await fresh.run('patient', 'recover', '--approval', ...(await approvals(fresh, 'fresh', [2, 0])))
    expect((await fresh.attempt('patient', 'recover', '--complete')).errorText).to.contain('CHAIN_RECOVERY_TOO_EARLY')
    await passDays(3)
    await until('the recovery can be completed', 60_000, async () => {
      const { code } = await fresh.attempt('patient', 'recover', '--complete')
      return code === 0
    })
    const shares: string[] = []
    for (const i of [1, 2]) {
      const out = path(`released-${String(i)}`)
      await until('the recovery is final', 120_000, async () => {
        const { code } = await guardians[i]!.attempt('patient', 'guardians', 'release', request, '--out', out)
        return code === 0
      })
      shares.push(out)
    }
    const same = await fresh.run('patient', 'recover', '--share', shares[0]!, shares[0]!)
    expect(same).to.deep.include({ patient: null, missing: 1 })
    const found = await fresh.run('patient', 'recover', '--share', ...shares)
    expect(found).to.deep.equal({ patient: id, grants: 1, missing: 0, wrong: [] })
    expect(await toldRecord(fresh)).to.deep.equal(before_)
    expect(await fresh.client.get('/v1/patient/grants')).to.deep.equal(grants)
    patient = fresh
  })

  it('controls the record again: writes, ends grants and names guardians', async () => {
    await tell(patient, 'after the recovery')
    expect((await toldRecord(patient)).size).to.equal(3)
    expect(await patient.run('patient', 'revoke', grant)).to.deep.include({ progress: { state: 'done', code: null } })
    expect(await patient.run('patient', 'guardians', 'list')).to.include({ revision: 2, isActive: true })
    expect((await patient.attempt('patient', 'recover', '--complete')).errorText).to.contain('RECOVERY_NONE')
  })
})

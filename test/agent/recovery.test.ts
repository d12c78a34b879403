import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { until } from '#scripts/story/until.ts'
import { tell, toldRecord } from '#test/agent/told-record.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Entry {
  header: string
  compartment: string | null
  type: string | null
  code: string | null
}

interface DeviceView {
  id: string
  isThis: boolean
  revokedAtMs: number | null
}

describe('a patient who loses everything but the seed', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let patient: AgentProcess
  let doctor: AgentProcess
  let seedFile: string
  let bodies: Map<string, string>
  let grants: unknown

  const vault = { passphrase: PASSPHRASE, deviceName: 'a device' }

  async function grantTo(compartments: string[]): Promise<string> {
    const wish = { name: 'Dr. A', compartments, rights: ['read', 'history'], purpose: 'treatment' }
    const { code } = await doctor.client.post<{ code: { text: string } }>('/v1/clinician/requests', wish)
    const body = { code: code.text }
    const given = await patient.client.post<{ grant: string; answer: { text: string } }>('/v1/patient/grants', body)
    await doctor.client.post('/v1/clinician/claims', { code: given.answer.text })
    return given.grant
  }

  const grantsOf = async (agent: AgentProcess): Promise<unknown> => agent.client.get('/v1/patient/grants')

  before(async () => {
    world = await createAgentWorld()
    patient = await world.agent('patient')
    doctor = await world.agent('doctor')
    await patient.client.post('/v1/vault', vault)
    await patient.client.post('/v1/patient')
    await doctor.client.post('/v1/vault', vault)
    await doctor.client.post('/v1/clinician')
    await tell(patient, 'before any grant')
    const ended = await grantTo(['documents', 'labs'])
    await tell(patient, 'under the first generation', 'labs')
    await patient.client.post(`/v1/patient/grants/${ended}/revoke`)
    await tell(patient, 'under the second generation')
    await grantTo(['documents'])
    seedFile = join(world.dir, 'seed')
    await patient.run(
      ...['patient', 'seed', '--out', seedFile, '--with-wallet', '--passphrase-file', world.passphraseFile]
    )
    bodies = await toldRecord(patient)
    grants = await grantsOf(patient)
  })

  after(async () => {
    await world.stop()
  })

  it('has the whole record and all grants again, at any node', async () => {
    expect(bodies.size).to.equal(3)
    await patient.stop()
    await rm(join(world.dir, 'patient'), { recursive: true })
    const [seed = ''] = (await readFile(seedFile, 'utf8')).split('\n')
    const onlySeed = await world.file('only-seed', `${seed}\n`)
    const fresh = await world.agent('fresh', { node: 2 })
    const found = await fresh.run(
      ...['patient', 'recover', '--seed-file', onlySeed, '--passphrase-file', world.passphraseFile]
    )
    expect(found).to.include({ grants: 2, inControl: false })
    expect(await toldRecord(fresh)).to.deep.equal(bodies)
    expect(await grantsOf(fresh)).to.deep.equal(grants)
    const [{ grant } = { grant: '' }] = (
      (await grantsOf(fresh)) as { grants: { grant: string; state: string }[] }
    ).grants.filter(({ state }) => state === 'live')
    const refused = await fresh.client.post(`/v1/patient/grants/${grant}/revoke`).catch((error: unknown) => error)
    expect(refused).to.include({ code: 'WALLET_NOT_IN_CONTROL' })
    await fresh.stop()
  })

  it('is in control with the wallet, from two devices that learn of each other', async () => {
    const devices: AgentProcess[] = []
    for (const [i, name] of ['phone', 'tablet'].entries()) {
      const device = await world.agent(name, { node: i })
      await device.run(...['patient', 'recover', '--seed-file', seedFile, '--passphrase-file', world.passphraseFile])
      devices.push(device)
    }
    const [phone, tablet] = devices as [AgentProcess, AgentProcess]
    patient = phone
    const first = await grantTo(['vitals'])
    patient = tablet
    const second = await grantTo(['vitals', 'labs'])
    await until('the tablet knows both grants', 60_000, async () => {
      const { grants: known } = (await grantsOf(tablet)) as { grants: { grant: string }[] }
      return [first, second].every(id => known.some(({ grant }) => grant === id))
    })
    // The phone ends the tablet's grant: it has to learn of it first, and the first grant has to stay open.
    await until('the phone can end the tablet’s grant', 60_000, async () => {
      const ended = await phone.client.post(`/v1/patient/grants/${second}/revoke`).catch((error: unknown) => error)
      return !(ended instanceof Error)
    })
    await tell(phone, 'after both', 'vitals')
    await until('the doctor reads what was written under the newest keys', 60_000, async () => {
      const path = `/v1/clinician/grants/${first}/entries`
      const { entries } = await doctor.client.get<{ entries: Entry[] }>(path)
      return entries.some(({ compartment, code }) => compartment === 'vitals' && code == null)
    })
    // The tablet has not heard of the phone's new keys for vitals: what it writes is sealed again under them.
    const before = await toldRecord(tablet)
    await tell(tablet, 'from the tablet', 'vitals')
    await until('the tablet’s entry is there', 60_000, async () => (await toldRecord(tablet)).size > before.size)
    expect([...(await toldRecord(phone)).values()]).to.include('vitals: from the tablet')
    const { devices: known } = await phone.client.get<{ devices: DeviceView[] }>('/v1/devices')
    expect(known.length).to.be.at.least(3)
    const lost = known.find(({ isThis, revokedAtMs }) => !isThis && revokedAtMs == null)
    await phone.client.post(`/v1/devices/${lost?.id ?? ''}/revoke`)
    await tell(phone, 'after the loss of a device', 'vitals')
    await until('the doctor reads on', 60_000, async () => {
      const path = `/v1/clinician/grants/${first}/entries`
      const { entries } = await doctor.client.get<{ entries: Entry[] }>(path)
      return entries.filter(({ compartment }) => compartment === 'vitals').length === 3
    })
  })

  it('is found by no other seed', async () => {
    const stranger = await world.agent('stranger')
    await stranger.client.post('/v1/vault', vault)
    const body = { seed: `0x${'11'.repeat(32)}` }
    const refused = await stranger.client.post('/v1/patient/recover', body).catch((error: unknown) => error)
    expect(refused).to.include({ code: 'RECOVERY_NO_RECORD' })
  })
})

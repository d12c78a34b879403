import { expect } from 'chai'
import type { Agent } from '#agent/agent.ts'
import { createPatientAccount, recoverPatientAccount } from '#agent/patient/account.ts'
import { endAccess, giveAccess } from '#agent/patient/grants.ts'
import { importFile } from '#agent/patient/import.ts'
import { makeRequest } from '#agent/clinician/requests.ts'
import { createClinicianAccount } from '#agent/clinician/account.ts'
import { currentGeneration } from '#core/agent/patient-state.ts'
import { SalusError } from '#core/error.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'
import { openPaperAgent, PaperNetwork } from '#test/agent/paper-agent.ts'

const NOW_MS = 1_795_180_000_000

describe('what a patient has decided', () => {
  let network: PaperNetwork
  let opened: Awaited<ReturnType<typeof openPaperAgent>>
  let agent: Agent

  beforeEach(async () => {
    network = new PaperNetwork(NOW_MS)
    opened = await openPaperAgent(network, () => NOW_MS)
    agent = opened.agent
    await createClinicianAccount(agent)
  })

  afterEach(async () => opened.close())

  /** Refuses one kind of thing with a code, so many times. */
  function refuse(what: string, code: string, times = Number.POSITIVE_INFINITY): void {
    let left = times
    network.before = each => {
      if (each === what && left-- > 0) throw new SalusError(code, 'Refused on paper.')
    }
  }

  async function register(): Promise<void> {
    await createPatientAccount(agent)
  }

  async function request(): Promise<Uint8Array> {
    return makeRequest(agent, {
      ...{ name: 'Dr. A', compartments: ['vitals'], rights: 1, uses: 255, durationS: 0, purpose: 'care', validS: 600 }
    })
  }

  const grants = () => agent.keeper.state().patient?.state.grants ?? []
  const waiting = (): string[] => (agent.keeper.state().patient?.operations ?? []).map(({ kind }) => kind)

  it('keeps a grant that the chain has, whatever a node says to its capsule', async () => {
    await register()
    refuse('capsule', 'CAPSULE_GRANT')
    const { grantId, progress } = await giveAccess(agent, await request(), {})
    expect(progress).to.deep.equal({ state: 'waiting', code: 'CAPSULE_GRANT' })
    expect(grants().map(each => each.grantId)).to.deep.equal([grantId])
    expect(waiting()).to.deep.equal(['grant'])
    network.before = () => undefined
    expect(await endAccess(agent, grantId)).to.deep.equal({ state: 'done' })
    expect(network.events.map(({ event }) => event.name)).to.include('Revoked')
  })

  it('keeps a grant that the chain got before a crash, where the second request is refused', async () => {
    await register()
    refuse('capsule', 'NODE_TIMEOUT')
    const { grantId } = await giveAccess(agent, await request(), {})
    refuse('relay', 'WALLET_REFUSED')
    await agent.operations.resume()
    expect(grants().map(each => each.grantId)).to.deep.equal([grantId])
    expect(waiting()).to.deep.equal(['grant'])
  })

  it('forgets a grant that the chain refuses, and backs that up', async () => {
    await register()
    refuse('relay', 'CHAIN_BAD_TERMS')
    await expectCode('CHAIN_BAD_TERMS', async () => giveAccess(agent, await request(), {}))
    expect(grants()).to.deep.equal([])
    expect(waiting()).to.deep.equal([])
    expect(agent.keeper.state().patient?.backup.isDue).to.equal(true)
  })

  it('keeps the seed of a patient that the chain has registered, where the first backup is refused', async () => {
    refuse('entry', 'ENTRY_DAY_FUTURE')
    const progress = await createPatientAccount(agent)
    expect(progress).to.deep.equal({ state: 'waiting', code: 'ENTRY_DAY_FUTURE' })
    const seed = agent.keeper.state().patient?.state.seed
    expect(seed).to.have.lengthOf(32)
    network.before = () => undefined
    expect(await agent.operations.resume()).to.equal(0)
    expect(agent.keeper.state().patient?.backup.isDue).to.equal(false)
  })

  it('forgets a patient that the chain refuses to register', async () => {
    refuse('relay', 'CHAIN_BAD_SIGNATURE')
    await expectCode('CHAIN_BAD_SIGNATURE', async () => createPatientAccount(agent))
    expect(agent.keeper.state().patient).to.equal(null)
  })

  it('retires the tags of two devices that rotate at once', async () => {
    await register()
    const [first, second] = [await request(), await request()]
    const one = (await giveAccess(agent, first, { compartments: ['vitals'] })).grantId
    const two = (await giveAccess(agent, second, { compartments: ['labs'] })).grantId
    const { seed, patient } = agent.keeper.state().patient!.state
    let isAway = false
    const other = await openPaperAgent(
      network,
      () => NOW_MS,
      () => isAway
    )
    try {
      const { wallet } = agent.keeper.state().patient!
      await recoverPatientAccount(other.agent, seed, structuredClone(wallet))
      const before = agent.keeper.state().patient!.state
      const tagOf = (compartment: Compartment): Uint8Array =>
        compartmentTag(p, currentGeneration(before, compartment).key, compartment)
      isAway = true
      expect(await endAccess(other.agent, two)).to.deep.equal({ state: 'waiting', code: 'NODE_UNREACHABLE' })
      expect(await endAccess(agent, one)).to.deep.equal({ state: 'done' })
      isAway = false
      expect(await other.agent.operations.resume()).to.equal(0)
      expect(network.store.retiredDay(patient, tagOf('vitals'))).to.be.a('number')
      expect(network.store.retiredDay(patient, tagOf('labs'))).to.be.a('number')
    } finally {
      await other.close()
    }
  })

  it('gives new keys to all grantees where two devices changed a part of the record at once', async () => {
    await register()
    const one = (await giveAccess(agent, await request(), { compartments: ['labs'] })).grantId
    let isAway = false
    const other = await openPaperAgent(
      network,
      () => NOW_MS,
      () => isAway
    )
    try {
      const { state, wallet } = agent.keeper.state().patient!
      await recoverPatientAccount(other.agent, state.seed.slice(), structuredClone(wallet))
      isAway = true
      await createClinicianAccount(other.agent)
      const { grantId } = await giveAccess(other.agent, await request(), { compartments: ['labs'] })
      await importFile(other.agent, { bytes: new Uint8Array(9), type: 'text/plain', compartment: 'labs' })
      expect(await endAccess(agent, one)).to.deep.equal({ state: 'done' })
      isAway = false
      // The entry is under keys that were replaced: to seal it again, the device hears of the other one.
      for (let i = 0; i < 3; i++) await other.agent.operations.resume()
      expect(await other.agent.outbox.names()).to.deep.equal([])
      expect(network.store.capsuleRevision(grantId)).to.equal(2)
      expect(other.agent.keeper.state().patient?.operations).to.deep.equal([])
    } finally {
      await other.close()
    }
  })
})

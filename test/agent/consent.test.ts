import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { Contract, type JsonRpcProvider } from 'ethers'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { openOffice, type Office } from '#test/contracts/credential-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { grantTo } from '#test/agent/granting.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'
import { account } from '#test/node/chain/test-chain.ts'

interface Listed {
  entry: string
  header: string
  compartment: string | null
  code: string | null
}

const DAY_MS = 86_400_000
const PHYSICIAN = 1
const NURSE = 2
const [CARDIOLOGY, ORTHOPAEDICS] = [4, 14]
const dayText = (ahead: number): string => new Date(Date.now() + ahead * DAY_MS).toISOString().slice(0, 10)

describe('what patients grant, by hand and by rules', function () {
  this.timeout(400_000)
  let world: AgentWorld
  let provider: JsonRpcProvider
  let office: Office
  let patient: AgentProcess
  let doctor: AgentProcess
  let letter: Listed
  let lab: Listed

  const listed = async (): Promise<Listed[]> => (await patient.run('patient', 'entries'))['entries'] as Listed[]
  const opened = async (grant: string): Promise<string[]> => {
    const { entries } = (await doctor.run('clinician', 'read', grant)) as { entries: Listed[] }
    return entries.filter(({ code }) => code == null).map(({ entry }) => entry)
  }
  const request = async (who: AgentProcess, ...wish: string[]): Promise<string> => {
    const { code } = (await who.run('clinician', 'request', '--name', 'Dr. A', ...wish)) as { code: { text: string } }
    return code.text
  }

  before(async () => {
    world = await createAgentWorld()
    provider = createProvider(world.chain.rpcUrl, world.deployment.chainId)
    office = openOffice(testChain(), accountKey('hospital'))
    await (await office.accredit()).wait()
    const [, second, third] = world.nodes
    patient = await world.agent('patient', { args: ['--replica', second?.httpUrl ?? '', third?.httpUrl ?? ''] })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile, '--device', 'laptop')
    doctor = await staff('doctor', 5, PHYSICIAN, CARDIOLOGY)
    await patient.run('patient', 'import', await world.file('letter.txt', 'Dear colleague'))
    const values = JSON.stringify({ resourceType: 'Observation', status: 'final', valueString: 'high' })
    const file = await world.file('lab.json', values)
    await patient.run('patient', 'import', file, '--compartment', 'labs', '--by-attribute')
    const entries = await listed()
    letter = entries.find(({ compartment }) => compartment === 'documents')!
    lab = entries.find(({ compartment }) => compartment === 'labs')!
  })

  after(async () => {
    provider.destroy()
    await world.stop()
  })

  it('tell what somebody would see today, and grant nothing by it', async () => {
    const to = await request(doctor, '--compartment', 'documents', '--read', '--history')
    const preview = await patient.run('patient', 'grant', '--to', to, '--preview')
    expect(preview).to.include({ seen: 1, hidden: 1, sensitive: 0 })
    expect(preview['words']).to.equal('would see 1 item today, none of them in a sensitive section; 1 item stay shut')
    const one = await patient.run('patient', 'grant', '--to', to, '--attribute', `${lab.entry}#/status`, '--preview')
    expect(one).to.deep.include({ seen: 1, hidden: 1, from: dayText(0), to: dayText(0) })
    expect((await patient.run('patient', 'grants'))['grants']).to.deep.equal([])
  })

  it('grant a span of days', async () => {
    const wish = ['--compartment', 'documents', '--read', '--history']
    const past = await grantTo(patient, doctor, wish, ['--days', `2001-01-01..${dayText(-1)}`])
    expect(await opened(past)).to.deep.equal([])
    const today = await grantTo(patient, doctor, wish, ['--days', `2001-01-01..${dayText(0)}`])
    expect(await opened(today)).to.deep.equal([letter.entry])
    const to = await request(doctor, '--compartment', 'documents', '--read')
    const refused = await patient.attempt('patient', 'grant', '--to', to, '--days', '2001-01-01..2001-12-31')
    expect(refused.errorText).to.contain('GRANT_DAYS')
    const bad = await patient.attempt('patient', 'grant', '--to', to, '--days', 'yesterday')
    expect(bad.errorText).to.contain('2026-01-01..2026-03-31')
    for (const grant of [past, today]) await patient.run('patient', 'revoke', grant)
  })

  it('grant one entry, or one attribute of one', async () => {
    const wish = ['--compartment', 'documents', '--read']
    const entry = await grantTo(patient, doctor, wish, ['--entry', letter.entry])
    expect(await opened(entry)).to.deep.equal([letter.entry])
    const attribute = await grantTo(patient, doctor, wish, ['--attribute', `${lab.entry}#/valueString`])
    expect(await opened(attribute)).to.include(lab.entry)
    const out = join(world.dir, 'value.json')
    await doctor.run('clinician', 'read', attribute, '--entry', lab.entry, '--out', out)
    expect(await readFile(out, 'utf8')).to.equal('{"/valueString":"high"}')
    const to = await request(doctor, ...wish)
    const other = await patient.attempt('patient', 'grant', '--to', to, '--attribute', `${lab.entry}#/nothing`)
    expect(other.errorText).to.contain('ATTRIBUTE_PATH')
    const whole = await patient.attempt('patient', 'grant', '--to', to, '--attribute', `${letter.entry}#/text`)
    expect(whole.errorText).to.contain('ATTRIBUTE_NONE')
    const unknown = await patient.attempt('patient', 'grant', '--to', to, '--entry', `0x${'ab'.repeat(16)}`)
    expect(unknown.errorText).to.contain('ENTRY_UNKNOWN')
  })

  it('explain an access, with its places on the chain', async () => {
    const grant = await grantTo(patient, doctor, ['--compartment', 'documents', '--read', '--history', '--once'])
    const why = async (...args: string[]) =>
      (await patient.run('patient', 'explain', ...args)) as {
        isAllowed: boolean
        grant: string | null
        steps: { question: string; holds: boolean; proof: { transactionHash: string } | null }[]
      }
    const allowed = await why(grant, '--entry', letter.entry)
    expect(allowed.isAllowed).to.equal(true)
    const claim = allowed.steps.find(({ question }) => question === 'USE_CLAIMED')?.proof?.transactionHash ?? ''
    expect((await provider.getTransactionReceipt(claim))?.status).to.equal(1)
    const write = await why(grant, '--entry', letter.entry, '--right', 'write')
    expect(write.steps.at(-1)).to.include({ question: 'RIGHT_GRANTED', holds: false })
    const shut = await why(grant, '--entry', lab.entry)
    expect(shut.steps.at(-1)).to.include({ question: 'SECTION_GRANTED', holds: false })
    const byAddress = await why(account(5).address, '--compartment', 'documents')
    expect(byAddress).to.include({ isAllowed: true })
    expect(await why(account(9).address, '--compartment', 'labs')).to.include({ isAllowed: false, grant: null })
    await patient.run('patient', 'revoke', grant)
    const after = await why(grant, '--entry', letter.entry)
    expect(after.steps.at(-1)).to.include({ question: 'GRANT_NOT_REVOKED', holds: false })
  })

  it('grant by a rule for roles to nobody that it does not mean', async () => {
    const nurse = await staff('nurse', 6, NURSE, 0)
    const orthopaedist = await staff('orthopaedist', 7, PHYSICIAN, ORTHOPAEDICS)
    const stranger = await world.agent('stranger')
    await stranger.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    const attempt = async (who: AgentProcess, template: string, rights: string[], more = ['--care-team']) => {
      const to = await request(who, '--compartment', 'labs', ...rights)
      return patient.attempt('patient', 'grant', '--to', to, '--role-template', template, ...more)
    }
    const refusal = async (...args: Parameters<typeof attempt>): Promise<string> => (await attempt(...args)).errorText
    expect(await refusal(nurse, 'nurse', ['--read', '--write'])).to.contain('writing labs: not-this-right')
    expect(await refusal(nurse, 'nurse', ['--read'], [])).to.contain('not-in-care-team')
    expect(await refusal(nurse, 'cardiologist', ['--read'])).to.contain('no-rule-for-role')
    expect(await refusal(orthopaedist, 'cardiologist', ['--read'])).to.contain('no-rule-for-specialty')
    expect(await refusal(stranger, 'cardiologist', ['--read'])).to.contain('no-credential')
    expect(await refusal(doctor, 'cardiologist', ['--read'])).to.contain('GRANT_ROLE_REFUSED')
    expect(await refusal(doctor, 'cardiologist', ['--read'])).to.contain('not-for-this-condition')
    expect((await attempt(nurse, 'nurse', ['--read'])).code).to.equal(0)
    const condition = (code: string, status: string): string =>
      JSON.stringify({
        resourceType: 'Condition',
        clinicalStatus: { coding: [{ code: status }] },
        code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code }] }
      })
    const past = await world.file('past.json', condition('I50.0', 'resolved'))
    await patient.run('patient', 'import', past, '--compartment', 'conditions')
    expect(await refusal(doctor, 'cardiologist', ['--read'])).to.contain('not-for-this-condition')
    const heart = await world.file('heart.json', condition('I50.1', 'active'))
    await patient.run('patient', 'import', heart, '--compartment', 'conditions')
    expect((await attempt(doctor, 'cardiologist', ['--read', '--write'])).code).to.equal(0)
    await (await office.revoke(keyOf(5), undefined, undefined)).wait()
    expect(await refusal(doctor, 'cardiologist', ['--read'])).to.contain('credential-revoked')
  })

  it('measure how fast a revocation takes hold, and say what may have been kept', async () => {
    const grant = await grantTo(patient, doctor, ['--compartment', 'documents', '--read', '--history', '--uses', '2'])
    const ended = (await patient.run('patient', 'revoke', grant)) as {
      refusedAfterS: number
      replicas: { node: string; refusedAfterMs: number }[]
      mayHold: string[]
      opened: { what: string; source: string }[]
    }
    expect(ended.replicas.map(({ node }) => node)).to.deep.equal(world.nodes.map(({ httpUrl }) => httpUrl))
    expect(ended.refusedAfterS).to.equal(Math.max(...ended.replicas.map(each => each.refusedAfterMs)) / 1000)
    expect(ended.refusedAfterS).to.be.lessThan(15)
    expect(ended.mayHold).to.deep.equal([letter.entry])
    expect(ended.opened.map(({ what, source }) => `${what} ${source}`)).to.deep.equal(['claimed chain'])
    expect((await doctor.attempt('clinician', 'read', grant)).errorText).to.contain('READ_REVOKED')
  })

  function keyOf(index: number): Key {
    const wallet = account(index)
    return {
      signer: wallet.address.toLowerCase(),
      id: wallet.address,
      sign: (...args) => wallet.signTypedData(...args)
    }
  }

  /** Somebody with a wallet of the chain’s own, and a credential of the hospital. */
  async function staff(name: string, index: number, role: number, specialty: number): Promise<AgentProcess> {
    const agent = await world.agent(name)
    const signer = ['--signer', world.chain.rpcUrl, '--signer-address', account(index).address.toLowerCase()]
    await agent.run('clinician', 'create', '--passphrase-file', world.passphraseFile, ...signer)
    await (await office.issue({ holder: keyOf(index), terms: { role, specialty } })).wait()
    return agent
  }

  /** What the requests of the contracts' tests need of a chain. */
  function testChain(): TestChain {
    const { contracts, chainId } = world.deployment
    const now = async (): Promise<number> => (await provider.getBlock('latest'))?.timestamp ?? 0
    // Account 1 deploys and governs; 2 to 4 are the nodes’ relayers.
    const governor = account(1, provider)
    return {
      contracts: { credentials: new Contract(contracts.CredentialRegistry.address, credentialRegistryAbi, governor) },
      domainOf: (name: keyof typeof contracts) =>
        domain(name as 'CredentialRegistry', chainId, contracts[name].address),
      now,
      deadline: async () => (await now()) + 3600
    } as unknown as TestChain
  }
})

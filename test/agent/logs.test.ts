import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { openRunningOffice, type RunningOffice } from '#test/agent/office.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'
import { PARAMEDIC } from '#test/contracts/credential-requests.ts'
import { account } from '#test/node/chain/test-chain.ts'

type Row = Readonly<Record<string, unknown>>
const rows = (answer: Record<string, unknown>, name: string): Row[] => answer[name] as Row[]
const codeOf = (answer: Record<string, unknown>, field: string): string => (answer[field] as { text: string }).text

/** What nobody who reads a log may learn; each is said somewhere in the run below, and nowhere else. */
const SECRETS = {
  plaintext: 'quetiapine forty milligrams',
  display: 'Zoster ophthalmicus',
  resource: 'Brzęczyszczykiewicz',
  name: 'Dr. Ottokar Silberfisch',
  purpose: 'second opinion on tremor',
  correction: 'the left eye was meant',
  search: 'ophthalmicus*',
  reason: 'collapsed in the chapel',
  dispute: 'I was merely asleep',
  wrong: 'not-my-passphrase-9137',
  malformed: 'unfinished-sentence-5512',
  passphrase: PASSPHRASE
} as const

/** A text as it could lie in a log: as it is, as JSON escapes it, and as bytes are commonly written. */
function formsOf(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8')
  // Of base64, what does not depend on where the text begins or ends in what was written.
  const shifted = [0, 1, 2].map(shift =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4)
  )
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    bytes.toString('hex'),
    ...shifted,
    ...shifted.map(each => each.replaceAll('+', '-').replaceAll('/', '_'))
  ].filter(each => each.length >= 8)
}

describe('the logs of agents, nodes and chain over a whole run', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let office: RunningOffice
  let pseudonym = ''
  const ids: string[] = []

  before(async () => {
    world = await createAgentWorld({ nodeArgs: ['--custodian', '--log-level', 'debug'] })
    office = await openRunningOffice(world)
    await run()
  })

  after(async () => {
    office.stop()
    await world.stop()
  })

  async function run(): Promise<void> {
    const args = ['--log-level', 'debug']
    const patient = await world.agent('patient', { args })
    const doctor = await world.agent('doctor', { node: 1, args })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    pseudonym = String(((await patient.run('agent', 'status'))['patient'] as Row)['id'])
    await becomeParamedic(doctor)
    await fill(patient)
    const grant = await share(patient, doctor)
    await useGrant(patient, doctor, grant)
    await emergency(patient, doctor)
    await goWrong(patient)
    await patient.run('patient', 'revoke', grant)
    // Long enough for the looks that agents take by themselves.
    await pause(2_000)
  }

  async function becomeParamedic(doctor: AgentProcess): Promise<void> {
    const wallet = account(5)
    const signer = ['--signer', world.chain.rpcUrl, '--signer-address', wallet.address.toLowerCase()]
    await doctor.run('clinician', 'create', '--passphrase-file', world.passphraseFile, ...signer)
    const sign = async (...of: Parameters<typeof wallet.signTypedData>) => wallet.signTypedData(...of)
    await office.hire({ signer: wallet.address.toLowerCase(), id: wallet.address, sign }, PARAMEDIC)
  }

  async function fill(patient: AgentProcess): Promise<void> {
    const note = await world.file('note.txt', SECRETS.plaintext)
    await patient.run('patient', 'import', note, '--compartment', 'emergency')
    const condition = {
      ...{ resourceType: 'Condition', subject: { reference: 'Patient/1', display: SECRETS.resource } },
      code: { coding: [{ system: 'http://snomed.info/sct', code: '4740000', display: SECRETS.display }] }
    }
    const file = await world.file('condition.json', JSON.stringify(condition))
    const type = ['--compartment', 'conditions', '--type', 'application/fhir+json']
    await patient.run('patient', 'import', file, ...type)
    const [entry] = rows(await patient.run('patient', 'search', SECRETS.search), 'entries')
    ids.push(String(entry!['entry']))
    await patient.run('patient', 'entry', 'correct', ids[0]!, file, '--because', SECRETS.correction, '--type', type[3]!)
  }

  async function share(patient: AgentProcess, doctor: AgentProcess): Promise<string> {
    const asked = await doctor.run(
      ...['clinician', 'request', '--name', SECRETS.name, '--purpose', SECRETS.purpose],
      ...['--compartment', 'conditions', 'documents', '--read', '--write', '--history']
    )
    const given = await patient.run('patient', 'grant', '--to', codeOf(asked, 'code'))
    await doctor.run('clinician', 'claim', codeOf(given, 'answer'))
    return String(given['grant'])
  }

  async function useGrant(patient: AgentProcess, doctor: AgentProcess, grant: string): Promise<void> {
    await doctor.run('clinician', 'read', grant)
    await doctor.run('clinician', 'search', grant, SECRETS.search)
    await doctor.client.get(`/v1/clinician/grants/${grant}/data`)
    const letter = await world.file('letter.txt', `${SECRETS.plaintext}, says ${SECRETS.name}`)
    await doctor.run('clinician', 'write', grant, letter, '--compartment', 'documents')
    await patient.run('patient', 'entries')
    await patient.run('patient', 'accesses')
  }

  async function emergency(patient: AgentProcess, doctor: AgentProcess): Promise<void> {
    const custodians = world.nodes.flatMap(({ httpUrl }) => ['--custodian', httpUrl])
    await patient.run('patient', 'emergency', 'prepare', ...custodians, '--threshold', '2')
    const declared = await doctor.run(
      ...['clinician', 'breakglass', '--patient', pseudonym, '--reason', SECRETS.reason, '--hours', '1', ...custodians]
    )
    const id = String(declared['emergency'])
    ids.push(id)
    await doctor.run('clinician', 'breakglass', '--read', id)
    await doctor.run('clinician', 'breakglass', '--end', id)
    await patient.run('patient', 'emergency', 'list')
    await patient.run('patient', 'emergency', 'dispute', id, '--statement', SECRETS.dispute)
  }

  /** What is refused is as secret as what is not. */
  async function goWrong(patient: AgentProcess): Promise<void> {
    const wrong = await world.file('wrong', SECRETS.wrong)
    await patient.attempt('agent', 'unlock', '--passphrase-file', wrong)
    const broken = await world.file('broken.json', `{"resourceType":"Bundle","note":"${SECRETS.malformed}`)
    await patient.attempt('patient', 'import', broken, '--type', 'application/fhir+json')
    await patient.attempt('patient', 'grant', '--to', `SALUS:${SECRETS.malformed}`)
    await patient.attempt('patient', 'entry', 'show', `0x${'12'.repeat(16)}`)
    const answers = [
      patient.client.post('/v1/patient/search', { text: SECRETS.plaintext, nonsense: SECRETS.malformed }),
      patient.client.get(`/v1/patient/entries/${encodeURIComponent(SECRETS.malformed)}/body`)
    ]
    await Promise.allSettled(answers)
  }

  it('hold no plaintext, name, purpose, reason, search or passphrase, in any form', async () => {
    const names = (await readdir(join(world.dir, 'logs'))).filter(name => name.endsWith('.log'))
    expect(names.length).to.be.at.least(6)
    let bytes = 0
    for (const name of names) {
      const log = await readFile(join(world.dir, 'logs', name), 'utf8')
      bytes += log.length
      for (const [what, secret] of Object.entries(SECRETS)) {
        for (const form of formsOf(secret)) expect(log.includes(form), `${what} in ${name}`).to.equal(false)
      }
    }
    // A test of silence says nothing where nobody spoke.
    expect(bytes).to.be.greaterThan(1_000)
  })

  it('would show it: each form is found in what it was written as', () => {
    const text = `before ${SECRETS.reason} after`
    const bytes = Buffer.from(text)
    for (const written of [text, JSON.stringify({ text }), bytes.toString('base64url'), bytes.toString('hex')]) {
      expect(formsOf(SECRETS.reason).some(form => written.includes(form))).to.equal(true)
    }
  })

  it('of agents name nobody’s pseudonym, entry or emergency', async () => {
    for (const name of ['patient', 'doctor']) {
      const log = await readFile(join(world.dir, 'logs', `${name}.log`), 'utf8')
      for (const id of [pseudonym, ...ids]) expect(log.includes(id.slice(2)), `an id in ${name}`).to.equal(false)
    }
  })
})

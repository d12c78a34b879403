import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { exportJWK, generateKeyPair } from 'jose'
import { startHis, type HisServer } from '#test/agent/fhir/his-server.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

/** The server’s clock stands still while a command starts; what was signed meanwhile is not of its future. */
const AHEAD_MS = 20_000

interface Entry {
  entry: string
  revision: number
  type: string
  compartment: string
}

describe('a record and a hospital’s server', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let his: HisServer
  let patient: AgentProcess
  let keyFile: string

  before(async () => {
    world = await createAgentWorld()
    his = await startHis()
    his.nowMs = Date.now() + AHEAD_MS
    const { publicKey, privateKey } = await generateKeyPair('ES384', { extractable: true })
    his.jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES384' }] }
    keyFile = await world.file('key.json', JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'k' }))
    patient = await world.agent('patient')
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
  })

  after(async () => {
    await his.close()
    await world.stop()
  })

  const put = (type: string, id: string, more = ''): void => {
    his.nowMs = Date.now() + AHEAD_MS
    const text = `{"resourceType":"${type}","id":"${id}"${more}}`
    his.resources = [
      ...his.resources.filter(each => !each.text.includes(`"id":"${id}"`)),
      { type, text, updatedMs: his.nowMs }
    ]
  }
  const sync = async (...args: string[]) => {
    his.nowMs = Date.now() + AHEAD_MS
    const named = ['--base', his.base, '--client', 'salus-client', '--key-file', keyFile, '--allow-http', ...args]
    return patient.attempt('patient', 'sync-his', ...named)
  }
  const resources = async (): Promise<Entry[]> => {
    const { entries } = await patient.run('patient', 'entries')
    return (entries as Entry[]).filter(({ type }) => type === 'application/fhir+json')
  }

  for (const from of [
    ['--patient', 'p'],
    ['--bulk', 'Group/1/$export']
  ] as const) {
    it(`are brought together by ${from[0]}, and each state of a resource is a revision`, async () => {
      const name = from[0].slice(2)
      const known = (await resources()).length
      put('Patient', 'p')
      put('Condition', `c-${name}`, ',"code":{"text":"asthma"},"subject":{"reference":"Patient/p"}')
      const data = Buffer.alloc(9000, name).toString('base64')
      put('DocumentReference', `d-${name}`, `,"content":[{"attachment":{"data":"${data}"}}]`)
      const first = await sync(...from)
      expect(first.code, first.errorText).to.equal(0)
      const before = await resources()
      expect(before.length).to.be.greaterThan(known)
      const again = await sync(...from, '--all')
      expect(again.code, again.errorText).to.equal(0)
      expect(await resources()).to.have.lengthOf(before.length)
      put('Condition', `c-${name}`, ',"code":{"text":"mild asthma"},"subject":{"reference":"Patient/p"}')
      expect((await sync(...from)).code).to.equal(0)
      const after = await resources()
      expect(after).to.have.lengthOf(before.length + 1)
      expect(after.at(-1)).to.include({ revision: 2, compartment: 'conditions' })
      expect(before.map(({ entry }) => entry)).to.include(after.at(-1)?.entry)
      expect((await readdir(join(patient.home, 'his'))).filter(file => file.endsWith('.spool'))).to.deep.equal([])
    })
  }

  it('are not brought together by a wrong key, or over plain HTTP unless told', async () => {
    const bad = await world.file('bad.json', '{"kid":"k","kty":"EC"}')
    expect((await sync('--patient', 'p', '--key-file', bad)).errorText).to.contain('HIS_KEY')
    const { errorText } = await patient.attempt(
      ...['patient', 'sync-his', '--base', his.base, '--client', 'x', '--key-file', keyFile, '--patient', 'p']
    )
    expect(errorText).to.contain('HIS_INSECURE')
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { encodeBytes32String } from 'ethers'
import { saveDeployment } from '#scripts/deploy/file.ts'
import type { Report } from '#scripts/observer/search.ts'
import { openAnvil, type AnvilBackend } from '#test/contracts/backends/anvil.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { openWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { requestAccess } from '#test/contracts/requests.ts'
import { takeConsent, useGrants } from '#test/scripts/observer/patient-story.ts'
import { runObserver, type Outcome } from '#test/scripts/observer/script.ts'
import { tellOfPatient, type Story } from '#test/scripts/observer/story.ts'

describe('npm run observer', function () {
  this.timeout(120_000)
  let backend: AnvilBackend
  let chain: TestChain
  let story: Story
  let dir: string
  let chainOptions: string[]
  before(async () => {
    backend = await openAnvil()
    chain = await openChain(backend)
    const world = await openWorld(chain, accountKey('somebody else'))
    story = await tellOfPatient(chain, world, { steps: [useGrants, takeConsent] })
    dir = await mkdtemp(join(tmpdir(), 'salus-observer-'))
    await saveDeployment(join(dir, 'deployment.json'), chain.deployment)
    chainOptions = ['--rpc', backend.rpcUrl, '--deployment', join(dir, 'deployment.json')]
  })
  after(async () => {
    await chain.close()
    await rm(dir, { recursive: true, force: true })
  })

  const withSecrets = async (file: object | string, ...args: readonly string[]): Promise<Outcome> => {
    const path = join(dir, 'secrets.json')
    await writeFile(path, typeof file === 'string' ? file : JSON.stringify(file))
    return runObserver(...chainOptions, '--secrets', path, ...args)
  }
  const relationships = (): object[] =>
    story.relationships.map(({ patient }, index) => ({ name: `relationship ${String(index)}`, ids: [patient] }))

  it('finds nothing that is declared, and ends with 0', async () => {
    const { code, stdout } = await withSecrets({
      secrets: [{ kind: 'text', name: 'phone', value: '+49 30 901820' }],
      relationships: relationships(),
      relayers: [await backend.signer.getAddress()],
      grantees: [story.sharedGrantee],
      staff: story.staff
    })
    expect(stdout).to.match(/Nothing was found/)
    expect(code).to.equal(0)
  })

  it('says which links and secrets it finds, and ends with 1', async () => {
    const fromBlock = String((await backend.provider.getBlockNumber()) + 1)
    await requestAccess(chain, accountKey('careless'), encodeBytes32String('Erika Mustermann'))
    const secrets = [{ kind: 'text', name: 'name', value: 'Erika Mustermann' }]
    const file = { secrets, relationships: relationships() }
    const { code, stdout } = await withSecrets(file, '--json', '--without-storage')
    const report = JSON.parse(stdout) as Report
    expect(report.findings.map(({ place }) => place))
      .to.include('log')
      .and.not.include('storage')
    expect(report.findings.map(({ needle }) => needle)).to.include.members([
      'name',
      'field request, which is no digest'
    ])
    for (const address of [story.sharedGrantee, await backend.signer.getAddress()]) {
      const digits = address.slice(2).toLowerCase()
      expect(
        report.links.some(({ shared }) => shared.includes(digits)),
        address
      ).to.equal(true)
    }
    expect(code).to.equal(1)
    const { stdout: text } = await withSecrets(file, '--from-block', fromBlock)
    expect(text).to.match(/^1 transactions were read\.\nfound: name, in the calldata of 0x/)
  })

  it('explains itself, and refuses what it cannot read with a code and without quoting it', async () => {
    expect((await runObserver('--help')).code).to.equal(0)
    expect((await runObserver()).code).to.equal(2)
    expect((await runObserver('--what')).code).to.equal(2)
    const broken = await withSecrets('{"secrets": ["Erika Mustermann"]}')
    expect(broken.code).to.equal(1)
    expect(broken.stderr)
      .to.match(/^OBSERVER_INPUT: /)
      .and.not.include('Erika')
  })
})

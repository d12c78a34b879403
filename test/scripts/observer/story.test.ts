import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { getBytes, hexlify, id, toUtf8Bytes } from 'ethers'
import { CID } from 'multiformats/cid'
import { saveDeployment } from '#scripts/deploy/file.ts'
import { readDeclared } from '#scripts/observer/declared.ts'
import { findNeedles } from '#scripts/observer/find.ts'
import { findLinks } from '#scripts/observer/links.ts'
import { needlesOf } from '#scripts/observer/needles.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'
import { readTransactions, type Report } from '#scripts/observer/search.ts'
import { openAnvil, type AnvilBackend } from '#test/contracts/backends/anvil.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { requestAccess } from '#test/contracts/requests.ts'
import { calledFunctions, stateChangingFunctions } from '#test/scripts/observer/called.ts'
import { runObserver, type Outcome } from '#test/scripts/observer/script.ts'
import { CIDS, SECRETS } from '#test/scripts/observer/secrets.ts'
import { tellStory, type Story } from '#test/scripts/observer/story.ts'

describe('what the chain shows of a whole story', function () {
  this.timeout(120_000)
  const needles = needlesOf(SECRETS)
  let backend: AnvilBackend
  let chain: TestChain
  let story: Story
  let seen: SeenTransaction[]
  let declared: Uint8Array[]
  before(async () => {
    backend = await openAnvil()
    chain = await openChain(backend)
    story = await tellStory(chain)
    seen = await readTransactions(backend.provider)
    declared = await readDeclared({
      deployment: chain.deployment,
      relayers: [await backend.signer.getAddress()],
      grantees: [story.sharedGrantee],
      staff: story.staff,
      passkeySite: 'salus.example'
    })
  })
  after(() => chain.close())

  const about = (index: number): SeenTransaction[] => {
    const hashes = story.relationships[index]?.hashes ?? []
    return seen.filter(({ hash }) => hashes.includes(hash))
  }
  const newest = async (): Promise<SeenTransaction> => {
    const last = (await readTransactions(backend.provider, { fromBlock: await backend.provider.getBlockNumber() })).at(
      -1
    )
    if (last == null) throw new Error('no transaction')
    return last
  }

  it('reaches every contract that takes requests, and sees calldata, logs and storage', () => {
    const { AccessManager, ERC7913P256Verifier, ERC7913WebAuthnVerifier, ...asked } = chain.deployment.contracts
    const reached = new Set(seen.map(({ to }) => to?.toLowerCase()))
    for (const [name, { address }] of Object.entries(asked))
      expect(reached.has(address.toLowerCase()), name).to.equal(true)
    const places = new Set(seen.flatMap(({ parts }) => parts.map(({ place }) => place)))
    expect([...places].sort()).to.deep.equal(['calldata', 'log', 'storage'])
    expect([AccessManager, ERC7913P256Verifier, ERC7913WebAuthnVerifier]).to.have.length(3)
  })

  it('calls every function of every contract that can change something; what is new belongs into the story too', async () => {
    const functions = await stateChangingFunctions(chain.deployment)
    const called = await calledFunctions(
      backend.provider,
      seen.map(({ hash }) => hash)
    )
    const left = [...functions].filter(([key]) => !called.has(key)).map(([, name]) => name)
    expect(left, 'call these in test/scripts/observer/*-story.ts').to.deep.equal([])
    expect(functions.size).to.be.greaterThan(100)
  })

  it('is no name, health word, purpose, reason or record', () => {
    expect(seen.flatMap(each => findNeedles(each, needles))).to.deep.equal([])
  })

  for (const [a, b, which] of [
    [0, 1, 'with a wallet and with a passkey'],
    [1, 2, 'with two passkeys of one site'],
    [0, 2, 'with a wallet and another passkey']
  ] as const) {
    it(`links no two relationships, ${which}, beyond what docs/privacy.md declares`, () => {
      expect(about(a).length, 'transactions').to.be.greaterThan(15)
      expect(about(b).length, 'transactions').to.be.greaterThan(15)
      expect(findLinks(about(a), about(b), declared)).to.deep.equal([])
    })
  }

  it('does show what is declared: without the list there are links', () => {
    const links = findLinks(about(1), about(2), [])
    expect(links.some(link => link.includes(story.sharedGrantee.slice(2).toLowerCase()))).to.equal(true)
    expect(links.some(link => link.includes(hexlify(toUtf8Bytes('salus.example')).slice(2)))).to.equal(true)
  })

  describe('the script', () => {
    let dir: string
    let chainOptions: string[]
    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'salus-observer-'))
      await saveDeployment(join(dir, 'deployment.json'), chain.deployment)
      chainOptions = ['--rpc', backend.rpcUrl, '--deployment', join(dir, 'deployment.json')]
    })
    after(() => rm(dir, { recursive: true, force: true }))

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
      await requestAccess(chain, accountKey('careless'), hexlify(toUtf8Bytes('Erika Mustermann'.padEnd(32))))
      const secrets = [{ kind: 'text', name: 'name', value: 'Erika Mustermann' }]
      const { code, stdout } = await withSecrets(
        { secrets, relationships: relationships() },
        '--json',
        '--without-storage'
      )
      const report = JSON.parse(stdout) as Report
      expect(report.findings.map(({ place }) => place))
        .to.include('log')
        .and.not.include('storage')
      expect(report.findings.map(({ needle }) => needle)).to.include('name')
      expect(report.links.some(({ shared }) => shared.includes(story.sharedGrantee.slice(2).toLowerCase()))).to.equal(
        true
      )
      expect(code).to.equal(1)
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

  describe('controls: what a careless agent would put there is found', () => {
    const plant = async (digest: string): Promise<string[]> => {
      await requestAccess(chain, accountKey('careless'), digest)
      return findNeedles(await newest(), needles).map(({ needle }) => needle)
    }

    it('a name', async () => {
      expect(await plant(hexlify(toUtf8Bytes('Dr. Erika Mustermann'.padEnd(32))))).to.include('name')
    })

    it('a health word hashed without salt', async () => {
      expect(await plant(id('mental'))).to.include('keccak-256 of compartment mental')
    })

    it('the digest of a record’s CID', async () => {
      expect(await plant(hexlify(CID.parse(CIDS[0]).multihash.digest))).to.include(
        `entry ${CIDS[0].slice(-4)} as digest`
      )
    })

    it('one salt in two relationships', async () => {
      const salt = id('one salt for all')
      const sides: SeenTransaction[] = []
      for (const label of ['left', 'right']) {
        await requestAccess(chain, accountKey(label), salt)
        sides.push(await newest())
      }
      const links = findLinks(sides.slice(0, 1), sides.slice(1), declared)
      expect(links.some(link => getBytes(link).length >= 32 && link.includes(salt.slice(2)))).to.equal(true)
    })
  })
})

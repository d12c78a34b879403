import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { JsonRpcProvider, NonceManager, Wallet, keccak256 } from 'ethers'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { readDeployment } from '#core/chain/deployment.ts'
import { createDevChain, type DevChain } from '#node/chain/dev-chain.ts'
import { createLog } from '#node/log.ts'
import { deployAll, type DeployInit } from '#scripts/deploy/deploy.ts'
import { deploymentPath, loadKnown, saveDeployment, saveProgress } from '#scripts/deploy/file.ts'
import { runNode } from '#scripts/process/run.ts'
import { expectCode } from '#test/error-code.ts'
import { knownFrom } from '#test/scripts/deploy/governed-chain.ts'

/** First account of the well-known development mnemonic. */
const DEV_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const DEPLOYER = new Wallet(DEV_KEY).address
const log = createLog({ name: 'test', level: 'silent' })

describe('deployment to a chain over JSON-RPC', function () {
  this.timeout(60_000)
  let directory: string
  let chain: DevChain
  let rpcUrl: string
  let provider: JsonRpcProvider
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-deploy-'))
    chain = createDevChain({ log }, { dataDir: join(directory, 'chain'), port: 0 })
    rpcUrl = (await chain.start()).rpcUrl
    provider = new JsonRpcProvider(rpcUrl, undefined, { pollingInterval: 100 })
  })
  after(async () => {
    provider.destroy()
    await chain.stop()
    await rm(directory, { recursive: true })
  })

  const deploy = (init: Partial<DeployInit> = {}) =>
    deployAll({ provider, signer: new NonceManager(new Wallet(DEV_KEY, provider)), log, ...init })
  const sentSoFar = () => provider.getTransactionCount(new Wallet(DEV_KEY).address)

  it('puts every contract where it says, with the code it says', async () => {
    const deployment = await deploy()
    for (const name of CONTRACT_NAMES) {
      const { address, codeHash } = deployment.contracts[name]
      expect(keccak256(await provider.getCode(address))).to.equal(codeHash)
    }
    expect(readDeployment(JSON.parse(JSON.stringify(deployment)))).to.deep.equal(deployment)
  })

  it('changes nothing when run again', async () => {
    const deployment = await deploy()
    const before = await sentSoFar()
    expect(await deploy({ known: knownFrom(deployment) })).to.deep.equal(deployment)
    expect(await sentSoFar()).to.equal(before)
  })

  it('goes on where a run was cut short, and knows the block it began at', async () => {
    const path = deploymentPath(directory, 31_337)
    const network = 'salus/cut-short'
    const dead = deploy({
      network,
      onPlanned: async progress => {
        await saveProgress(path, progress)
        throw new Error('power cut')
      }
    })
    await dead.catch((error: unknown) => expect((error as Error).message).to.equal('power cut'))
    const begun = await loadKnown(path)
    await provider.send('anvil_mine', ['0x3'])
    const whole = await deploy({ network, known: begun! })
    expect(whole.blockNumber).to.equal(begun?.blockNumber)
    await saveDeployment(path, whole)
    expect(await loadKnown(path)).to.deep.equal(knownFrom(whole))
    // Without the file the block is found by looking: not later than the first contract, not earlier than need be.
    const { blockNumber } = await deploy({ network })
    expect(blockNumber).to.be.within(whole.blockNumber, whole.blockNumber + 5)
  })

  it('keeps the file of another network beside its own', async () => {
    const path = join(directory, 'kept', '31337.json')
    const [first, second] = [await deploy(), await deploy({ network: 'salus/second' })]
    await saveDeployment(path, first)
    await saveDeployment(path, second)
    expect(JSON.parse(await readFile(path, 'utf8'))).to.deep.equal(second)
    const [beside] = (await readdir(join(directory, 'kept'))).filter(name => name !== '31337.json')
    expect(JSON.parse(await readFile(join(directory, 'kept', beside ?? ''), 'utf8'))).to.deep.equal(first)
  })

  it('goes on over the file of an earlier version, whatever contracts that had', async () => {
    const path = join(directory, 'old', '31337.json')
    const { contracts, ...rest } = await deploy()
    await saveDeployment(path, { ...rest, contracts: { PatientRegistry: contracts.BatchAnchors } } as never)
    const known = await loadKnown(path)
    expect(known?.addresses).to.deep.equal({ PatientRegistry: contracts.BatchAnchors.address })
    expect((await deploy({ known: known! })).contracts).to.deep.equal(contracts)
  })

  it('refuses a known deployment of another chain', async () => {
    await expectCode('DEPLOY_CHAIN', () => deploy({ known: { chainId: 1, blockNumber: 0, addresses: {} } }))
  })

  it('says so when the account cannot pay', async () => {
    const signer = new Wallet(keccak256('0x01'), provider)
    await expectCode('DEPLOY_FAILED', () => deployAll({ provider, signer, log }))
  })

  describe('npm run deploy', () => {
    const run = async (...args: string[]) => {
      const { code, output } = await runNode(['scripts/deploy.ts', '--json', ...args])
      return { code, result: JSON.parse(output) as Record<string, unknown> }
    }

    it('shows what it would do, does it, and has nothing left to do', async () => {
      const keyFile = join(directory, 'deployer.key')
      await writeFile(keyFile, `${DEV_KEY}\n`, { mode: 0o600 })
      const data = join(directory, 'data')
      const args = ['--rpc', rpcUrl, '--key-file', keyFile, '--data', data, '--network', 'salus/command']
      const deploysOf = ({ result }: { result: Record<string, unknown> }) =>
        (result['contracts'] as { deploys: boolean }[]).map(contract => contract.deploys)
      const dry = await run(...args, '--dry-run')
      // The verifiers stand on nothing but the network's name, and that is new.
      expect(deploysOf(dry)).to.deep.equal(CONTRACT_NAMES.map(() => true))
      expect(dry.result['setupCalls']).to.be.above(10)
      expect(Number(dry.result['costWei'])).to.be.above(Number(dry.result['gas']))
      const before = await provider.getBalance(DEPLOYER)
      const { code, result } = await run(...args)
      expect(code).to.equal(0)
      expect(Number(before - (await provider.getBalance(DEPLOYER)))).to.be.below(Number(dry.result['costWei']))
      const kept: unknown = JSON.parse(await readFile(deploymentPath(data, 31_337), 'utf8'))
      expect(readDeployment(kept)).to.deep.equal(result['deployment'])
      const again = await run(...args, '--dry-run')
      expect(deploysOf(again)).to.deep.equal(CONTRACT_NAMES.map(() => false))
      expect(again.result).to.include({ setupCalls: 0, gas: 0, costWei: '0' })
      // The development profile has nobody to hand over to: it verifies as it is.
      expect(await run('--verify', '--rpc', rpcUrl, '--data', data)).to.deep.include({ code: 0 })
    })

    it('hands a consortium over, and verifying says whether that holds', async () => {
      const keyFile = join(directory, 'consortium.key')
      await writeFile(keyFile, DEV_KEY)
      const members = join(directory, 'members.json')
      const [governor, pauser, other, reviewer] = ['0x0a', '0x0b', '0x0c', '0x0d'].map(
        seed => new Wallet(keccak256(seed)).address
      )
      const others = { PAUSER: [pauser], REVIEWER: [reviewer] }
      await writeFile(members, JSON.stringify({ governor, members: { ...others, ACCREDITOR: [governor] } }))
      const out = join(directory, 'consortium.json')
      const verify = ['--verify', '--rpc', rpcUrl, '--out', out]
      const args = ['--rpc', rpcUrl, '--key-file', keyFile, '--out', out, '--network', 'salus/consortium']
      expect((await run(...args, '--profile', 'consortium', '--members', members)).code).to.equal(0)
      const early = await run(...verify)
      expect(early.code).to.equal(1)
      const codesOf = ({ result }: { result: Record<string, unknown> }) => [
        ...new Set((result['findings'] as { code: string }[]).map(({ code }) => code))
      ]
      expect(codesOf(early)).to.include('VERIFY_MEMBER_EXTRA')
      // What it was told the first time holds until it is told otherwise.
      const done = await run(...args, '--hand-over')
      expect([done.code, done.result['handedOver'], codesOf(done)]).to.deep.equal([0, true, []])
      expect((await run(...verify)).code).to.equal(0)
      await writeFile(members, JSON.stringify({ governor, members: { ...others, ACCREDITOR: [other] } }))
      const changed = await run(...verify, '--members', members)
      expect([changed.code, codesOf(changed)]).to.deep.equal([1, ['VERIFY_MEMBER_MISSING', 'VERIFY_MEMBER_EXTRA']])
    })

    it('asks who governs, and says what is wrong with the answer', async () => {
      const keyFile = join(directory, 'profile.key')
      await writeFile(keyFile, DEV_KEY)
      const members = join(directory, 'bad-members.json')
      const refused = async (...args: string[]) =>
        (await run('--rpc', rpcUrl, '--key-file', keyFile, '--network', 'salus/asked', ...args)).result['code']
      expect(await refused('--profile', 'consortium')).to.equal('DEPLOY_PROFILE')
      expect(await refused('--profile', 'anarchy', '--members', members)).to.equal('DEPLOY_PROFILE')
      expect(await refused('--profile', 'public', '--members', members)).to.equal('DEPLOY_MEMBERS')
      await writeFile(members, JSON.stringify({ governor: '0x1', members: {} }))
      expect(await refused('--profile', 'public', '--members', members)).to.equal('DEPLOY_MEMBERS')
      await writeFile(members, JSON.stringify({ governor: DEPLOYER, members: { PAUSER: [DEPLOYER] } }))
      expect(await refused('--profile', 'public', '--members', members)).to.equal('DEPLOY_GOVERNOR')
    })

    it('names what is wrong with the key file, the endpoint or the kept deployment', async () => {
      const keyFile = join(directory, 'good.key')
      const badFile = join(directory, 'bad.key')
      await writeFile(keyFile, DEV_KEY)
      await writeFile(badFile, 'no key')
      const refused = async (...args: string[]) => {
        const { code, result } = await run(...args)
        return [code, result['code']]
      }
      expect(await refused('--rpc', rpcUrl, '--key-file', badFile)).to.deep.equal([1, 'DEPLOY_KEY'])
      expect(await refused('--rpc', 'http://127.0.0.1:1', '--key-file', keyFile)).to.deep.equal([1, 'DEPLOY_RPC'])
      expect(await refused('--rpc', rpcUrl, '--key-file', keyFile, '--out', badFile)).to.deep.equal([
        1,
        'DEPLOYMENT_MALFORMED'
      ])
    })
  })
})

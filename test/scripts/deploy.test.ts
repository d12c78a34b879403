import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { JsonRpcProvider, NonceManager, Wallet, keccak256 } from 'ethers'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { createDevChain, type DevChain } from '#node/chain/dev-chain.ts'
import { createLog } from '#node/log.ts'
import { deployAll, type DeploymentProgress } from '#scripts/deploy/deploy.ts'
import { deploymentPath, loadKnown, saveDeployment, saveProgress } from '#scripts/deploy/file.ts'
import { runNode } from '#scripts/process/run.ts'
import { expectCode } from '#test/error-code.ts'

/** First account of the well-known development mnemonic. */
const DEV_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
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

  const deploy = (init: { known?: DeploymentProgress; onPlanned?: (p: DeploymentProgress) => Promise<void> } = {}) =>
    deployAll({ provider, signer: new NonceManager(new Wallet(DEV_KEY, provider)), log, ...init })
  const knownFrom = ({ chainId, blockNumber, contracts }: Deployment): DeploymentProgress => ({
    chainId,
    blockNumber,
    addresses: Object.fromEntries(CONTRACT_NAMES.map(name => [name, contracts[name].address]))
  })
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

  it('goes on where a run was cut short, from the addresses it had planned', async () => {
    const path = deploymentPath(directory, 31_337)
    const crash = new Error('power cut')
    let planned: DeploymentProgress | undefined
    // The first run gets its transactions out and dies before it writes the result.
    const whole = await deploy({
      onPlanned: async progress => {
        planned = progress
        await saveProgress(path, progress)
      }
    })
    const before = await sentSoFar()
    const resumed = await deploy({ known: (await loadKnown(path))! })
    expect(resumed).to.deep.equal(whole)
    expect(await sentSoFar()).to.equal(before)
    // Another dies before it sends anything: nothing is at the planned addresses, so all is deployed anew.
    const dead = deploy({ onPlanned: () => Promise.reject(crash) })
    expect(
      await dead.then(
        () => undefined,
        (error: unknown) => error
      )
    ).to.equal(crash)
    await saveDeployment(path, resumed)
    expect(await loadKnown(path)).to.deep.equal(planned)
  })

  it('deploys the grants anew when they are governed by another manager', async () => {
    const [first, second] = [await deploy(), await deploy()]
    const mixed = knownFrom(first)
    const known = {
      ...mixed,
      addresses: { ...mixed.addresses, AccessManager: second.contracts.AccessManager.address }
    }
    const { contracts } = await deploy({ known })
    expect(contracts.AccessManager).to.deep.equal(second.contracts.AccessManager)
    expect(contracts.BatchAnchors).to.deep.equal(first.contracts.BatchAnchors)
    expect(contracts.AccessGrants.address).not.to.be.oneOf([
      first.contracts.AccessGrants.address,
      second.contracts.AccessGrants.address
    ])
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
      const args = ['--rpc', rpcUrl, '--key-file', keyFile, '--data', data]
      const deploysOf = ({ result }: { result: Record<string, unknown> }) =>
        (result['contracts'] as { deploys: boolean }[]).map(contract => contract.deploys)
      expect(deploysOf(await run(...args, '--dry-run'))).to.deep.equal(CONTRACT_NAMES.map(() => true))
      const { code, result } = await run(...args)
      expect(code).to.equal(0)
      const kept: unknown = JSON.parse(await readFile(deploymentPath(data, 31_337), 'utf8'))
      expect(readDeployment(kept)).to.deep.equal(result['deployment'])
      expect(deploysOf(await run(...args, '--dry-run'))).to.deep.equal(CONTRACT_NAMES.map(() => false))
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

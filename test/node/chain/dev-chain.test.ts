import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { keccak256 } from 'ethers'
import { anvilBinary } from '#node/chain/anvil-binary.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createChainStateFile } from '#node/chain/chain-state-file.ts'
import { createDevChain, DEV_CHAIN_ID } from '#node/chain/dev-chain.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import { expectCode } from '#test/error-code.ts'
import { account, silentLog } from '#test/node/chain/test-chain.ts'

describe('the embedded chain', () => {
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-dev-chain-'))
  })

  afterEach(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  it('keeps contracts, balances and blocks over a restart', async () => {
    const first = createDevChain({ log: silentLog }, { dataDir: dir, port: 0 })
    const before = createProvider((await first.start()).rpcUrl, DEV_CHAIN_ID)
    const deployment = await deployAll({ provider: before, signer: account(0, before), log: silentLog })
    const balance = await before.getBalance(account(0).address)
    const blockNumber = await before.getBlockNumber()
    const block = await before.getBlock(blockNumber)
    before.destroy()
    await first.stop()

    const second = createDevChain({ log: silentLog }, { dataDir: dir, port: 0 })
    const after = createProvider((await second.start()).rpcUrl, DEV_CHAIN_ID)
    try {
      for (const { address, codeHash } of Object.values(deployment.contracts)) {
        expect(keccak256(await after.getCode(address))).to.equal(codeHash)
      }
      expect(await after.getBalance(account(0).address)).to.equal(balance)
      expect((await after.getBlock(blockNumber))?.hash).to.equal(block?.hash)
      expect(await after.getBlockNumber()).to.be.at.least(blockNumber)
    } finally {
      after.destroy()
      await second.stop()
    }
  })

  it('listens on this machine only', async () => {
    const chain = createDevChain({ log: silentLog }, { dataDir: dir, port: 0 })
    const { rpcUrl } = await chain.start()
    await chain.stop()
    expect(new URL(rpcUrl).hostname).to.equal('127.0.0.1')
  })

  it('refuses a folder that another process runs the chain in', async () => {
    const chain = createDevChain({ log: silentLog }, { dataDir: dir, port: 0 })
    await chain.start()
    await expectCode('CHAIN_IN_USE', async () => createDevChain({ log: silentLog }, { dataDir: dir, port: 0 }).start())
    await chain.stop()
  })

  it('says when the port is taken', async () => {
    const chain = createDevChain({ log: silentLog }, { dataDir: dir, port: 0 })
    const { rpcUrl } = await chain.start()
    const other = createDevChain(
      { log: silentLog },
      { dataDir: join(dir, 'other'), port: Number(new URL(rpcUrl).port) }
    )
    await expectCode('CHAIN_START_FAILED', async () => other.start())
    await chain.stop()
  })

  it('reports that its process died', async () => {
    const died = Promise.withResolvers<string>()
    const chain = createDevChain(
      { log: silentLog },
      { dataDir: dir, port: 0, onDeath: error => died.resolve(error.code) }
    )
    const { pid } = await chain.start()
    process.kill(pid, 'SIGKILL')
    expect(await died.promise).to.equal('CHAIN_ENDED')
    await chain.stop()
  })

  it('leaves another process alone whose id an old pid file names', async () => {
    const chain = createDevChain({ log: silentLog }, { dataDir: dir, port: 0 })
    await chain.start()
    await chain.stop()
    await writeFile(join(dir, 'anvil.pid'), String(process.pid))
    await chain.start()
    await chain.stop()
  })

  it('has no binary for a platform without a build', async () => {
    await expectCode('CHAIN_NO_BINARY', () => anvilBinary('sunos', 'x64'))
    await expectCode('CHAIN_NO_BINARY', () => anvilBinary('linux', 'mips'))
  })
})

describe('the state file of the embedded chain', () => {
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-state-'))
  })

  afterEach(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  it('falls back to the last whole copy when it was cut short', async () => {
    const file = createChainStateFile(join(dir, 'chain.json'))
    expect((await file.restore()).from).to.equal('none')
    await writeFile(file.path, '{"blocks":[1,2,3]}')
    await file.protect()
    await pause(10)
    await writeFile(file.path, '{"blocks":[1,2,3,4]}')
    await truncate(file.path, 9)
    await file.protect()
    expect((await file.restore()).from).to.equal('copy')
    expect(await readFile(file.path, 'utf8')).to.equal('{"blocks":[1,2,3]}')
  })

  it('refuses to begin anew over two damaged files', async () => {
    const file = createChainStateFile(join(dir, 'chain.json'))
    await writeFile(file.path, '{"blocks":[1')
    await writeFile(`${file.path}.copy`, '{"blo')
    await expectCode('CHAIN_STATE_DAMAGED', async () => file.restore())
  })
})

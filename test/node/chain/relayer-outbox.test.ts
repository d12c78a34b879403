import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { Wallet, toQuantity } from 'ethers'
import { createRelayer, type Relayer, type RelayerInit, type RelayResult } from '#node/chain/relayer.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { expectCode } from '#test/error-code.ts'
import { random32, registration } from '#test/node/chain/requests.ts'
import { account, mine, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** Waits for something the network will do. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20)
}

describe('the relayer’s outbox', function () {
  this.timeout(60_000)
  let test: TestChain
  let dir: string
  let db: Database
  const relayers: Relayer[] = []

  async function relay(init: RelayerInit = {}, wallet: Wallet = account(1)): Promise<Relayer> {
    const { provider, deployment } = test
    const relayer = createRelayer(
      { provider, deployment, log: silentLog, wallet: wallet.connect(provider), db },
      { pollMs: 20, ...init }
    )
    relayers.push(relayer)
    await relayer.start()
    return relayer
  }

  const request = async () => (await registration(test.deployment, account(5), random32())).request
  const holdBlocks = async (): Promise<unknown> => test.provider.send('evm_setIntervalMining', [0])
  const nonceOf = async (wallet: Wallet): Promise<number> => test.provider.getTransactionCount(wallet.address)

  beforeEach(async () => {
    test = await startTestChain()
    dir = await mkdtemp(join(tmpdir(), 'salus-outbox-'))
    db = await openDatabase(join(dir, 'db'))
  })

  afterEach(async () => {
    await Promise.all(relayers.splice(0).map(async relayer => relayer.stop()))
    await db.close()
    await rm(dir, { recursive: true, force: true })
    await test.stop()
  })

  it('sends a transaction that is stuck again for more, under its nonce, and only the next one', async () => {
    await holdBlocks()
    const relayer = await relay({ stuckMs: 100 })
    const asked = [relayer.submit(await request()), relayer.submit(await request())]
    await until(() => relayer.status().outbox === 2)
    await until(() => relayer.status().counters.replaced >= 2)
    expect(relayer.status().oldestPendingS).to.not.equal(null)
    await mine(test.provider, 1)
    const results = await Promise.all(asked)
    expect(results.map(({ status }) => status)).to.deep.equal(['applied', 'applied'])
    expect(await nonceOf(account(1))).to.equal(2)
  })

  it('stops paying more at its cap', async () => {
    await holdBlocks()
    const { maxFeePerGas } = await test.provider.getFeeData()
    const relayer = await relay({ stuckMs: 20, maxFeePerGasWei: ((maxFeePerGas ?? 0n) * 5n) / 4n })
    const asked = relayer.submit(await request())
    await until(() => relayer.status().counters.replaced === 1)
    await pause(400)
    expect(relayer.status().counters.replaced).to.equal(1)
    await mine(test.provider, 1)
    expect((await asked).status).to.equal('applied')
    const low = await relay({ maxFeePerGasWei: 1n }, account(2))
    await expectCode('RELAY_FEE_CAP', async () => low.submit(await request()))
  })

  it('takes up after kill -9 what was sent and not answered, and does not send it twice', async () => {
    const file = join(dir, 'deployment.json')
    await writeFile(file, JSON.stringify(test.deployment))
    const wanted = await request()
    const start = (): ChildProcess =>
      fork(new URL('./relayer-process.ts', import.meta.url), [
        ...[test.rpcUrl, file, join(dir, 'killed')],
        JSON.stringify(wanted)
      ])
    await holdBlocks()
    const first = start()
    await once(first, 'message')
    const pending = async (): Promise<number> => test.provider.getTransactionCount(account(4).address, 'pending')
    await until(async () => (await pending()) === 1)
    first.kill('SIGKILL')
    await once(first, 'exit')
    // The chain forgets what is in no block.
    await test.provider.send('anvil_dropAllTransactions', [])
    expect(await pending()).to.equal(0)
    const second = start()
    const results: RelayResult[] = []
    second.on('message', (result: RelayResult | 'started') => {
      if (result !== 'started') results.push(result)
    })
    const ended = once(second, 'exit')
    await until(async () => (await pending()) === 1)
    await mine(test.provider, 1)
    await ended
    expect(results.map(({ status }) => status)).to.deep.equal(['applied'])
    expect(await nonceOf(account(4))).to.equal(1)
  })

  it('sends again under their nonces what a re-organisation and the pool have forgotten', async () => {
    const relayer = await relay()
    const before = await test.provider.getBlockNumber()
    const wanted = [await request(), await request()]
    for (const one of wanted) expect((await relayer.submit(one)).status).to.equal('applied')
    await test.provider.send('anvil_rollback', [(await test.provider.getBlockNumber()) - before])
    await test.provider.send('anvil_dropAllTransactions', [])
    await until(() => relayer.status().counters.resent >= 2)
    await until(async () => (await nonceOf(account(1))) === 2)
    for (const one of wanted) expect((await relayer.submit(one)).status).to.be.oneOf(['applied', 'already'])
    expect(await nonceOf(account(1))).to.equal(2)
    await mine(test.provider, 40)
    await until(() => relayer.status().outbox === 0)
  })

  it('pays for a day, a contract and an asker what it may, and knows it after a restart', async () => {
    const relayer = await relay({ dayBudgets: { askerWei: 1n } })
    await expectCode('RELAY_BUDGET', async () => relayer.submit(await request(), 'a'))
    // The operator’s own requests have no bound, and count.
    await relayer.submit(await request())
    const spent = BigInt(relayer.status().spentTodayWei)
    expect(spent > 0n).to.equal(true)
    await relayer.stop()
    const again = await relay({ dayBudgets: { allWei: spent } })
    expect(BigInt(again.status().spentTodayWei)).to.equal(spent)
    await expectCode('RELAY_DAY_BUDGET', async () => again.submit(await request(), 'a'))
    await again.stop()
    const third = await relay({ dayBudgets: { contractWei: spent } })
    await expectCode('RELAY_CONTRACT_BUDGET', async () => third.submit(await request(), 'a'))
  })

  it('leaves the reserve to its operator, and says before it is empty that it runs low', async () => {
    const wallet = new Wallet(random32())
    const balance = 10n ** 18n
    await test.provider.send('anvil_setBalance', [wallet.address, toQuantity(balance)])
    const relayer = await relay({ reserveWei: balance - 10n ** 9n, lowBalanceWei: balance }, wallet)
    await expectCode('RELAY_NO_FUNDS', async () => relayer.submit(await request(), 'a'))
    expect(relayer.status()).to.include({ balanceState: 'empty', balanceWei: String(balance) })
    expect((await relayer.submit(await request())).status).to.equal('applied')
  })

  it('ends waiting when whoever asks no longer waits', async () => {
    await holdBlocks()
    const relayer = await relay()
    const wanted = await request()
    const waiting = new AbortController()
    const asked = relayer.submit(wanted, 'a', waiting.signal).then(
      () => 'answered',
      (error: unknown) => error
    )
    await until(() => relayer.status().outbox === 1)
    const another = relayer.submit(wanted, 'b')
    const reason = new Error('gone')
    waiting.abort(reason)
    expect(await asked).to.equal(reason)
    await until(async () => (await test.provider.getTransactionCount(account(1).address, 'pending')) === 1)
    await mine(test.provider, 1)
    expect((await another).status).to.equal('applied')
    expect((await relayer.submit(wanted, 'a')).status).to.be.oneOf(['applied', 'already'])
    expect(await nonceOf(account(1))).to.equal(1)
  })
})

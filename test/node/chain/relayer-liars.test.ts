import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { makeError, type JsonRpcProvider } from 'ethers'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createEndpoints, type Endpoints } from '#node/chain/endpoints.ts'
import { createHttpTransport } from '#node/chain/http-rpc.ts'
import { createRelayer, type Relayer, type RelayerInit } from '#node/chain/relayer.ts'
import { createWitness } from '#node/chain/witness.ts'
import { expectCode } from '#test/error-code.ts'
import { grantOf, random32, registration, revocation } from '#test/node/chain/requests.ts'
import { account, mine, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** Waits for something the network will do. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20)
}

describe('a relayer and what an endpoint says', function () {
  this.timeout(60_000)
  let test: TestChain
  let relayers: Relayer[]

  function relay(provider: JsonRpcProvider, init: RelayerInit = {}, payer = 1): Relayer {
    const { deployment } = test
    const wallet = account(payer, provider)
    const relayer = createRelayer({ provider, wallet, deployment, log: silentLog }, { pollMs: 20, ...init })
    relayers.push(relayer)
    return relayer
  }

  /** The chain's provider with another way to send. */
  function twisted(send: (method: string, params: unknown[]) => Promise<unknown>): JsonRpcProvider {
    const provider = createProvider(test.rpcUrl, test.deployment.chainId)
    const plain = provider.send.bind(provider)
    provider.send = async (method, params) => {
      const given = await send(method, params as unknown[])
      return given === undefined ? (plain(method, params) as Promise<unknown>) : given
    }
    return provider
  }

  const request = async () => (await registration(test.deployment, account(5), random32())).request
  const nonceOf = async (payer: number): Promise<number> => test.provider.getTransactionCount(account(payer).address)
  const holdBlocks = async (): Promise<unknown> => test.provider.send('evm_setIntervalMining', [0])

  before(async () => {
    test = await startTestChain()
  })
  beforeEach(() => {
    relayers = []
  })
  afterEach(async () => {
    await Promise.all(relayers.map(async relayer => relayer.stop()))
    await test.provider.send('anvil_dropAllTransactions', [])
    await test.provider.send('evm_setIntervalMining', [1])
  })
  after(async () => test.stop())

  it('sends a revocation that one endpoint alone calls applied already', async () => {
    const other = await startTestChain()
    let endpoints: Endpoints | undefined
    try {
      expect(other.deployment).to.deep.equal(test.deployment)
      const wallet = account(5)
      const { id: patient, request: opening } = await registration(test.deployment, wallet, random32())
      const given = await grantOf(test.deployment, wallet, patient, { grantee: account(7).address, rights: 3 })
      const end = await revocation(test.deployment, wallet, patient, given.scope)
      for (const chain of [test, other]) {
        const relayer = relay(chain.provider)
        for (const one of [opening, given.request]) await relayer.submit(one)
      }
      // Of another payer: the nonces of the first are the same on both.
      await relay(other.provider, {}, 2).submit(end)
      const transports = [createHttpTransport(other.rpcUrl), createHttpTransport(test.rpcUrl)]
      endpoints = createEndpoints({ transports, clock: Date.now, log: silentLog })
      const { deployment } = test
      const provider = createProvider(endpoints, deployment.chainId)
      const witness = createWitness(endpoints, deployment.chainId)
      const payer = account(3, provider)
      const relayer = createRelayer({ provider, witness, wallet: payer, deployment, log: silentLog }, { pollMs: 20 })
      relayers.push(relayer)
      expect((await relayer.submit(end)).status).to.equal('applied')
      expect((await relay(test.provider, {}, 4).submit(end)).status).to.equal('already')
    } finally {
      await Promise.all(relayers.map(async relayer => relayer.stop()))
      endpoints?.close()
      await other.stop()
    }
  })

  it('pays once although receipts come later than the count of transactions', async () => {
    let hidden = 5
    const late = twisted(async method => {
      if (method !== 'eth_getTransactionReceipt' || hidden === 0) return Promise.resolve(undefined)
      if ((await nonceOf(5)) > 0) hidden--
      return null
    })
    const relayer = relay(late, {}, 5)
    expect((await relayer.submit(await request())).status).to.equal('applied')
    expect(relayer.status().counters).to.include({ sent: 1, applied: 1 })
    expect(await nonceOf(5)).to.equal(1)
  })

  it('is not blocked by a transaction that no pool takes', async () => {
    let refused = 0
    const strict = twisted(async method => {
      if (method !== 'eth_sendRawTransaction' || refused > 0) return Promise.resolve(undefined)
      refused++
      throw makeError('could not coalesce error', 'UNKNOWN_ERROR', {
        error: { code: -32_000, message: 'transaction gas limit too high' }
      })
    })
    const relayer = relay(strict, {}, 6)
    await expectCode('CHAIN_RPC_FAILED', async () => relayer.submit(await request(), 'a'))
    expect(relayer.status()).to.include({ outbox: 0, spentTodayWei: '0' })
    expect((await relayer.submit(await request(), 'a')).status).to.equal('applied')
  })

  it('gives up what an earlier version left that no pool takes, when the next one comes', async () => {
    await holdBlocks()
    let isStrict = false
    const strict = twisted(async method => {
      if (!isStrict || method !== 'eth_sendRawTransaction') return Promise.resolve(undefined)
      isStrict = false
      throw makeError('could not coalesce error', 'UNKNOWN_ERROR', { error: { code: -32_000, message: 'no' } })
    })
    const relayer = relay(strict, { inclusionTimeoutMs: 300, pollMs: 1_000 }, 7)
    await expectCode('RELAY_TIMEOUT', async () => relayer.submit(await request(), 'a'))
    await test.provider.send('anvil_dropAllTransactions', [])
    isStrict = true
    const next = relayer.submit(await request(), 'a').catch(() => undefined)
    await until(async () => (await test.provider.getTransactionCount(account(7).address, 'pending')) === 1)
    await mine(test.provider, 1)
    await next
    expect(await nonceOf(7)).to.equal(1)
    expect(relayer.status().counters.sent).to.equal(2)
  })

  it('takes back what it booked where nothing was sent, and books what was spent where nobody waited', async () => {
    let isAway = false
    const flapping = twisted(async method => {
      if (isAway && method === 'eth_getTransactionCount') throw new Error('connect ECONNREFUSED')
      return Promise.resolve(undefined)
    })
    const relayer = relay(flapping, { inclusionTimeoutMs: 300, pollMs: 20 }, 8)
    isAway = true
    await expectCode('CHAIN_UNREACHABLE', async () => relayer.submit(await request(), 'a'))
    expect(relayer.status().spentTodayWei).to.equal('0')
    isAway = false
    await holdBlocks()
    await expectCode('RELAY_TIMEOUT', async () => relayer.submit(await request(), 'a'))
    const booked = BigInt(relayer.status().spentTodayWei)
    await mine(test.provider, 1)
    await until(() => BigInt(relayer.status().spentTodayWei) < booked)
    const block = await test.provider.getBlock('latest', true)
    const receipt = await test.provider.getTransactionReceipt(block?.transactions[0] ?? '')
    expect(relayer.status().spentTodayWei).to.equal(String(receipt?.fee))
  })

  it('offers no more for a stuck transaction than the day’s budget has', async () => {
    await holdBlocks()
    const first = relay(test.provider, { stuckMs: 1e9, inclusionTimeoutMs: 200 }, 9)
    await expectCode('RELAY_TIMEOUT', async () => first.submit(await request(), 'a'))
    const allWei = (BigInt(first.status().spentTodayWei) * 13n) / 10n
    const relayer = relay(test.provider, { stuckMs: 20, dayBudgets: { allWei } }, 5)
    const asked = relayer.submit(await request(), 'a')
    await until(() => relayer.status().counters.replaced === 1)
    await pause(500)
    // An eighth more and another one are beyond three tenths more, with what the first cost.
    expect(relayer.status().counters.replaced).to.be.at.most(2)
    expect(BigInt(relayer.status().spentTodayWei) <= allWei).to.equal(true)
    await mine(test.provider, 1)
    expect((await asked).status).to.equal('applied')
  })
})

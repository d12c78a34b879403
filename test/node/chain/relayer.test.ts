import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { Contract, Wallet, concat, toBeHex } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { CONTRACT_ERRORS, CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import type { RelayedRequest } from '#node/chain/relayed-methods.ts'
import { createRelayer, type Relayer } from '#node/chain/relayer.ts'
import { expectCode } from '#test/error-code.ts'
import { deadline, grantOf, random32, registration, revocation } from '#test/node/chain/requests.ts'
import { account, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** A question to the chain about a call. */
interface Payload {
  readonly method: string
  readonly params: readonly [{ readonly gas?: string }?]
}

describe('the relayer', function () {
  this.timeout(60_000)
  let test: TestChain
  let relayer: Relayer

  before(async () => {
    test = await startTestChain()
    const { provider, deployment } = test
    relayer = createRelayer({ provider, deployment, log: silentLog, wallet: account(1, provider) }, { pollMs: 100 })
  })

  after(async () => {
    await relayer.stop()
    await test.stop()
  })

  it('applies a signed request and calls an equal one applied already', async () => {
    const { request } = await registration(test.deployment, account(5), random32())
    const first = await relayer.submit(request)
    expect(first.status).to.equal('applied')
    expect((await test.provider.getTransactionReceipt(first.txHash ?? ''))?.status).to.equal(1)
    expect((await relayer.submit(request)).status).to.equal('already')
  })

  it('carries many requests at once, each in its own transaction', async () => {
    const requests = await Promise.all(
      Array.from({ length: 20 }, async () => registration(test.deployment, account(6), random32()))
    )
    const results = await Promise.all(requests.map(async ({ request }) => relayer.submit(request)))
    expect(new Set(results.map(({ txHash }) => txHash)).size).to.equal(20)
    expect(results.every(({ status }) => status === 'applied')).to.equal(true)
  })

  it('takes a grant with the same terms for success and refuses one with others', async () => {
    const wallet = account(5)
    const { id: patient, request } = await registration(test.deployment, wallet, random32())
    await relayer.submit(request)
    const given = { grantee: account(7).address, rights: 1 }
    const first = await grantOf(test.deployment, wallet, patient, given)
    expect((await relayer.submit(first.request)).status).to.equal('applied')
    expect((await relayer.submit(first.request)).status).to.equal('already')
    const other = await grantOf(test.deployment, wallet, patient, { ...given, rights: 3, scope: first.scope })
    await expectCode('CHAIN_GRANT_ALREADY_OPENED', async () => relayer.submit(other.request))

    const end = await revocation(test.deployment, wallet, patient, first.scope)
    expect((await relayer.submit(end)).status).to.equal('applied')
    expect((await relayer.submit(end)).status).to.equal('already')
    await expectCode('CHAIN_GRANT_IS_REVOKED', async () => relayer.submit(first.request))
  })

  it('refuses what the contract refuses, with its reason', async () => {
    const { request } = await registration(test.deployment, account(5), random32())
    const forged = [...request.args]
    forged[1] = random32()
    await expectCode('CHAIN_REQUEST_SIGNATURE_INVALID', async () => relayer.submit({ ...request, args: forged }))
  })

  it('sends only requests that carry their own signature, and only well-formed ones', async () => {
    const { request } = await registration(test.deployment, account(5), random32())
    await expectCode('RELAY_NOT_ALLOWED', async () => relayer.submit({ ...request, method: 'signerOf' }))
    await expectCode('RELAY_NOT_ALLOWED', async () => relayer.submit({ ...request, method: 'constructor' }))
    await expectCode('RELAY_ARGUMENTS', async () => relayer.submit({ ...request, args: request.args.slice(1) }))
  })

  it('bounds what is under way', async () => {
    const { provider, deployment } = test
    const small = createRelayer(
      { provider, deployment, log: silentLog, wallet: account(2, provider) },
      { maxPending: 1 }
    )
    const requests = await Promise.all([1, 2].map(async () => registration(deployment, account(6), random32())))
    const [first, second] = requests.map(async ({ request }) => small.submit(request))
    await expectCode('RELAY_BUSY', async () => second)
    await first
    await small.stop()
  })

  it('pays for no request that costs too much, signed or not', async () => {
    const key = (i: number): string => `0x${'ff'.repeat(800)}${i.toString(16).padStart(8, '0')}`
    const keys = (from: number): string[] => Array.from({ length: 16 }, (_, i) => key(from + i))
    const [guard, none] = [keys(200).slice(0, 1), []]
    const args = [[[1, keys(0)], [1, keys(100)], [1, guard], [0, none], 400], random32()]
    const request = { contract: 'FirmwareRegistry', method: 'registerManufacturer', args } as const
    const payer = account(1).address
    const before = await test.provider.getTransactionCount(payer)
    const wallet = account(1, test.provider)
    const { provider, deployment } = test
    const frugal = createRelayer({ provider, wallet, deployment, log: silentLog }, { maxGas: 500_000 })
    await expectCode('RELAY_GAS', async () => frugal.submit(request, 'a'))
    await frugal.stop()
    expect(await test.provider.getTransactionCount(payer)).to.equal(before)
  })

  describe('of a signer whose own contract burns gas', () => {
    /** What runs for ever. */
    const ENDLESS = '0x5b600056'
    /** Says yes once it has burned 1,300,000. */
    const SLOW = concat(['0x5a5b5a810362', toBeHex(1_300_000, 3), '0x11600157631626ba7e60e01b60005260206000f3'])

    /** A request for access that the contract at a new address is to have signed. */
    async function requestOf(code: string): Promise<RelayedRequest> {
      const wallet = Wallet.createRandom().address
      await test.provider.send('anvil_setCode', [wallet, code])
      return { contract: 'AccessGrants', method: 'requestAccess', args: [random32(), deadline(), wallet, '0x'] }
    }

    /** The limits of gas of everything that is tried out while something happens. */
    async function limitsWhile(act: () => Promise<void>): Promise<number[]> {
      const limits: number[] = []
      const note = (event: unknown): void => {
        const { payload } = event as { payload?: Payload | Payload[] }
        for (const { method, params } of payload == null ? [] : [payload].flat()) {
          if (method === 'eth_call' || method === 'eth_estimateGas') limits.push(Number(params[0]?.gas))
        }
      }
      await test.provider.on('debug', note)
      await act()
      await test.provider.off('debug', note)
      return limits
    }

    for (const [asker, limit] of [
      ['a', 1_500_000],
      [undefined, 16_777_216]
    ] as const) {
      it(`tries out no more than ${String(limit)} for ${asker == null ? 'the operator' : 'an asker'}`, async () => {
        const request = await requestOf(ENDLESS)
        const limits = await limitsWhile(() =>
          expectCode('CHAIN_REQUEST_SIGNATURE_INVALID', async () => relayer.submit(request, asker))
        )
        expect(limits).to.deep.equal([limit])
      })
    }

    it('sends nothing that takes more than it pays for', async () => {
      const request = await requestOf(SLOW)
      const payer = account(1).address
      const before = await test.provider.getTransactionCount(payer)
      const limits = await limitsWhile(() => expectCode('RELAY_GAS', async () => relayer.submit(request, 'a')))
      expect(await test.provider.getTransactionCount(payer)).to.equal(before)
      expect(limits.every(limit => limit === 1_500_000)).to.equal(true)
      expect((await relayer.submit(request)).status).to.equal('applied')
    })
  })

  it('gives up what can be rehearsed and never sent', async () => {
    const { provider, deployment } = test
    let estimates = 0
    const moody = new Proxy(provider, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (name !== 'estimateGas') return typeof value === 'function' ? (value.bind(target) as unknown) : value
        return async () => {
          estimates++
          await Promise.resolve()
          throw Object.assign(new Error('it reverts'), { code: 'CALL_EXCEPTION' })
        }
      }
    })
    const patient = createRelayer(
      { provider: moody, deployment, log: silentLog, wallet: account(2, provider) },
      { pollMs: 5 }
    )
    const { request } = await registration(deployment, account(6), random32())
    await expectCode('CHAIN_REVERTED', async () => patient.submit(request))
    expect(estimates).to.equal(16)
    await patient.stop()
  })

  it('pays for each asker up to a budget', async () => {
    const { provider, deployment } = test
    const frugal = createRelayer(
      { provider, deployment, log: silentLog, wallet: account(3, provider) },
      { gasBudget: { perSecond: 0, burst: 300_000 }, pollMs: 100 }
    )
    const ask = async (asker?: string): Promise<unknown> =>
      frugal.submit((await registration(deployment, account(6), random32())).request, asker)
    await expectCode('RELAY_BUDGET', async () => {
      for (let i = 0; i < 10; i++) await ask('a')
    })
    await ask('b')
    for (let i = 0; i < 4; i++) await ask()
    await frugal.stop()
  })

  it('says when its account is empty', async () => {
    const { provider, deployment } = test
    const poor = createRelayer({ provider, deployment, log: silentLog, wallet: new Wallet(random32(), provider) })
    const { request } = await registration(deployment, account(6), random32())
    await expectCode('RELAY_NO_FUNDS', async () => poor.submit(request))
    await poor.stop()
  })

  it('sends a request again that vanished with a re-organisation', async () => {
    const { id, request } = await registration(test.deployment, account(5), random32())
    const applied = await relayer.submit(request)
    const head = await test.provider.getBlockNumber()
    await test.provider.send('anvil_rollback', [head - applied.blockNumber + 1])
    const { address } = test.deployment.contracts.AccessGrants
    const registry = new Contract(address, accessGrantsAbi, test.provider)
    const isThere = async (): Promise<boolean> =>
      registry
        .getFunction('keyBundleOf')
        .staticCall(id)
        .then(
          () => true,
          () => false
        )
    expect(await isThere()).to.equal(false)
    while (!(await isThere())) await pause(100)
  })

  it('says that the endpoint is away, and nothing of the request', async () => {
    const { deployment } = test
    const provider = createProvider('http://127.0.0.1:9', deployment.chainId)
    const lost = createRelayer({ provider, deployment, log: silentLog, wallet: account(2, provider) })
    const { request } = await registration(deployment, account(6), random32())
    await expectCode('CHAIN_UNREACHABLE', async () => lost.submit(request))
    await lost.stop()
    provider.destroy()
  })

  it('explains every error of the contracts', () => {
    const names = new Set<string>()
    for (const abi of Object.values(CONTRACT_INTERFACES)) abi.forEachError(({ name }) => names.add(name))
    // OpenZeppelin's own, of its constructors, of what governance alone calls, and of what times this side of 2106 never reach.
    const own = ['InvalidShortString', 'StringTooLong', 'ExpectedPause', 'SafeCastOverflowedUintDowncast']
    for (const name of own) names.delete(name)
    for (const name of names) if (name.startsWith('AccessManaged')) names.delete(name)
    expect(Object.keys(CONTRACT_ERRORS)).to.have.members([...names])
  })
})

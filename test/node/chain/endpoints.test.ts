import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import type { Hex } from '#core/chain/events.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createEndpoints, type Endpoints } from '#node/chain/endpoints.ts'
import { createFollower, type Follower, type FollowerInit } from '#node/chain/follower.ts'
import { createRelayer, type Relayer } from '#node/chain/relayer.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { liarOver, type Liar } from '#test/node/chain/liar.ts'
import { grantOf, random32, registration, revocation } from '#test/node/chain/requests.ts'
import { account, mine, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** Waits for something the network will do. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20)
}

describe('the chain follower over several endpoints', function () {
  this.timeout(60_000)
  let test: TestChain
  let relayer: Relayer
  let dir: string
  let db: Database
  let follower: Follower | undefined

  async function follow(liars: readonly Liar[], init: FollowerInit = {}): Promise<Follower> {
    const endpoints: Endpoints = createEndpoints({ transports: liars, clock: Date.now, log: silentLog })
    const { provider, deployment } = test
    follower = createFollower(
      { provider, endpoints, deployment, db, log: silentLog },
      { pollMs: 20, compareMs: 50, ...init }
    )
    await follower.start()
    return follower
  }

  const liars = (count: number): Liar[] =>
    Array.from({ length: count }, (_, i) => liarOver(test.provider, `rpc-${String(i)}`))

  async function granted(): Promise<{ id: Hex; revoke: () => Promise<unknown> }> {
    const wallet = account(5)
    const { id: patient, request } = await registration(test.deployment, wallet, random32())
    await relayer.submit(request)
    const given = await grantOf(test.deployment, wallet, patient, { grantee: account(7).address, rights: 3 })
    await relayer.submit(given.request)
    const end = await revocation(test.deployment, wallet, patient, given.scope)
    return { id: given.id, revoke: async () => relayer.submit(end) }
  }

  beforeEach(async () => {
    test = await startTestChain()
    const { provider, deployment } = test
    relayer = createRelayer(
      { provider, deployment, log: silentLog, wallet: account(1, provider) },
      { pollMs: 50, watchBlocks: 0 }
    )
    dir = await mkdtemp(join(tmpdir(), 'salus-endpoints-'))
    db = await openDatabase(join(dir, 'db'))
  })

  afterEach(async () => {
    await follower?.stop()
    await relayer.stop()
    await db.close()
    await rm(dir, { recursive: true, force: true })
    await test.stop()
  })

  it('goes on through another endpoint while one is away', async () => {
    const [first, second] = liars(2) as [Liar, Liar]
    const followed = await follow([first, second])
    first.isAway = true
    const { id } = await granted()
    await until(() => followed.view().grant(id) != null)
    first.isAway = false
    second.isAway = true
    await mine(test.provider, 3)
    const head = await test.provider.getBlockNumber()
    await until(() => followed.status().blockNumber >= head)
    const [one, other] = followed.status().endpoints
    expect(one?.failures).to.be.greaterThan(0)
    expect(other?.failures).to.be.greaterThan(0)
    expect(followed.status().counters.lies).to.equal(0)
  })

  for (const [name, twist] of [
    [
      'leaves out logs',
      (method: string, _: readonly unknown[], answer: unknown) =>
        method === 'eth_getBlockReceipts'
          ? (answer as object[]).map(receipt => ({ ...receipt, logs: [] }))
          : method === 'eth_getLogs'
            ? []
            : answer
    ],
    [
      'invents logs',
      (method: string, _: readonly unknown[], answer: unknown) =>
        method === 'eth_getBlockReceipts'
          ? (answer as { logs: object[] }[]).map(receipt => ({ ...receipt, logs: [...receipt.logs, ...receipt.logs] }))
          : answer
    ],
    [
      'empties the filter of a header',
      (method: string, _: readonly unknown[], answer: unknown) =>
        method === 'eth_getBlockByNumber' ? { ...(answer as object), logsBloom: `0x${'00'.repeat(256)}` } : answer
    ]
  ] as const) {
    it(`finds out an endpoint that ${name}, and goes on without it`, async () => {
      const [liar, honest] = liars(2) as [Liar, Liar]
      liar.twist = twist
      const followed = await follow([liar, honest])
      const { id, revoke } = await granted()
      await until(() => followed.view().grant(id) != null)
      await revoke()
      await until(() => followed.view().grant(id)?.revokedAtS != null)
      const { counters, endpoints } = followed.status()
      expect(counters.lies).to.be.greaterThan(0)
      expect(endpoints.map(({ state }) => state)).to.deep.equal(['distrusted', 'good'])
    })
  }

  it('compares logs that an endpoint cannot prove with another one’s', async () => {
    const [liar, honest] = liars(2) as [Liar, Liar]
    liar.twist = (method, _, answer) =>
      method === 'eth_getBlockReceipts' ? null : method === 'eth_getLogs' ? [] : answer
    const followed = await follow([liar, honest])
    const { id } = await granted()
    await until(() => followed.view().grant(id) != null)
    expect(followed.status().endpoints[0]?.state).to.equal('distrusted')
  })

  it('keeps what is revoked when the honest endpoint goes and a liar shows a branch without it', async () => {
    const [honest, liar] = liars(2) as [Liar, Liar]
    liar.isAway = true
    const followed = await follow([honest, liar])
    const { id, revoke } = await granted()
    const before = await test.provider.getBlockNumber()
    await revoke()
    await until(() => followed.view().grant(id)?.revokedAtS != null)
    await relayer.stop()
    honest.isAway = true
    liar.isAway = false
    await test.provider.send('anvil_rollback', [(await test.provider.getBlockNumber()) - before])
    await mine(test.provider, 8)
    await until(() => followed.status().counters.reorganisations > 0 && followed.status().state === 'following')
    expect(followed.view().grant(id)?.revokedAtS).to.not.equal(null)
    // Also after a restart, and after the index was built anew.
    await followed.stop()
    await db.put('!chain!projection', new TextEncoder().encode('0'))
    const again = await follow([liar])
    expect(again.view().grant(id)).to.not.equal(undefined)
    expect(again.view().grant(id)?.revokedAtS).to.not.equal(null)
  })

  it('takes nothing back while one endpoint still has the block', async () => {
    const [honest, liar] = liars(2) as [Liar, Liar]
    const seen = new Map<unknown, unknown>()
    const followed = await follow([honest, liar])
    honest.twist = (method, params, answer) => {
      if (method !== 'eth_getBlockByNumber') return answer
      if (!seen.has(params[0])) seen.set(params[0], answer)
      return seen.get(params[0])
    }
    await mine(test.provider, 4)
    const head = await test.provider.getBlockNumber()
    await until(() => followed.status().blockNumber >= head)
    await test.provider.send('anvil_reorg', [3, []])
    await until(() => followed.status().counters.disputes > 0)
    expect(followed.status().counters.blocksTakenBack).to.equal(0)
    // Once it has seen the other branch as well, the follower goes with both.
    seen.clear()
    await until(() => followed.status().counters.blocksTakenBack > 0)
  })

  it('adds a block only when as many endpoints as must agree have it', async () => {
    const [first, second, third] = liars(3) as [Liar, Liar, Liar]
    second.isAway = true
    third.isAway = true
    const followed = follow([first, second, third])
    await until(() => follower?.status().code === 'CHAIN_QUORUM')
    second.isAway = false
    await followed
    expect(follower?.status().state).to.equal('following')
    expect(follower?.status().code).to.equal(null)
  })

  it('leaves an endpoint of another chain aside, also one that becomes so', async () => {
    const [other, honest] = liars(2) as [Liar, Liar]
    other.twist = (method, _, answer) => (method === 'eth_chainId' ? '0x5' : answer)
    const followed = await follow([other, honest])
    expect(followed.status().endpoints[0]).to.include({ state: 'distrusted', lastCode: 'CHAIN_OTHER_CHAIN' })
    honest.twist = (method, _, answer) =>
      method === 'eth_chainId'
        ? '0x5'
        : method === 'eth_getBlockByNumber'
          ? { ...(answer as object), extraData: '0x01' }
          : answer
    await until(() => followed.status().state === 'waiting')
    expect(followed.status().counters.blocksTakenBack).to.equal(0)
  })

  it('hands a transaction to every endpoint', async () => {
    const [keeps, passesOn] = liars(2) as [Liar, Liar]
    const post = keeps.post.bind(keeps)
    keeps.post = async payload =>
      (payload as { method?: string }).method === 'eth_sendRawTransaction'
        ? { jsonrpc: '2.0', id: (payload as { id: number }).id, result: `0x${'00'.repeat(32)}` }
        : post(payload)
    const endpoints = createEndpoints({ transports: [keeps, passesOn], clock: Date.now, log: silentLog })
    const provider = createProvider(endpoints, test.deployment.chainId)
    const wallet = account(3, provider)
    const other = createRelayer({ provider, wallet, deployment: test.deployment, log: silentLog }, { pollMs: 50 })
    const { request } = await registration(test.deployment, account(6), random32())
    expect((await other.submit(request)).status).to.equal('applied')
    await other.stop()
    provider.destroy()
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import type { RpcSender } from '#node/chain/chain-rpc.ts'
import { createFollower, type Follower } from '#node/chain/follower.ts'
import { createRelayer, type Relayer } from '#node/chain/relayer.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { grantOf, random32, registration, revocation } from '#test/node/chain/requests.ts'
import { account, mine, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** Waits for something the network will do. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50)
}

describe('the chain follower behind an endpoint of many replicas', function () {
  this.timeout(60_000)
  let test: TestChain
  let relayer: Relayer
  let dir: string
  let db: Database
  let follower: Follower
  /** Newest block of the replica that answers. */
  let replicaHead: number
  /** Number of looks that the replica has answered. */
  let looks: number

  /** The chain, as a replica sees it that has not got the newest blocks. */
  const replica: RpcSender = {
    async send(method, params) {
      const answer = (await test.provider.send(method, params)) as unknown
      if (method === 'eth_blockNumber') {
        looks++
        return `0x${Math.min(Number(answer), replicaHead).toString(16)}`
      }
      return method === 'eth_getBlockByNumber' && Number(params[0]) > replicaHead ? null : answer
    }
  }

  /** Waits until the follower has looked a few times more. */
  async function looksAgain(): Promise<void> {
    const enough = looks + 5
    await until(() => looks >= enough)
  }

  async function revokedGrant(): Promise<Awaited<ReturnType<typeof grantOf>>> {
    const wallet = account(5)
    const { id: patient, request } = await registration(test.deployment, wallet, random32())
    await relayer.submit(request)
    const given = await grantOf(test.deployment, wallet, patient, { grantee: account(7).address, rights: 3 })
    await relayer.submit(given.request)
    await mine(test.provider, 10)
    await relayer.submit(await revocation(test.deployment, wallet, patient, given.scope))
    return given
  }

  beforeEach(async () => {
    test = await startTestChain()
    const { provider, deployment } = test
    relayer = createRelayer(
      { provider, deployment, log: silentLog, wallet: account(1, provider) },
      { pollMs: 50, watchBlocks: 0 }
    )
    dir = await mkdtemp(join(tmpdir(), 'salus-lag-'))
    db = await openDatabase(join(dir, 'db'))
    replicaHead = Infinity
    looks = 0
    follower = createFollower({ provider: replica, deployment, db, log: silentLog }, { pollMs: 20 })
  })

  afterEach(async () => {
    await follower.stop()
    await relayer.stop()
    await db.close()
    await rm(dir, { recursive: true, force: true })
    await test.stop()
  })

  it('keeps a revocation while the replica that answers has not seen it', async () => {
    await follower.start()
    const { id } = await revokedGrant()
    await until(() => follower.view().grant(id)?.revokedAtS != null)
    const { blockNumber } = follower.view()
    replicaHead = blockNumber - 5
    await until(() => follower.status().state === 'catching-up')
    await looksAgain()
    expect(follower.view().blockNumber).to.be.at.least(blockNumber)
    expect(follower.view().grant(id)?.revokedAtS).to.not.equal(null)
    replicaHead = Infinity
    await until(() => follower.status().state === 'following' && follower.view().blockNumber > blockNumber)
  })

  it('keeps it too behind a replica that lags by more than the journal, and over a restart', async () => {
    await follower.start()
    const { id } = await revokedGrant()
    await mine(test.provider, 300)
    await until(() => follower.view().grant(id)?.revokedAtS != null && follower.view().blockNumber > 300)
    await follower.stop()
    replicaHead = test.deployment.blockNumber + 1
    const { deployment } = test
    follower = createFollower({ provider: replica, deployment, db, log: silentLog }, { pollMs: 20 })
    await follower.start()
    await looksAgain()
    expect(follower.status()).to.include({ state: 'catching-up', headNumber: replicaHead })
    expect(follower.view().grant(id)?.revokedAtS).to.not.equal(null)
  })

  it('keeps its view when the head is known but one replica has not got the block', async () => {
    await follower.start()
    const { id } = await revokedGrant()
    await until(() => follower.view().grant(id)?.revokedAtS != null)
    const { blockNumber } = follower.view()
    const send = replica.send.bind(replica)
    const mixed = Object.assign(replica, {
      send: async (method: string, params: unknown[]) => {
        const answer = await send(method, params)
        return method === 'eth_getBlockByNumber' && Number(params[0]) > blockNumber - 5 ? null : answer
      }
    })
    await until(() => follower.status().state === 'catching-up')
    await looksAgain()
    expect(follower.view().grant(id)?.revokedAtS).to.not.equal(null)
    Object.assign(mixed, { send })
  })

  it('rolls back on a chain that went back, as soon as it has another block; what was revoked stays so', async () => {
    await follower.start()
    const { id } = await revokedGrant()
    await until(() => follower.view().grant(id)?.revokedAtS != null)
    // Nobody sends again what vanishes.
    await relayer.stop()
    const head = await test.provider.getBlockNumber()
    await test.provider.send('evm_setIntervalMining', [0])
    await test.provider.send('anvil_rollback', [(await test.provider.getBlockNumber()) - head + 8])
    // The same blocks, only fewer: this may be a replica that lags.
    await until(() => follower.status().state === 'catching-up')
    await looksAgain()
    expect(follower.view().grant(id)?.revokedAtS).to.not.equal(null)
    expect(follower.status().counters.blocksTakenBack).to.equal(0)
    // Another block under a number that the index has: the revocation is gone from the chain.
    await mine(test.provider, 1)
    await until(() => follower.status().counters.blocksTakenBack > 0)
    await until(() => follower.status().state === 'following')
    expect(follower.view().blockNumber).to.equal(await test.provider.getBlockNumber())
    expect(follower.view().grant(id)?.revokedAtS).to.not.equal(null)
    const row = await openTable(db, 'chain').get(`state/grant/${id}`)
    expect(JSON.parse(new TextDecoder().decode(row))).to.include({ revokedAtS: null })
  })
})

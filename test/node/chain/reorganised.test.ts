import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { createFollower, type Follower, type FollowerInit } from '#node/chain/follower.ts'
import { createRelayer } from '#node/chain/relayer.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { random32, registration } from '#test/node/chain/requests.ts'
import { account, mine, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** Waits for something the network will do. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20)
}

describe('the index of a chain that is re-organised', function () {
  this.timeout(60_000)
  let test: TestChain
  let dir: string
  const running: { follower: Follower; db: Database }[] = []

  async function follow(name: string, init: FollowerInit = {}): Promise<{ follower: Follower; db: Database }> {
    const { provider, deployment } = test
    const db = await openDatabase(join(dir, name))
    const follower = createFollower({ provider, deployment, db, log: silentLog }, { pollMs: 20, ...init })
    running.push({ follower, db })
    await follower.start()
    return { follower, db }
  }

  async function rowsOf(db: Database): Promise<string[]> {
    const rows: string[] = []
    for await (const [key, value] of openTable(db, 'chain').iterator({ gte: 'state/', lt: 'state/~' })) {
      rows.push(`${key} ${new TextDecoder().decode(value)}`)
    }
    return rows
  }

  async function register(): Promise<void> {
    const { provider, deployment } = test
    const wallet = account(1, provider)
    const relayer = createRelayer({ provider, wallet, deployment, log: silentLog }, { pollMs: 20, watchBlocks: 0 })
    await relayer.submit((await registration(deployment, account(5), random32())).request)
    await relayer.stop()
  }

  beforeEach(async () => {
    test = await startTestChain()
    dir = await mkdtemp(join(tmpdir(), 'salus-reorganised-'))
  })

  afterEach(async () => {
    for (const { follower, db } of running.splice(0)) {
      await follower.stop()
      await db.close()
    }
    await test.stop()
    await rm(dir, { recursive: true, force: true })
  })

  for (const depth of [1, 10, 100]) {
    it(`is that of a node which never saw the other branch, of ${String(depth)} blocks`, async () => {
      const { follower, db } = await follow('follows')
      await register()
      await mine(test.provider, 110)
      await register()
      await until(async () => follower.status().blockNumber >= (await test.provider.getBlockNumber()))
      const before = follower.status().counters.blocksTakenBack
      await test.provider.send('anvil_reorg', [depth, []])
      await until(() => follower.status().counters.blocksTakenBack >= before + depth)
      await register()
      const { counters } = follower.status()
      expect(counters.deepestReorganisation).to.be.within(depth, depth + 3)
      expect(counters.rebuilds).to.equal(0)
      const fresh = await follow('fresh')
      const isAtHead = async (): Promise<boolean> => {
        const head = await test.provider.getBlockNumber()
        return [follower, fresh.follower].every(one => one.status().blockNumber >= head)
      }
      await test.provider.send('evm_setIntervalMining', [0])
      await until(isAtHead)
      expect(await rowsOf(db)).to.deep.equal(await rowsOf(fresh.db))
    })
  }

  it('holds what the chain calls final where it is told to, and tells how far that is', async () => {
    const { follower } = await follow('final', { finality: 'finalized' })
    await mine(test.provider, 120)
    const isFar = (): boolean => (follower.status().finalizedNumber ?? 0) > 20
    await until(() => isFar() && follower.status().blockNumber === follower.status().finalizedNumber)
    const { blockNumber, safeNumber, headNumber } = follower.status()
    expect(blockNumber).to.be.lessThan(safeNumber ?? 0)
    expect(safeNumber).to.be.lessThan(headNumber)
  })
})

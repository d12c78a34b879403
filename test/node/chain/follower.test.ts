import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Hex } from '#core/chain/events.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { JOURNAL_BLOCKS } from '#node/chain/chain-index.ts'
import { createProvider, type RpcSender } from '#node/chain/chain-rpc.ts'
import { createDevChain, DEV_CHAIN_ID } from '#node/chain/dev-chain.ts'
import { createFollower, type Follower, type FollowerInit } from '#node/chain/follower.ts'
import { createRelayer, type Relayer } from '#node/chain/relayer.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { expectCode } from '#test/error-code.ts'
import { grantOf, random32, registration, revocation } from '#test/node/chain/requests.ts'
import { account, mine, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** Waits for something the network will do. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50)
}

describe('the chain follower', function () {
  this.timeout(60_000)
  let test: TestChain
  let relayer: Relayer
  let dir: string
  let db: Database
  const started: Follower[] = []

  async function follow(provider: RpcSender = test.provider, init: FollowerInit = {}, deployment?: Deployment) {
    const components = { provider, deployment: deployment ?? test.deployment, db, log: silentLog }
    const follower = createFollower(components, { pollMs: 50, ...init })
    started.push(follower)
    await follower.start()
    return follower
  }

  /** Whether the newest block of the index is the chain's, by number and time. */
  async function isAtHead(follower: Follower): Promise<boolean> {
    const head = await test.provider.getBlock('latest').catch(() => null)
    const { blockNumber, blockTimeS } = follower.view()
    return follower.status().state === 'following' && blockNumber === head?.number && blockTimeS === head.timestamp
  }

  function newRelayer(): Relayer {
    const { provider, deployment } = test
    return createRelayer(
      { provider, deployment, log: silentLog, wallet: account(1, provider) },
      { pollMs: 50, watchBlocks: 0 }
    )
  }

  async function register(): Promise<Hex> {
    const { id, request } = await registration(test.deployment, account(5), random32())
    await relayer.submit(request)
    return id
  }

  /** A relayer that knows of no request yet: the one before would send what vanishes again. */
  async function forgetSent(): Promise<void> {
    await relayer.stop()
    relayer = newRelayer()
  }

  /** Forgets blocks and what was in them, as a re-organisation does. */
  async function rollBackTo(blockNumber: number): Promise<void> {
    await forgetSent()
    const head = await test.provider.getBlockNumber()
    await test.provider.send('anvil_rollback', [head - blockNumber])
  }

  beforeEach(async () => {
    test = await startTestChain()
    relayer = newRelayer()
    dir = await mkdtemp(join(tmpdir(), 'salus-follower-'))
    db = await openDatabase(join(dir, 'db'))
  })

  afterEach(async () => {
    await Promise.all(started.splice(0).map(async follower => follower.stop()))
    await relayer.stop()
    await db.close()
    await rm(dir, { recursive: true, force: true })
    await test.stop()
  })

  it('knows patients and grants, and tells of each block', async () => {
    const follower = await follow()
    const heard: string[] = []
    follower.onBlock(({ events }) => heard.push(...events.map(({ name }) => name)))
    const wallet = account(5)
    const keyBundle = random32()
    const { id: patient, request } = await registration(test.deployment, wallet, keyBundle)
    await relayer.submit(request)
    const given = await grantOf(test.deployment, wallet, patient, { grantee: account(7).address, rights: 3 })
    await relayer.submit(given.request)
    await until(() => follower.view().grant(given.id) != null)
    expect(follower.view().patient(patient)).to.include({ keyBundle, epoch: 0 })
    expect(follower.view().grant(given.id)).to.include({ patient, usesLeft: 255, revokedAtS: null })
    await relayer.submit(await revocation(test.deployment, wallet, patient, given.scope))
    await until(() => follower.view().grant(given.id)?.revokedAtS != null)
    // The index has a block before its events are told.
    await until(() => heard.length >= 3)
    expect(heard).to.deep.equal(['PatientRegistered', 'Granted', 'Revoked'])
  })

  it('goes on where it stopped, without reading old blocks again', async () => {
    const first = await follow()
    const patient = await register()
    await until(() => first.view().patient(patient) != null)
    await first.stop()
    const { blockNumber } = first.status()
    const later = await register()
    const asked: unknown[] = []
    const watched: RpcSender = {
      send: async (method, params) => {
        if (method === 'eth_getBlockByNumber' && String(params[0]).startsWith('0x')) asked.push(params[0])
        return (await test.provider.send(method, params)) as unknown
      }
    }
    const second = await follow(watched)
    expect(second.view().patient(patient)).to.not.equal(undefined)
    await until(() => second.view().patient(later) != null)
    expect(Math.min(...asked.map(Number))).to.equal(blockNumber)
  })

  it('takes back what a re-organisation removed', async () => {
    const follower = await follow()
    const kept = await register()
    const forkNumber = await test.provider.getBlockNumber()
    const lost = await register()
    await until(() => follower.view().patient(lost) != null)
    await rollBackTo(forkNumber)
    await until(() => follower.view().patient(lost) == null)
    expect(follower.view().patient(kept)).to.not.equal(undefined)
    const after = await register()
    await until(() => follower.view().patient(after) != null)
  })

  it('follows the other branch when as many blocks are replaced', async () => {
    const follower = await follow()
    const kept = await register()
    await mine(test.provider, 5)
    await until(() => follower.status().blockNumber === follower.status().headNumber)
    await test.provider.send('anvil_reorg', [4, []])
    // A block on the other branch is added only when its parent is the index's newest block.
    const after = await register()
    await until(() => follower.view().patient(after) != null)
    expect(follower.view().patient(kept)).to.not.equal(undefined)
  })

  it('survives a snapshot that is reverted', async () => {
    const follower = await follow()
    const snapshot: unknown = await test.provider.send('evm_snapshot', [])
    const lost = await register()
    await until(() => follower.view().patient(lost) != null)
    await forgetSent()
    await test.provider.send('evm_revert', [snapshot])
    await until(() => follower.view().patient(lost) == null)
  })

  it('builds the index anew when another version of the projection filled it', async () => {
    const first = await follow()
    const patient = await register()
    await until(() => first.view().patient(patient) != null)
    await first.stop()
    const table = openTable(db, 'chain')
    await table.put(`state/patient/${patient}`, utf8('{"pastKeyBundles":["0x"]}'))
    await table.put('projection', utf8('1'))
    const second = await follow()
    await until(() => second.view().patient(patient) != null)
    expect(second.view().patient(patient)).to.deep.include({ pastKeyBundles: [], epoch: 0 })
  })

  it('builds the index anew when a re-organisation is deeper than its journal', async () => {
    const follower = await follow()
    const kept = await register()
    const forkNumber = await test.provider.getBlockNumber()
    const lost = await register()
    await until(() => follower.view().patient(lost) != null)
    await mine(test.provider, JOURNAL_BLOCKS + 20)
    await until(() => follower.status().blockNumber > forkNumber + JOURNAL_BLOCKS + 1)
    const blockBefore = await test.provider.getBlock(forkNumber + 1)
    await rollBackTo(forkNumber).catch(() => undefined)
    await mine(test.provider, JOURNAL_BLOCKS + 60)
    expect((await test.provider.getBlock(forkNumber + 1))?.hash).to.not.equal(blockBefore?.hash)
    await until(() => follower.view().patient(kept) != null && follower.view().patient(lost) == null)
    await until(() => follower.status().blockNumber === follower.status().headNumber)
  })

  it('catches up over more blocks than the journal holds', async () => {
    const early = await register()
    await mine(test.provider, 2 * JOURNAL_BLOCKS)
    const late = await register()
    const follower = await follow()
    await until(() => follower.view().patient(late) != null)
    expect(follower.view().patient(early)).to.not.equal(undefined)
  })

  it('counts a block only when enough others lie on it', async () => {
    const follower = await follow(test.provider, { confirmations: 30 })
    const patient = await register()
    const registeredAt = await test.provider.getBlockNumber()
    await mine(test.provider, 5)
    await until(() => follower.status().headNumber >= registeredAt + 5)
    expect(follower.view().patient(patient)).to.equal(undefined)
    await mine(test.provider, 30)
    await until(() => follower.view().patient(patient) != null)
  })

  it('waits while the chain is away, and recovers when a killed chain comes back with an older head', async () => {
    const port = Number(new URL(test.rpcUrl).port)
    const follower = await follow()
    const patient = await register()
    await until(() => follower.view().patient(patient) != null)
    const saved = await test.provider.getBlockNumber()
    await test.chain.stop()
    await until(() => follower.status().state === 'waiting')
    expect(follower.view().patient(patient)).to.not.equal(undefined)

    const again = createDevChain({ log: silentLog }, { dataDir: test.dir, port })
    const { pid } = await again.start()
    await until(() => follower.status().state === 'following' && follower.status().blockNumber >= saved)
    // Blocks since the last save are lost with the process.
    await mine(test.provider, 40)
    await until(() => follower.view().blockNumber >= saved + 40)
    process.kill(pid, 'SIGKILL')
    await again.stop()
    const third = createDevChain({ log: silentLog }, { dataDir: test.dir, port })
    await third.start()
    await until(async () => isAtHead(follower))
    expect(follower.view().patient(patient)).to.not.equal(undefined)
    await third.stop()
  })

  it('waits at the start for a chain that is not there yet', async () => {
    let away = true
    const provider: RpcSender = {
      send: async (method, params) => {
        if (away) throw new Error('connect ECONNREFUSED')
        return (await test.provider.send(method, params)) as unknown
      }
    }
    const follower = createFollower({ provider, deployment: test.deployment, db, log: silentLog }, { pollMs: 20 })
    started.push(follower)
    const starting = follower.start()
    await until(() => follower.status().state === 'waiting')
    away = false
    await starting
    expect(follower.status().state).to.equal('following')
  })

  it('can be stopped while it waits', async () => {
    const provider = createProvider('http://127.0.0.1:9', DEV_CHAIN_ID)
    const follower = createFollower({ provider, deployment: test.deployment, db, log: silentLog }, { pollMs: 20 })
    const starting = follower.start()
    await until(() => follower.status().state === 'waiting')
    const outcome = expectCode('CHAIN_STOPPED', async () => starting)
    await follower.stop()
    await outcome
    provider.destroy()
  })

  it('refuses a chain of another id, a chain without the contracts, and a folder of another network', async () => {
    const other = { ...test.deployment, chainId: 5 }
    await expectCode('CHAIN_OTHER_CHAIN', async () => follow(test.provider, {}, other))
    const contracts = { ...test.deployment.contracts }
    contracts.BatchAnchors = { ...contracts.BatchAnchors, address: `0x${'11'.repeat(20)}` }
    await expectCode('CHAIN_NO_CONTRACT', async () => follow(test.provider, {}, { ...test.deployment, contracts }))
    await follow()
    const network = { ...test.deployment, networkId: random32() }
    await expectCode('CHAIN_OTHER_NETWORK', async () => follow(test.provider, {}, network))
  })

  it('waits when the endpoint talks nonsense', async () => {
    const follower = await follow({
      send: async (method, params) =>
        method === 'eth_blockNumber' && nonsense ? 'soon' : ((await test.provider.send(method, params)) as unknown)
    })
    nonsense = true
    await until(() => follower.status().state === 'waiting')
    nonsense = false
    await until(() => follower.status().state === 'following')
  })
  let nonsense = false
})

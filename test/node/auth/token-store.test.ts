import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createTokenStore, type TokenStore } from '#node/auth/token-store.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { osRandom } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'

describe('tokens on the disk', () => {
  let dir: string
  let db: Database
  let nowMs: number
  let isBroken: boolean
  let store: TokenStore

  const open = async (): Promise<TokenStore> => {
    const tokens = createTokenStore({ db, clock: () => nowMs, random: osRandom })
    await tokens.start()
    return tokens
  }
  const issue = async (holder = 'a', lifetimeS = 60): ReturnType<TokenStore['issue']> =>
    store.issue({ holder, label: '', scopes: ['metrics'], lifetimeS })

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-tokens-'))
    db = await openDatabase(dir)
    nowMs = 1_000_000
    isBroken = false
    const write = db.batch.bind(db) as (...args: unknown[]) => Promise<void>
    Object.defineProperty(db, 'batch', {
      value: async (...args: unknown[]) => {
        if (isBroken) throw Object.assign(new Error('IO error'), { code: 'LEVEL_IO_ERROR' })
        await write(...args)
      }
    })
    store = await open()
  })
  afterEach(async () => {
    await store.stop()
    await db.close()
    await rm(dir, { recursive: true })
  })

  it('end for good although the disk refuses it the first time', async () => {
    const { token, record } = await issue()
    isBroken = true
    for (let times = 0; times < 2; times++) await expectCode('STORE_WRITE_FAILED', async () => store.revoke(record.id))
    expect([store.find(token), store.list()]).to.deep.equal([undefined, []])
    isBroken = false
    expect(await store.revoke(record.id)).to.equal(true)
    expect(await store.revoke(record.id)).to.equal(false)
    expect((await open()).find(token)).to.equal(undefined)
  })

  it('are taken off the disk with the next one where nobody asks again', async () => {
    const { token, record } = await issue()
    const { token: short } = await issue('b', 1)
    isBroken = true
    await expectCode('STORE_WRITE_FAILED', async () => store.revoke(record.id))
    nowMs += 2_000
    await expectCode('STORE_WRITE_FAILED', async () => issue())
    isBroken = false
    const { token: next } = await issue()
    const again = await open()
    expect([token, short, next].map(each => again.find(each) != null)).to.deep.equal([false, false, true])
  })

  it('are no more than they may be, also when all are asked for at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 80 }, async () => issue()))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(64)
    expect(store.list()).to.have.length(64)
    const [first] = store.list()
    await store.revoke(first?.id ?? '')
    isBroken = true
    await expectCode('STORE_WRITE_FAILED', async () => issue())
    isBroken = false
    // One that could not be written takes up no place.
    await issue()
    await expectCode('AUTH_TOO_MANY', async () => issue())
  })

  it('start on a disk that takes nothing', async () => {
    await issue('a', 1)
    const { token } = await issue()
    nowMs += 2_000
    isBroken = true
    expect((await open()).find(token)).not.to.equal(undefined)
  })
})

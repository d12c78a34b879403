import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createBans, PENALTY, type Bans } from '#node/network/bans.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { log } from '#test/node/network/peer.ts'

const MINUTE_MS = 60_000

describe('bans', () => {
  let directory: string
  let db: Database
  let nowMs: number
  const open = (): Bans => createBans({ db, clock: () => nowMs, log })

  beforeEach(async () => {
    nowMs = 1_000_000
    directory = await mkdtemp(join(tmpdir(), 'salus-bans-'))
    db = await openDatabase(directory)
  })
  afterEach(async () => {
    await db.close()
    await rm(directory, { recursive: true })
  })

  it('cuts a peer off that does wrong often within a short time, and tells', () => {
    const bans = open()
    const told: string[] = []
    bans.onBan(peer => told.push(peer))
    for (let i = 0; i < 3; i++) bans.penalise('a', PENALTY.garbage, 'TEST')
    expect(bans.isBanned('a')).to.equal(false)
    bans.penalise('a', PENALTY.garbage, 'TEST')
    expect(bans.isBanned('a')).to.equal(true)
    expect(bans.isBanned('b')).to.equal(false)
    expect(told).to.deep.equal(['a'])
  })

  it('forgets what was long ago', () => {
    const bans = open()
    for (let i = 0; i < 20; i++) {
      bans.penalise('a', PENALTY.garbage, 'TEST')
      nowMs += MINUTE_MS
    }
    expect(bans.isBanned('a')).to.equal(false)
  })

  it('lets a peer back in, and cuts it off for twice as long the next time', () => {
    const bans = open()
    bans.penalise('a', PENALTY.flood, 'TEST')
    nowMs += 10 * MINUTE_MS
    expect(bans.isBanned('a')).to.equal(false)
    bans.penalise('a', PENALTY.flood, 'TEST')
    nowMs += 19 * MINUTE_MS
    expect(bans.isBanned('a')).to.equal(true)
    nowMs += MINUTE_MS
    expect(bans.isBanned('a')).to.equal(false)
  })

  it('holds over a restart', async () => {
    const before = open()
    before.penalise('a', PENALTY.flood, 'TEST')
    await before.stop()
    const after = open()
    await after.start()
    expect(after.isBanned('a')).to.equal(true)
  })
})

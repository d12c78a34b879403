import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { backUp } from '#node/store/backup/back-up.ts'
import { restore } from '#node/store/backup/restore.ts'
import { openTable } from '#node/store/database.ts'
import { sumOf } from '#node/store/message-sums.ts'
import { createMessageLog } from '#node/store/messages.ts'
import { openStore, SCHEMA } from '#node/store/schema.ts'

const MESSAGES = 5_000

describe('a process that is killed', function () {
  this.timeout(60_000)
  let folder: string
  let dataDir: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salus-kill-'))
    dataDir = join(folder, 'data')
    const db = await openStore(dataDir)
    const messages = createMessageLog({ db })
    for (let from = 0; from < MESSAGES; from += 2_500) {
      const group = Array.from({ length: 2_500 }, (_, i) => String(from + i))
      await Promise.all(group.map(async n => messages.append(n, utf8(n.padEnd(800)), [])))
    }
    await messages.stop()
    await db.close()
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  /** Has a process do something and kills it some time after it has begun; whether it had not ended by then. */
  async function killed(afterMs: number, ...args: string[]): Promise<boolean> {
    const child = fork(new URL('./kill-process.ts', import.meta.url), args, { silent: true })
    await once(child, 'message')
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
    clearTimeout(timer)
    return signal === 'SIGKILL'
  }

  it('while it restores leaves a folder that no node opens, or a whole one', async () => {
    const to = join(folder, 'backups')
    const db = await openStore(dataDir)
    await backUp({ db, dataDir, clock: Date.now }, { to })
    await db.close()
    const target = join(folder, 'restored')
    let kills = 0
    for (const afterMs of [20, 80, 160]) {
      const wasKilled = await killed(afterMs, 'restore', to, target)
      if (!wasKilled) break
      kills++
      // It had not begun to write.
      if ((await readdir(target).catch(() => [])).length === 0) continue
      const outcome = await openStore(target).catch((error: unknown) => error)
      if (outcome instanceof Error) {
        expect(isSalusError(outcome, 'STORE_RESTORE_UNFINISHED')).to.equal(true)
        continue
      }
      const restored = outcome as Awaited<ReturnType<typeof openStore>>
      expect(await createMessageLog({ db: restored }).head()).to.equal(MESSAGES)
      await restored.close()
      await rm(target, { recursive: true })
    }
    expect(kills).to.be.at.least(1)
    await rm(target, { recursive: true, force: true })
    await restore({ from: to, to: target })
    const whole = await openStore(target)
    expect(await createMessageLog({ db: whole }).head()).to.equal(MESSAGES)
    await whole.close()
  })

  it('while it migrates leaves a store that the next start migrates to its end', async () => {
    for (const afterMs of [0, 30]) {
      const db = await openStore(dataDir)
      await openTable(db, 'store').del('schema')
      await openTable(db, 'log-sum').clear()
      await openTable(db, 'accept').put('blob/b/1', utf8(''))
      await db.close()
      await killed(afterMs, 'open', dataDir)
      const migrated = await openStore(dataDir)
      const sums = await openTable(migrated, 'log-sum').iterator().all()
      const messages = await openTable(migrated, 'log').iterator().all()
      expect([sums.length, messages.length]).to.deep.equal([MESSAGES, MESSAGES])
      expect(
        sums.every(([key, sum], i) => key === messages[i]?.[0] && Buffer.from(sum).equals(sumOf(messages[i][1])))
      ).to.equal(true)
      expect(await openTable(migrated, 'accept').keys().all()).to.deep.equal([])
      expect(new TextDecoder().decode(await openTable(migrated, 'store').get('schema'))).to.equal(String(SCHEMA))
      await migrated.close()
    }
  })
})

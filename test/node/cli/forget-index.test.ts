import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { openTable } from '#node/store/database.ts'
import { openStore } from '#node/store/schema.ts'
import { runCommand } from '#scripts/process/service.ts'

const ROWS = ['cursor', 'ended/grant/0x01', 'ended/withdrawn/0x02/0x03', 'state/grant/0x01']

describe('salus node forget-index', function () {
  this.timeout(60_000)
  let dir: string

  async function withRows<T>(act: (rows: () => Promise<string[]>) => Promise<T>): Promise<T> {
    const db = await openStore(dir)
    try {
      return await act(async () => openTable(db, 'chain').keys().all())
    } finally {
      await db.close()
    }
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-forget-'))
    const db = await openStore(dir)
    for (const key of ROWS) await openTable(db, 'chain').put(key, utf8('{}'))
    await openTable(db, 'log').put('row', utf8('kept'))
    await db.close()
  })

  afterEach(async () => rm(dir, { recursive: true, force: true }))

  const forget = async (...more: string[]) => runCommand(['node', 'forget-index', '--data', dir, '--json', ...more])

  it('forgets ends that the chain does not have, and no more if told so', async () => {
    const { code, lines } = await forget('--only-ends')
    expect([code, lines[0]]).to.deep.equal([0, { event: 'done', forgot: 'ends', ends: 2 }])
    await withRows(async rows => expect(await rows()).to.deep.equal(['cursor', 'state/grant/0x01']))
  })

  it('forgets the whole index, and nothing else', async () => {
    const { code, lines } = await forget()
    expect([code, lines[0]]).to.deep.equal([0, { event: 'done', forgot: 'indexes', ends: 2 }])
    const db = await openStore(dir)
    expect(await openTable(db, 'chain').keys().all()).to.deep.equal([])
    expect(await openTable(db, 'log').keys().all()).to.deep.equal(['row'])
    await db.close()
  })

  it('leaves the index of a node that runs alone', async () => {
    await withRows(async rows => {
      const { code, errorText } = await forget()
      expect(code).to.equal(1)
      expect(errorText).to.match(/^STORE_LOCKED/)
      expect(await rows()).to.deep.equal(ROWS)
    })
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { checkFolder } from '#node/doctor/folder.ts'
import type { Finding } from '#node/doctor/finding.ts'
import { openTable } from '#node/store/database.ts'
import { openStore, SCHEMA, UNFINISHED } from '#node/store/schema.ts'

describe('the doctor on the folder of a node', () => {
  let dataDir: string

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'salus-doctor-'))
  })
  afterEach(async () => {
    await rm(dataDir, { recursive: true })
  })

  async function store(): Promise<Finding | undefined> {
    return (await checkFolder(dataDir, false)).find(({ check }) => check === 'store')
  }
  async function put(schema: string): Promise<void> {
    const db = await openStore(dataDir)
    await openTable(db, 'store').put('schema', utf8(schema))
    await db.close()
  }

  it('finds a store of this version well, and changes none of another', async () => {
    expect((await store())?.level).to.equal('ok')
    const db = await openStore(dataDir)
    await db.close()
    expect((await store())?.level).to.equal('ok')
    await put(String(SCHEMA - 1))
    for (let times = 0; times < 2; times++) expect((await store())?.level).to.equal('warn')
    await put(String(SCHEMA + 1))
    expect((await store())?.level).to.equal('fail')
  })

  it('finds a store whose version cannot be read, and a restore that was broken off', async () => {
    await put('x')
    expect(await store()).to.include({
      level: 'fail',
      says: 'The version of the store cannot be read; restore a backup.'
    })
    await writeFile(join(dataDir, UNFINISHED), '')
    expect((await store())?.says).to.include('broken off')
  })

  it('finds a store that another process has open', async () => {
    const db = await openStore(dataDir)
    expect(await store()).to.include({ level: 'fail' })
    await db.close()
  })
})

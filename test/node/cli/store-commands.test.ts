import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { utf8 } from '#core/encoding/bytes.ts'
import { createBlockstore } from '#node/store/blocks.ts'
import { createMessageLog } from '#node/store/messages.ts'
import { openStore } from '#node/store/schema.ts'
import { runCommand, type CommandOutcome } from '#scripts/process/service.ts'
import { osRandom } from '#scripts/story/people.ts'

describe('the commands that back up, restore and scrub a stopped node', function () {
  this.timeout(120_000)
  let dir: string
  let dataDir: string
  let backups: string

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-store-commands-'))
    dataDir = join(dir, 'data')
    backups = join(dir, 'backups')
    const db = await openStore(dataDir)
    const blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
    await blockstore.start()
    const messages = createMessageLog({ db })
    for (const text of ['a', 'b', 'c']) await messages.append(text, utf8(text), [])
    for (const size of [100, 100_000]) {
      const bytes = osRandom(size)
      await blockstore.put(CID.createV1(raw.code, await sha256.digest(bytes)), bytes)
    }
    await messages.stop()
    await blockstore.stop()
    await db.close()
  })
  after(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  const node = async (command: string, data: string, ...args: string[]): Promise<CommandOutcome> =>
    runCommand(['node', command, '--data', data, '--json', ...args])
  const done = ({ lines }: CommandOutcome): Record<string, unknown> => ({ ...lines.at(-1) })
  const failure = ({ code, errorText }: CommandOutcome): [number, string | undefined] => [
    code,
    /^[A-Z_]+(?=:)/m.exec(errorText)?.[0]
  ]

  async function damageBlock(folder: string): Promise<void> {
    const entries = await readdir(join(folder, 'blocks'), { recursive: true, withFileTypes: true })
    const entry = entries.find(one => one.isFile())
    const file = join(entry?.parentPath ?? '', entry?.name ?? '')
    const bytes = await readFile(file)
    bytes[7] = (bytes[7] ?? 0) ^ 1
    await writeFile(file, bytes)
  }

  it('back up and check, and say where nothing can be done', async () => {
    expect(failure(await node('backup', dataDir))).to.deep.equal([1, 'BACKUP_FOLDER'])
    const made = await node('backup', dataDir, '--to', backups)
    expect(made.code).to.equal(0)
    expect(done(made)).to.include({ event: 'done', blocks: 1, newBlocks: 1, damagedBlocks: 0 })
    const verified = await node('restore', join(dir, 'nothing'), '--from', backups, '--verify')
    expect([verified.code, done(verified)['blocks']]).to.deep.equal([0, 1])
    expect(await readdir(dir)).to.not.include('nothing')
    expect(failure(await node('restore', dataDir, '--from', backups))).to.deep.equal([1, 'RESTORE_FOLDER'])
  })

  it('restore what a backup has, also of one that a disk has changed', async () => {
    await damageBlock(backups)
    expect(failure(await node('restore', dataDir, '--from', backups, '--verify'))).to.deep.equal([
      1,
      'SNAPSHOT_INCOMPLETE'
    ])
    const target = join(dir, 'restored')
    const restored = await node('restore', target, '--from', backups)
    expect([restored.code, done(restored)['missingBlocks']]).to.deep.equal([0, 1])
    const db = await openStore(target)
    expect(await createMessageLog({ db }).head()).to.equal(3)
    await db.close()
    // The next backup makes it whole again.
    expect(done(await node('backup', dataDir, '--to', backups))).to.include({ newBlocks: 1 })
  })

  it('scrub, and let go of nothing', async () => {
    await damageBlock(dataDir)
    const scrubbed = await node('scrub', dataDir)
    expect(scrubbed.code).to.equal(0)
    expect(done(scrubbed)).to.deep.include({
      messages: { read: 3, damaged: 0, healed: 0 },
      largeBlocks: { read: 1, damaged: 1, healed: 0 },
      smallBlocks: { read: 1, damaged: 0, healed: 0 }
    })
    const names = await readdir(join(dataDir, 'blocks'), { recursive: true })
    expect(names.filter(name => name.endsWith('.data'))).to.have.length(1)
  })
})

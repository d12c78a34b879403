import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { utf8 } from '#core/encoding/bytes.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import { openStore } from '#node/store/schema.ts'
import { scrub, type ScrubProgress } from '#node/store/scrub.ts'

describe('scrub of a store', () => {
  let dataDir: string
  let db: Database
  let blockstore: DiskBlockstore
  let messages: MessageLog

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'salus-scrub-'))
    db = await openStore(dataDir)
    blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
    await blockstore.start()
    messages = createMessageLog({ db })
  })
  afterEach(async () => {
    await messages.stop()
    await blockstore.stop()
    await db.close()
    await rm(dataDir, { recursive: true })
  })

  async function put(sizeBytes: number): Promise<{ cid: CID; bytes: Uint8Array }> {
    const bytes = new Uint8Array(randomBytes(sizeBytes))
    const cid = CID.createV1(raw.code, await sha256.digest(bytes))
    await blockstore.put(cid, bytes)
    return { cid, bytes }
  }
  async function damageRow(table: string, key?: string): Promise<void> {
    const rows = openTable(db, table)
    const [first = ''] = await rows.keys({ limit: 1 }).all()
    const bytes = Uint8Array.from((await rows.get(key ?? first)) ?? [])
    bytes[0] = (bytes[0] ?? 0) ^ 1
    await rows.put(key ?? first, bytes)
  }
  async function damageFile(): Promise<void> {
    const entries = await readdir(join(dataDir, 'blocks'), { recursive: true, withFileTypes: true })
    const entry = entries.find(one => one.isFile())
    const file = join(entry?.parentPath ?? '', entry?.name ?? '')
    const bytes = await readFile(file)
    bytes[9] = (bytes[9] ?? 0) ^ 1
    await writeFile(file, bytes)
  }

  it('finds nothing where nothing is wrong, and says how far it is', async () => {
    await put(100)
    await put(100_000)
    await messages.append('a', utf8('a'), [])
    const seen: ScrubProgress[] = []
    const report = await scrub({ db, blockstore }, { onProgress: progress => seen.push(progress) })
    expect(report.messages).to.deep.equal({ read: 1, damaged: 0, healed: 0 })
    expect([report.smallBlocks.read, report.largeBlocks.read, report.bytes]).to.deep.equal([1, 1, 100_101])
    expect(seen.map(({ phase }) => phase)).to.deep.equal(['messages', 'blocks', 'blocks'])
  })

  it('has damaged blocks brought again', async () => {
    const blocks = [await put(100), await put(100_000)]
    await damageRow('blocks')
    await damageFile()
    const heal = async (cid: CID): Promise<boolean> => {
      const block = blocks.find(one => one.cid.equals(cid))
      if (block == null) return false
      expect(await blockstore.has(cid)).to.equal(false)
      await blockstore.put(cid, block.bytes)
      return true
    }
    const report = await scrub({ db, blockstore, heal })
    expect(report.smallBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 1 })
    expect(report.largeBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 1 })
    const again = await scrub({ db, blockstore, heal })
    expect([again.smallBlocks.damaged, again.largeBlocks.damaged]).to.deep.equal([0, 0])
  })

  it('reports what no peer has', async () => {
    await put(100)
    await damageRow('blocks')
    const report = await scrub({ db, blockstore, heal: async () => Promise.resolve(false) })
    expect(report.smallBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 0 })
  })

  it('only reports damaged messages, and touches none', async () => {
    await messages.append('a', utf8('a'), [])
    await messages.append('b', utf8('b'), [])
    await damageRow('log')
    const before = await openTable(db, 'log').values().all()
    const heal = async (): Promise<boolean> => Promise.resolve(true)
    expect((await scrub({ db, blockstore, heal })).messages).to.deep.equal({ read: 2, damaged: 1, healed: 0 })
    expect(await openTable(db, 'log').values().all()).to.deep.equal(before)
  })

  it('does not take a message without a sum for damaged', async () => {
    await messages.append('a', utf8('a'), [])
    await openTable(db, 'log-sum').clear()
    expect((await scrub({ db, blockstore })).messages).to.deep.equal({ read: 1, damaged: 0, healed: 0 })
  })

  it('can be broken off while it waits for its rate', async () => {
    await put(100_000)
    await put(100_000)
    const stop = new AbortController()
    const reason = new Error('enough')
    const onProgress = ({ phase }: ScrubProgress): void => {
      if (phase === 'messages') setTimeout(() => stop.abort(reason), 10)
    }
    const outcome = scrub({ db, blockstore }, { bytesPerSecond: 1, signal: stop.signal, onProgress })
    expect(await outcome.catch((error: unknown) => error)).to.equal(reason)
  })
})

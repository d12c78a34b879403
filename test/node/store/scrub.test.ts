import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha512 } from '@noble/hashes/sha2.js'
import { expect } from 'chai'
import toBuffer from 'it-to-buffer'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { utf8 } from '#core/encoding/bytes.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import { openStore } from '#node/store/schema.ts'
import { scrub, type ScrubProgress } from '#node/store/scrub.ts'
import type { MessageCare } from '#node/store/scrub-messages.ts'

describe('scrub of a store', () => {
  let dataDir: string
  let db: Database
  let blockstore: DiskBlockstore
  let messages: MessageLog

  async function open(): Promise<void> {
    db = await openStore(dataDir)
    blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
    await blockstore.start()
    messages = createMessageLog({ db })
  }
  async function close(): Promise<void> {
    await messages.stop()
    await blockstore.stop()
    await db.close()
  }

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'salus-scrub-'))
    await open()
  })
  afterEach(async () => {
    await close()
    await rm(dataDir, { recursive: true })
  })

  const mend = async (position: number, bytes: Uint8Array): Promise<boolean> => messages.mend(position, bytes)
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
  async function files(): Promise<string[]> {
    const entries = await readdir(join(dataDir, 'blocks'), { recursive: true, withFileTypes: true })
    return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  }
  async function damageFile(): Promise<void> {
    const [file = ''] = await files()
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

  it('has damaged blocks brought again, and lets go of no byte before', async () => {
    const blocks = [await put(100), await put(100_000)]
    await damageRow('blocks')
    await damageFile()
    const heal = async (cid: CID): Promise<boolean> => {
      const block = blocks.find(one => one.cid.equals(cid))
      if (block == null) return false
      expect(await blockstore.has(cid)).to.equal(false)
      expect([await openTable(db, 'blocks').keys().all(), await files()].map(({ length }) => length)).to.deep.equal([
        1, 1
      ])
      await blockstore.put(cid, block.bytes)
      return true
    }
    const report = await scrub({ db, blockstore, heal })
    expect(report.smallBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 1 })
    expect(report.largeBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 1 })
    for (const { cid, bytes } of blocks) {
      expect(Buffer.from(await toBuffer(blockstore.get(cid))).equals(bytes)).to.equal(true)
    }
    const again = await scrub({ db, blockstore, heal })
    expect([again.smallBlocks.damaged, again.largeBlocks.damaged]).to.deep.equal([0, 0])
    expect(blockstore.damaged()).to.deep.equal([])
  })

  for (const [how, heal] of [
    ['nobody is asked', undefined],
    ['no peer has them', async () => Promise.resolve(false)]
  ] as const) {
    it(`keeps damaged blocks where they are when ${how}, and goes on wanting them after a restart`, async () => {
      const blocks = [await put(100), await put(100_000)]
      await damageRow('blocks')
      await damageFile()
      const bytes = async (): Promise<unknown> => [
        await openTable(db, 'blocks').values().all(),
        await Promise.all((await files()).map(async file => readFile(file)))
      ]
      const before = await bytes()
      for (let times = 0; times < 2; times++) {
        const report = await scrub({ db, blockstore, ...(heal == null ? {} : { heal }) })
        expect(report.smallBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 0 })
        expect(report.largeBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 0 })
      }
      expect(await bytes()).to.deep.equal(before)
      await close()
      await open()
      expect(blockstore.damaged().map(String)).to.have.members(blocks.map(({ cid }) => cid.toString()))
      for (const { cid } of blocks) {
        expect([await blockstore.has(cid), await blockstore.recheck(cid)]).to.deep.equal([false, false])
      }
      for (const { cid, bytes: good } of blocks) await blockstore.put(cid, good)
      expect(blockstore.damaged()).to.deep.equal([])
    })
  }

  it('finds what an older version set aside', async () => {
    const { cid } = await put(100_000)
    await damageFile()
    const [file = ''] = await files()
    await rename(file, `${file}.damaged`)
    await close()
    await open()
    expect((await scrub({ db, blockstore })).largeBlocks).to.deep.equal({ read: 1, damaged: 1, healed: 0 })
    expect(blockstore.damaged().map(String)).to.deep.equal([cid.toString()])
  })

  it('says nothing of a block whose name it cannot check', async () => {
    const bytes = new Uint8Array(randomBytes(100))
    const cid = CID.createV1(raw.code, Digest.create(0x1b, sha512(bytes).subarray(0, 32)))
    await blockstore.put(cid, bytes)
    expect((await scrub({ db, blockstore })).smallBlocks).to.deep.equal({ read: 1, damaged: 0, healed: 0 })
    expect(await blockstore.has(cid)).to.equal(true)
  })

  it('reports damaged messages, and touches none where nobody has them', async () => {
    await messages.append('a', utf8('a'), [])
    await messages.append('b', utf8('b'), [])
    await damageRow('log')
    const before = await openTable(db, 'log').values().all()
    const care: Partial<MessageCare> = {
      judge: () => 'bad',
      fetch: async () => Promise.resolve(undefined),
      mend
    }
    for (const report of [await scrub({ db, blockstore }), await scrub({ db, blockstore, messages: care })]) {
      expect(report.messages).to.deep.equal({ read: 2, damaged: 1, healed: 0 })
    }
    expect(await openTable(db, 'log').values().all()).to.deep.equal(before)
  })

  it('has a damaged message brought again under its position', async () => {
    for (const text of ['a', 'b', 'c']) await messages.append(text, utf8(text), [])
    const before = await openTable(db, 'log').iterator().all()
    const second = before[1]?.[0]
    await damageRow('log', second)
    const copies = [utf8('x'), utf8('b')]
    const fetch = async (
      position: number,
      isRight: (bytes: Uint8Array) => boolean
    ): Promise<Uint8Array | undefined> => {
      expect(position).to.equal(2)
      return Promise.resolve(copies.find(isRight))
    }
    const care: Partial<MessageCare> = { judge: () => 'unknown', fetch, mend }
    expect((await scrub({ db, blockstore, messages: care })).messages).to.deep.equal({ read: 3, damaged: 1, healed: 1 })
    expect(await openTable(db, 'log').iterator().all()).to.deep.equal(before)
    expect((await scrub({ db, blockstore })).messages).to.deep.equal({ read: 3, damaged: 0, healed: 0 })
  })

  it('mends a checksum that is damaged, and leaves its message as it is', async () => {
    await messages.append('a', utf8('a'), [])
    await damageRow('log-sum')
    const report = await scrub({ db, blockstore, messages: { mend } })
    expect([report.messages, report.sums]).to.deep.equal([{ read: 1, damaged: 0, healed: 0 }, 1])
    expect((await scrub({ db, blockstore })).sums).to.equal(0)
    expect((await messages.getByKey('a'))?.bytes).to.deep.equal(utf8('a'))
  })

  it('makes the checksum of a message without one where the message stands for itself', async () => {
    for (const text of ['good', 'bad', 'unknown']) await messages.append(text, utf8(text), [])
    await openTable(db, 'log-sum').clear()
    const nothing = await scrub({ db, blockstore })
    expect([nothing.messages.damaged, nothing.unchecked]).to.deep.equal([0, 3])
    const judge = (bytes: Uint8Array) => new TextDecoder().decode(bytes) as 'good' | 'bad' | 'unknown'
    const report = await scrub({ db, blockstore, messages: { judge, mend } })
    expect(report).to.deep.include({ messages: { read: 3, damaged: 1, healed: 0 }, sums: 1, unchecked: 1 })
    // A peer that has the very same bytes says that they are well.
    const fetch = async (position: number, isRight: (bytes: Uint8Array) => boolean): Promise<Uint8Array | undefined> =>
      Promise.resolve([utf8('other'), ...(position === 3 ? [utf8('unknown')] : [])].find(isRight))
    const asked = await scrub({ db, blockstore, messages: { judge, fetch, mend } })
    expect(asked).to.deep.include({ messages: { read: 3, damaged: 1, healed: 0 }, sums: 1, unchecked: 0 })
    expect(await messages.head()).to.equal(3)
  })

  it('does not bring back a message that is erased while it is looked for', async () => {
    const patient = new Uint8Array(32)
    for (const text of ['a', 'b']) await messages.append(text, utf8(text), [patient])
    const [first = ''] = await openTable(db, 'log').keys({ limit: 1 }).all()
    await damageRow('log', first)
    const fetch = async (): Promise<Uint8Array> => {
      await messages.erase(['a'], patient)
      return utf8('a')
    }
    await scrub({ db, blockstore, messages: { fetch, mend } })
    expect(await messages.getByKey('a')).to.equal(undefined)
    expect(await openTable(db, 'log-sum').keys().all()).to.have.length(1)
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

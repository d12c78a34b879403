import { randomBytes } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import { expect } from 'chai'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { getBlock, type BlockSource } from '#node/network/bitswap-block.ts'
import { fetchFile, type LoadBlock } from '#node/network/fetch-file.ts'
import { expectCode } from '#test/error-code.ts'

/** Blocks in memory, and what becomes of each request: by default the block. */
function createSource() {
  const blocks = new Map<string, Uint8Array>()
  const asked: string[] = []
  let aborted = 0
  let answer: (nth: number, signal: AbortSignal) => Promise<void> = () => Promise.resolve()
  const source: BlockSource = {
    blockstore: {
      async *get(cid, { signal }) {
        asked.push(cid.toString())
        signal.addEventListener('abort', () => aborted++)
        await answer(asked.length, signal)
        const bytes = blocks.get(cid.toString())
        if (bytes == null) throw new Error('no such block')
        yield bytes
      }
    }
  }
  const load: LoadBlock = async (cid, { signal }) => getBlock(source, cid, { signal })
  return {
    source,
    load,
    asked,
    aborted: () => aborted,
    answerBy: (by: typeof answer) => (answer = by),
    async put(bytes: Uint8Array, code: number = raw.code): Promise<CID> {
      const cid = CID.createV1(code, await sha256.digest(bytes))
      blocks.set(cid.toString(), bytes)
      return cid
    },
    async node(links: CID[], blockSizes: number[], type: 'file' | 'directory' = 'file'): Promise<CID> {
      const Data = new UnixFS({ type, blockSizes: blockSizes.map(BigInt) }).marshal()
      return await this.put(dagPb.encode(dagPb.prepare({ Data, Links: links })), dagPb.code)
    }
  }
}

/** A request that is never answered. */
async function lost(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')))
  })
}

async function read(file: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of file) parts.push(part)
  return Buffer.concat(parts)
}

const LIMIT = { maxBytes: 1 << 20 }

describe('fetching a file', () => {
  it('keeps the order of the parts, whichever comes first', async () => {
    const store = createSource()
    const parts = Array.from({ length: 20 }, () => randomBytes(10))
    const cids = await Promise.all(parts.map(part => store.put(part)))
    const halves = [cids.slice(0, 10), cids.slice(10)]
    const nodes = await Promise.all(
      halves.map(half =>
        store.node(
          half,
          half.map(() => 10)
        )
      )
    )
    const root = await store.node(nodes, [100, 100])
    store.answerBy(nth => new Promise(resolve => setTimeout(resolve, (nth * 7) % 5)))
    expect(await read(fetchFile(store.load, root, LIMIT))).to.deep.equal(Buffer.concat(parts))
  })

  it('asks again for a block that was lost', async () => {
    const store = createSource()
    const bytes = randomBytes(10)
    const cid = await store.put(bytes)
    // The first want is lost, the second is the one that a server ignores, the third is answered.
    store.answerBy((nth, signal) => (nth < 3 ? lost(signal) : Promise.resolve()))
    expect(await getBlock(store.source, cid, { deadlineMs: 20 })).to.deep.equal(bytes)
    expect(store.asked).to.have.length(3)
  })

  it('gives up after the last try', async () => {
    const store = createSource()
    const cid = await store.put(randomBytes(10))
    store.answerBy((_, signal) => lost(signal))
    await expectCode('FETCH_NO_BLOCK', () => getBlock(store.source, cid, { deadlineMs: 5, tries: 2 }))
  })

  it('stops what is in flight when its reader does, or when it is told to', async () => {
    const store = createSource()
    const parts = await Promise.all(Array.from({ length: 10 }, () => store.put(randomBytes(10))))
    const root = await store.node(
      parts,
      parts.map(() => 10)
    )
    store.answerBy((nth, signal) => (nth > 2 ? lost(signal) : Promise.resolve()))
    const file = fetchFile(store.load, root, { ...LIMIT, windowBytes: 40 })
    await file.next()
    await file.return(undefined)
    expect(store.aborted()).to.be.at.least(3)

    const controller = new AbortController()
    const told = fetchFile(store.load, root, { ...LIMIT, signal: controller.signal })
    const reading = read(told).catch((error: unknown) => error)
    controller.abort()
    expect(await reading).to.have.property('name', 'AbortError')
  })

  it('refuses what is no file, contradicts itself or cannot be read', async () => {
    const store = createSource()
    const leaf = await store.put(randomBytes(10))
    const cases: [string, CID][] = [
      ['FETCH_NOT_A_FILE', await store.node([], [], 'directory')],
      ['FETCH_NOT_A_FILE', await store.put(randomBytes(10), 0x71)],
      ['FETCH_MALFORMED', await store.put(randomBytes(10), dagPb.code)],
      ['FETCH_MALFORMED', await store.node([leaf, leaf], [10])],
      ['FETCH_OVERSIZE', await store.node([leaf], [1 << 21])]
    ]
    for (const [code, root] of cases) {
      await expectCode(code, () => read(fetchFile(store.load, root, LIMIT)))
    }
  })

  it('refuses a small tree that unfolds into an endless one', async () => {
    const store = createSource()
    const empty = await store.put(new Uint8Array())
    let root = await store.node(Array<CID>(1000).fill(empty), Array<number>(1000).fill(0))
    for (let depth = 0; depth < 3; depth++) {
      root = await store.node(Array<CID>(1000).fill(root), Array<number>(1000).fill(0))
    }
    await expectCode('FETCH_MALFORMED', () => read(fetchFile(store.load, root, LIMIT)))
    expect(store.asked.length).to.be.below(1000)
  })

  it('refuses nodes that are padded, long before they fill a disk', async () => {
    const store = createSource()
    const leaf = await store.put(Uint8Array.of(1))
    const padded = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const Data = new UnixFS({ type: 'file', blockSizes: [1n] }).marshal()
        const Links = [{ Hash: leaf, Name: `${'x'.repeat(100_000)}${String(i)}`, Tsize: 0 }]
        return await store.put(dagPb.encode(dagPb.prepare({ Data, Links })), dagPb.code)
      })
    )
    const few = await store.node(padded.slice(0, 5), Array<number>(5).fill(1))
    expect(await read(fetchFile(store.load, few, LIMIT))).to.have.length(5)
    const many = await store.node(padded, Array<number>(30).fill(1))
    await expectCode('FETCH_MALFORMED', () => read(fetchFile(store.load, many, LIMIT)))
    expect(new Set(store.asked).size).to.be.below(16)
  })

  it('refuses a leaf that is larger than its tree says', async () => {
    const store = createSource()
    const leaf = await store.put(randomBytes(100_000))
    const root = await store.node(Array<CID>(20).fill(leaf), Array<number>(20).fill(1))
    await expectCode('FETCH_MALFORMED', () => read(fetchFile(store.load, root, LIMIT)))
  })
})

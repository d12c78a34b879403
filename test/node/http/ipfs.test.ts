import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import * as dagCbor from '@ipld/dag-cbor'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { blobBlocks } from '#core/record/blob-cid.ts'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { HttpComponents } from '#node/http/components.ts'
import { addIpfsRoute } from '#node/http/ipfs-route.ts'
import { problemResponse } from '#node/http/problem.ts'
import { createHttpServer, type HttpServer } from '#node/http/server.ts'
import { readBlock } from '#node/network/read-block.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { log } from '#test/node/network/peer.ts'

const MIB = 1 << 20
const CONTENT = randomBytes(3 * MIB + 9)
const digestOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** The root and the blocks of a CAR, each checked against its CID. */
function readCar(bytes: Uint8Array): { roots: CID[]; blocks: Map<string, Uint8Array> } {
  let at = 0
  function next(): Uint8Array {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    at += length
    return bytes.subarray(at - length, at)
  }
  const { roots } = dagCbor.decode<{ roots: CID[]; version: number }>(next())
  const blocks = new Map<string, Uint8Array>()
  while (at < bytes.length) {
    const [cid, block] = CID.decodeFirst(next())
    expect(Buffer.from(cid.multihash.digest).equals(digestOf(block))).to.equal(true)
    blocks.set(cid.toString(), block)
  }
  return { roots, blocks }
}

describe('the gateway for blocks', () => {
  let directory: string
  let db: Database
  let blockstore: DiskBlockstore
  let server: HttpServer
  let url: string
  let root: CID
  let cids: string[]

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-ipfs-'))
    db = await openDatabase(join(directory, 'db'))
    blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
    await blockstore.start()
    const blocks = [...blobBlocks(p, CONTENT)]
    for (const { cid, bytes } of blocks) await blockstore.put(cid, bytes)
    cids = blocks.map(({ cid }) => cid.toString())
    root = blocks.at(-1)!.cid
    const app = new OpenAPIHono<{ Bindings: HttpBindings }>()
    app.onError((error, context) => problemResponse(context, error, log))
    addIpfsRoute(app, { readBlock: async (cid: CID) => readBlock(blockstore, cid) } as HttpComponents)
    server = createHttpServer({ app, log }, { port: 0 })
    url = await server.start()
  })

  after(async () => {
    await server.stop()
    await blockstore.stop()
    await db.close()
    await rm(directory, { recursive: true })
  })

  const ask = async (path: string, init?: RequestInit): Promise<Response> => fetch(`${url}/ipfs/${path}`, init)
  const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer())

  it('gives one block by format or by header, with what caches need', async () => {
    for (const response of [
      await ask(`${cids[0]!}?format=raw`),
      await ask(cids[0]!, { headers: { accept: 'application/vnd.ipld.raw' } })
    ]) {
      expect(response.status).to.equal(200)
      expect((await bytesOf(response)).equals(CONTENT.subarray(0, MIB))).to.equal(true)
      expect(response.headers.get('content-type')).to.equal('application/vnd.ipld.raw')
      expect(response.headers.get('etag')).to.equal(`"${cids[0]!}.raw"`)
      expect(response.headers.get('cache-control')).to.match(/immutable/)
      expect(response.headers.get('content-disposition')).to.match(/^attachment; filename=".+\.bin"$/)
    }
  })

  it('tells the size of a block without sending it, and answers 304 to who has it', async () => {
    const head = await ask(`${cids[0]!}?format=raw`, { method: 'HEAD' })
    expect(head.headers.get('content-length')).to.equal(String(MIB))
    expect(await bytesOf(head)).to.have.length(0)
    for (const tag of [`"${cids[0]!}.raw"`, `W/"${cids[0]!}.raw"`, '"other", *']) {
      const known = await ask(`${cids[0]!}?format=raw`, { headers: { 'if-none-match': tag } })
      expect([known.status, (await bytesOf(known)).length]).to.deep.equal([304, 0])
    }
    const other = await ask(`${cids[0]!}?format=raw`, { headers: { 'if-none-match': '"other"' } })
    expect(other.status).to.equal(200)
    await other.body?.cancel()
  })

  it('gives parts of a block', async () => {
    const cases: [string, number, string?][] = [
      ['bytes=0-9', 206, CONTENT.toString('hex', 0, 10)],
      ['bytes=1048570-', 206, CONTENT.toString('hex', 1048570, MIB)],
      ['bytes=-6', 206, CONTENT.toString('hex', MIB - 6, MIB)],
      ['bytes=1048570-99999999', 206, CONTENT.toString('hex', 1048570, MIB)],
      ['bytes=1048576-', 416],
      ['bytes=-0', 416],
      ['bytes=9-1', 200],
      ['bytes=0-1,5-6', 200],
      ['lines=1-2', 200]
    ]
    for (const [range, status, hex] of cases) {
      const response = await ask(`${cids[0]!}?format=raw`, { headers: { range } })
      expect(response.status, range).to.equal(status)
      const bytes = await bytesOf(response)
      if (hex != null) expect(bytes.toString('hex'), range).to.equal(hex)
    }
  })

  it('gives all blocks of a file in one CAR, the root first, or the root alone', async () => {
    const whole = await ask(`${root.toString()}?format=car`)
    expect(whole.headers.get('content-type')).to.match(/^application\/vnd\.ipld\.car; version=1; order=dfs; dups=n/)
    const { roots, blocks } = readCar(await bytesOf(whole))
    expect(roots.map(String)).to.deep.equal([root.toString()])
    expect([...blocks.keys()]).to.deep.equal([root.toString(), ...cids.slice(0, -1)])
    const only = await ask(`${root.toString()}?dag-scope=block`, { headers: { accept: 'application/vnd.ipld.car' } })
    expect([...readCar(await bytesOf(only)).blocks.keys()]).to.deep.equal([root.toString()])
  })

  it('breaks a CAR off at a block that is not here, so that it never looks whole', async () => {
    const leaf = CID.parse(cids[1]!)
    const bytes = (await readBlock(blockstore, leaf))!
    await blockstore.delete(leaf)
    try {
      const response = await ask(`${root.toString()}?format=car`)
      let failure: unknown
      await response.arrayBuffer().catch((error: unknown) => (failure = error))
      expect(failure).to.be.an('error')
    } finally {
      await blockstore.put(leaf, bytes)
    }
  })

  it('tells who asks for it that it is a gateway', async () => {
    const response = await ask('bafkqaaa?format=raw')
    expect([response.status, (await bytesOf(response)).length]).to.deep.equal([200, 0])
  })

  it('refuses what it does not have, and forms that it does not give', async () => {
    const missing = cidOfDigest(RAW_CODEC, digestOf(randomBytes(5))).toString()
    const cases: [string, number, string, string?][] = [
      [`${missing}?format=raw`, 404, 'BLOB_NOT_FOUND'],
      [`${missing}?format=car`, 404, 'BLOB_NOT_FOUND'],
      [`${cids[0]!}?format=dag-json`, 406, 'HTTP_FORMAT'],
      [cids[0]!, 406, 'HTTP_FORMAT', 'application/vnd.ipld.dag-json'],
      [cids[0]!, 406, 'HTTP_FORMAT', 'application/vnd.ipld.car; version=2'],
      [`${cids[0]!}?format=car&car-order=bfs`, 406, 'HTTP_FORMAT'],
      [`${cids[0]!}?format=car&entity-bytes=0:9`, 406, 'HTTP_FORMAT'],
      ['QmWfVY9y3xjsixTgbd9AorQxH7VtMpzfx2HaWtsoUYecaX?format=raw', 400, 'HTTP_CID_SHAPE']
    ]
    for (const [path, status, code, accept] of cases) {
      const response = await ask(path, { headers: accept == null ? {} : { accept } })
      const problem = (await response.json()) as { code: string }
      expect([response.status, problem.code], path).to.deep.equal([status, code])
    }
  })
})

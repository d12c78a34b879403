import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { blobBlocks } from '#core/record/blob-cid.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { HttpComponents } from '#node/http/components.ts'
import { addIpfsRoute } from '#node/http/ipfs-route.ts'
import { createHttpServer, type HttpServer } from '#node/http/server.ts'
import { importFile } from '#node/network/import-file.ts'
import { readBlock } from '#node/network/read-block.ts'
import { startKubo, type Kubo } from '#test/interop/kubo.ts'
import { log, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const MIB = 1 << 20

/** Run by `npm run test:interop -- kubo`. */
describe('a node and Kubo', function () {
  this.timeout(180_000)
  const peer = usePeers()
  let kubo: Kubo

  before(async () => {
    kubo = await startKubo(process.env['SALUS_TEST_KUBO'] ?? '')
  })
  after(async () => {
    await kubo.stop()
  })

  /** A node with a firmware and a sealed blob, as a node keeps them. */
  async function holder(): Promise<{ node: TestPeer; files: { cid: CID; bytes: Buffer }[] }> {
    const node = await peer()
    const firmware = randomBytes(5 * MIB + 321)
    const { cid } = await importFile(node.host, [firmware])
    const files = [{ cid, bytes: firmware }]
    for (const sizeBytes of [3 * MIB + 1, 700_000]) {
      const bytes = randomBytes(sizeBytes)
      const blocks = [...blobBlocks(p, bytes)]
      for (const block of blocks) await node.blockstore.put(block.cid, block.bytes)
      files.push({ cid: blocks.at(-1)!.cid, bytes })
    }
    return { node, files }
  }

  it('gives Kubo a firmware and sealed blobs by bitswap', async () => {
    const { node, files } = await holder()
    await kubo.run(['swarm', 'connect', node.address])
    for (const { cid, bytes } of files) {
      expect((await kubo.run(['cat', cid.toString()])).equals(bytes)).to.equal(true)
      await kubo.run(['pin', 'add', cid.toString()])
    }
  })

  it('gives Kubo the same over HTTP, as CARs and as blocks', async () => {
    const { node, files } = await holder()
    const app = new OpenAPIHono<{ Bindings: HttpBindings }>()
    addIpfsRoute(app, { readBlock: async (cid: CID) => readBlock(node.blockstore, cid) } as HttpComponents)
    const server: HttpServer = createHttpServer({ app, log }, { port: 0 })
    const url = await server.start()
    try {
      for (const { cid, bytes } of files) {
        const car = await fetch(`${url}/ipfs/${cid.toString()}`, { headers: { accept: 'application/vnd.ipld.car' } })
        const path = join(node.directory, 'file.car')
        await writeFile(path, new Uint8Array(await car.arrayBuffer()))
        await kubo.run(['dag', 'import', '--pin-roots=true', path])
        expect((await kubo.run(['cat', '--offline', cid.toString()])).equals(bytes)).to.equal(true)
      }
      const { cid, bytes } = files.at(-1)!
      const block = await fetch(`${url}/ipfs/${cid.toString()}?format=raw`)
      const put = await kubo.run(['block', 'put', '--cid-codec=raw'], new Uint8Array(await block.arrayBuffer()))
      expect(put.toString().trim()).to.equal(cid.toString())
      expect((await kubo.run(['block', 'get', '--offline', cid.toString()])).equals(bytes)).to.equal(true)
    } finally {
      await server.stop()
    }
  })

  for (const form of [['--cid-version=1', '--raw-leaves', '--chunker=size-1048576'], ['--cid-version=1'], []]) {
    it(`fetches from Kubo what it added with ${form.length === 0 ? 'its defaults' : form.join(' ')}`, async () => {
      const bytes = randomBytes(4 * MIB + 5)
      const cid = CID.parse((await kubo.run(['add', '-Q', ...form], bytes)).toString().trim())
      const node = await peer({ peers: [kubo.address] })
      await until('connected', () => node.host.libp2p.getPeers().length > 0)
      const parts: Uint8Array[] = []
      for await (const part of node.exchange.fetch(cid, { maxBytes: 64 * MIB })) parts.push(part)
      expect(Buffer.concat(parts).equals(bytes)).to.equal(true)
    })
  }
})

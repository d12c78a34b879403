/** The serving side of `scripts/bench/exchange.ts`: imports files, and sends bytes over every other way when asked. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { randomBytes } from 'node:crypto'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { HttpComponents } from '#node/http/components.ts'
import { addIpfsRoute } from '#node/http/ipfs-route.ts'
import { createHttpServer } from '#node/http/server.ts'
import { createLog } from '#node/log.ts'
import { importFile } from '#node/network/import-file.ts'
import { readBlock } from '#node/network/read-block.ts'
import { BLOB_PROTOCOL, WRITE_BYTES, openBenchPeer, sendAll } from '#scripts/bench/exchange/peer.ts'

const [, , directory = ''] = process.argv
const { host, blockstore } = await openBenchPeer(directory)
const buffer = randomBytes(WRITE_BYTES)

/** What the next raw connection or stream sends, in bytes. */
let sizeBytes = 0

await host.libp2p.handle(BLOB_PROTOCOL, stream => {
  stream.addEventListener('message', () => void sendAll(stream, buffer, sizeBytes).then(() => stream.close()), {
    once: true
  })
})
const server = createServer(socket => {
  socket.on('error', () => socket.destroy())
  for (let sent = 0; sent < sizeBytes; sent += buffer.length) {
    socket.write(buffer.subarray(0, Math.min(buffer.length, sizeBytes - sent)))
  }
  socket.end()
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const app = new OpenAPIHono<{ Bindings: HttpBindings }>()
addIpfsRoute(app, { readBlock: async cid => readBlock(blockstore, cid) } as HttpComponents)
const http = createHttpServer({ app, log: createLog({ name: 'bench', level: 'silent' }) }, { port: 0 })
const httpUrl = await http.start()
process.on('disconnect', () => process.exit())

process.on('message', (size: number) => {
  sizeBytes = size
  // Files of unknown bytes, so that no block is known before: one for each way of fetching that stores it.
  const imports = Array.from({ length: 4 }, async () => importFile(host, [randomBytes(size)]))
  void Promise.all(imports).then(files => process.send?.({ cids: files.map(({ cid }) => cid.toString()) }))
})
const address = server.address()
process.send?.({
  address: host.libp2p.getMultiaddrs()[0]?.toString(),
  port: typeof address === 'object' ? address?.port : undefined,
  httpUrl
})

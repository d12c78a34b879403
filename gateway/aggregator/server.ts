/** HTTP of an aggregator: `POST /v1/heads` and `GET /v1/heads/<gateway>/<sequence>` (docs/specs/super-root.md). */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isRefusal, type Aggregator } from '#gateway/aggregator/aggregator.ts'
import { MAX_HEAD_CALL_BYTES } from '#gateway/aggregator/epoch-file.ts'
import { encodeRooted } from '#gateway/rooted-codec.ts'

const MAX_CONNECTIONS = 1024
const REQUEST_MS = 10_000

/** Serves an aggregator. */
export interface AggregatorServer {
  /** Begins to listen; gives the address. */
  start(): Promise<string>
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body?: Uint8Array
}

/** Makes the server; nothing is opened before `start()`. */
export function createAggregatorServer(
  aggregator: Aggregator,
  { host, port }: { readonly host: string; readonly port: number }
): AggregatorServer {
  const server = createServer((request, response) => {
    void answer(aggregator, request)
      .catch((error: unknown): Answer => ({ status: isRefusal(error) ? 422 : 503 }))
      .then(({ status, body = new Uint8Array() }) =>
        response.writeHead(status, { 'content-type': 'application/cbor', 'content-length': body.length }).end(body)
      )
  })
  server.maxConnections = MAX_CONNECTIONS
  server.requestTimeout = REQUEST_MS
  server.headersTimeout = REQUEST_MS
  return {
    async start() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, resolve)
      })
      const { address, port: taken } = server.address() as AddressInfo
      return `http://${address.includes(':') ? `[${address}]` : address}:${String(taken)}`
    },
    async stop() {
      server.closeAllConnections()
      if (server.listening) await new Promise<void>(resolve => server.close(() => resolve()))
    }
  }
}

async function answer(aggregator: Aggregator, request: IncomingMessage): Promise<Answer> {
  const { method, url = '' } = request
  if (method === 'POST' && url === '/v1/heads') {
    const body = await bodyOf(request)
    if (body == null) return { status: 413 }
    await aggregator.submit(body)
    return { status: 202 }
  }
  const [, gateway, sequence] = /^\/v1\/heads\/([0-9a-f]{64})\/([1-9][0-9]{0,14})$/.exec(url) ?? []
  const place = method === 'GET' && gateway != null ? aggregator.find(`0x${gateway}`, Number(sequence)) : undefined
  return place == null ? { status: 404 } : { status: 200, body: encodeRooted(place) }
}

/** The request's body, or `undefined` once it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > MAX_HEAD_CALL_BYTES) return undefined
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** A small HTTP server for a few fixed paths: bounded connections, times and bodies, nothing else. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

const REQUEST_MS = 10_000

/** What is asked. */
export interface PlainRequest {
  readonly method: string
  /** Path and query as they were sent. */
  readonly url: string
  readonly body: Uint8Array
}

/** What is answered. */
export interface PlainAnswer {
  readonly status: number
  readonly type?: string
  readonly body?: string | Uint8Array
}

/** Where it listens, and what it takes at most. */
export interface PlainServerInit {
  readonly host: string
  readonly port: number
  readonly maxConnections: number
  /** A longer body is answered 413. */
  readonly maxBodyBytes: number
}

/** A server. */
export interface PlainServer {
  /** Begins to listen; gives the address. */
  start(): Promise<string>
  stop(): Promise<void>
}

/** Makes the server; nothing is opened before `start()`. An answer that fails is 500. */
export function createPlainServer(
  answer: (request: PlainRequest) => PlainAnswer | Promise<PlainAnswer>,
  { host, port, maxConnections, maxBodyBytes }: PlainServerInit
): PlainServer {
  const answerTo = async (request: IncomingMessage): Promise<PlainAnswer> => {
    const body = await bodyOf(request, maxBodyBytes)
    return body == null ? { status: 413 } : answer({ method: request.method ?? '', url: request.url ?? '', body })
  }
  const server = createServer((request, response) => {
    void answerTo(request)
      .catch((): PlainAnswer => ({ status: 500 }))
      .then(({ status, type = 'text/plain', body = '' }) =>
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
      )
  })
  server.maxConnections = maxConnections
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

/** The request's body, or `undefined` once it is too long. */
async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > maxBytes) return undefined
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

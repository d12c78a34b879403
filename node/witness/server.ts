/** HTTP of a witness: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint` (C2SP tlog-witness). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MAX_REQUEST_LENGTH } from '#core/tlog/witness.ts'
import type { Witness, WitnessAnswer } from '#node/witness/witness.ts'

const MAX_CONNECTIONS = 256
const REQUEST_MS = 10_000

/** Where it listens. */
export interface WitnessServerInit {
  readonly host: string
  readonly port: number
}

/** A witness that is reached over HTTP. */
export interface WitnessServer {
  /** Begins to listen; gives the address. */
  start(): Promise<string>
  stop(): Promise<void>
}

/** Makes the server; nothing is opened before `start()`. */
export function createWitnessServer(witness: Witness, { host, port }: WitnessServerInit): WitnessServer {
  const server = createServer((request, response) => {
    void answer(witness, request).then(
      result => send(response, result),
      () => send(response, { status: 500, type: 'text/plain', body: '' })
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
      await new Promise<void>(resolve => server.close(() => resolve()))
    }
  }
}

async function answer(witness: Witness, request: IncomingMessage): Promise<WitnessAnswer> {
  const { method, url = '' } = request
  const nothing = { status: 404, type: 'text/plain', body: '' }
  if (method === 'POST' && url === '/add-checkpoint') {
    const body = await bodyOf(request)
    return body == null ? { ...nothing, status: 413 } : witness.addCheckpoint(body)
  }
  const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? []
  const body = method === 'GET' && hash != null ? witness.checkpoint(hash) : undefined
  return body == null ? nothing : { status: 200, type: 'text/plain; charset=utf-8', body }
}

/** The request's body, or `undefined` once it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > 3 * MAX_REQUEST_LENGTH) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function send(response: ServerResponse, { status, type, body }: WitnessAnswer): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}

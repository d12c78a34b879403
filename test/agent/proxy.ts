import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that passes. */
export interface Passing {
  readonly method: string
  readonly path: string
  readonly body: Uint8Array
}

/** What a watcher does with a request: nothing, or something before or after the node has it. */
export interface Watcher {
  before?: ((request: Passing) => Promise<void> | void) | undefined
  after?: ((request: Passing) => Promise<void> | void) | undefined
}

/** A stand between an agent and its node, where a test can make things happen at a certain request. */
export interface Proxy {
  readonly url: string
  readonly watcher: Watcher
  stop(): Promise<void>
}

/** Starts a proxy of a node. */
export async function startProxy(target: string): Promise<Proxy> {
  const watcher: Watcher = {}
  const server = createServer((request, response) => {
    const { method = '', url: path = '' } = request
    const pass = async (): Promise<void> => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const passing = { method, path, body: Buffer.concat(chunks) }
      await watcher.before?.(passing)
      const { 'content-type': type } = request.headers
      const answer = await fetch(new URL(path, target), {
        method,
        ...(method === 'GET' ? {} : { body: passing.body }),
        ...(type == null ? {} : { headers: { 'content-type': type } })
      })
      const body = Buffer.from(await answer.arrayBuffer())
      await watcher.after?.(passing)
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
      response.end(body)
    }
    pass().catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${String(port)}`,
    watcher,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
